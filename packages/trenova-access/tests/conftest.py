import asyncio
import contextlib

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from trenova_access import (
    Access,
    AccessError,
    KeySetOptions,
    PermissionClaim,
    Roles,
    TokenOptions,
    refuse,
    sign_in_routes,
)
from trenova_access.testing import Issuer

ROLES = Roles({"viewer": (), "operator": ["viewer"], "admin": ["operator"]})


class Options(Issuer):
    def options(self, **changed):
        keys = {"url": self.url, "retry_s": 0.0, **changed.pop("keys", {})}
        return TokenOptions(
            **{
                "issuer": self.name,
                "audiences": (self.audience,),
                "keys": KeySetOptions(**keys),
                "claims": (PermissionClaim(claim="permissions", roles={"read": "viewer", "write": "operator"}),),
                **changed,
            }
        )


@pytest.fixture(scope="session")
def _issuer():
    with Options() as issuer:
        yield issuer


@pytest.fixture
def issuer(_issuer):
    kept = _issuer.document
    _issuer.asked = 0
    yield _issuer
    _issuer.document, _issuer.body, _issuer.status, _issuer.delay = kept, None, 200, 0.0


class Running:
    """A server on a free port of loopback, with a client for it."""

    def __init__(self, access, url, events):
        self.access, self.url, self.events = access, url, events
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)
        self.origin = url


@pytest.fixture
async def serve():
    """Serve an application behind an Access made from options."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(options, **more):
            events = []
            access = Access(options, ROLES, audit=events.append, **more)
            running = Running(access, await _listen(stack, access.protect(_application(access))), events)
            stack.push_async_callback(running.client.aclose)
            return running

        yield start


def _application(access):
    async def show(request):
        who = await access.require(request, request.path_params["resource"], "viewer")
        return JSONResponse({"subject": who.subject, "method": who.method})

    async def change(request):
        who = await access.require(request, request.path_params["resource"], "operator")
        return JSONResponse({"subject": who.subject, "size": len(await request.body())})

    async def slow(_):
        await asyncio.sleep(30)

    async def broken(_):
        raise RuntimeError("planted")

    routes = [
        Route("/things/{resource}", show, methods=["GET"]),
        Route("/things/{resource}", change, methods=["POST"]),
        Route("/slow", slow),
        Route("/broken", broken),
    ]
    if access.sign_in:
        routes += sign_in_routes(access)
    return Starlette(routes=routes, exception_handlers={AccessError: refuse})


async def _listen(stack, application):
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())

    async def stop():
        server.should_exit = True
        await asyncio.wait_for(task, 10)

    stack.push_async_callback(stop)
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
