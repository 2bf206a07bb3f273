import asyncio
import contextlib
from collections import Counter

import httpx
import pytest
import uvicorn
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from trenova_access import (
    Access,
    AccessError,
    Grant,
    KeySetOptions,
    OidcOptions,
    PermissionClaim,
    Roles,
    TokenOptions,
    ValueClaim,
    refuse,
    sign_in_routes,
)
from trenova_access.testing import Issuer, Provider

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


class SigningIn(Provider):
    def options(self, **changed):
        """Options of a server whose dispatch leads may look at everything."""
        leads = ValueClaim(claim="groups", values={"Dispatch Leads": (Grant(resource="*", role="viewer"),)})
        told = {"issuer": self.name, "client_id": self.client_id, "claims": (leads,), "cookie": "trenova-test-oidc"}
        secret = {"client_secret": self.client_secret} if self.client_secret else {}
        return OidcOptions(**{**told, **secret, **changed})


@pytest.fixture
def provider():
    with SigningIn() as provider:
        yield provider


@pytest.fixture(scope="session")
def _reader():
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))  # a process takes one, once
    return reader


@pytest.fixture
def counted(_reader):
    """What a counter of this package grew by since the test began, by the labels asked for."""

    def read(name, *labels):
        data = _reader.get_metrics_data()
        found = [one for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for one in s.metrics]
        points = [point for metric in found if metric.name == name for point in metric.data.data_points]
        sums = Counter()
        for point in points:
            sums[tuple(point.attributes.get(label) for label in labels)] += point.value
        return sums

    before = {}

    def grown(name, *labels):
        return dict(read(name, *labels) - before.get((name, labels), Counter()))

    for asked in (
        ("trenova_access_refusals", ("outcome", "reason")),
        ("trenova_access_decisions", ("outcome", "reason")),
    ):
        before[asked] = read(asked[0], *asked[1])
    return grown


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
            application = access.protect(_application(access), resource_of=lambda it: it.headers.get("x-thing", ""))
            running = Running(access, await _listen(stack, application), events)
            stack.push_async_callback(running.client.aclose)
            return running

        yield start


@pytest.fixture
async def listen():
    """Serve an application on a free port of loopback; its address."""
    async with contextlib.AsyncExitStack() as stack:
        yield lambda application, **more: _listen(stack, application, **more)


def _application(access):
    async def show(request):
        who = await access.require(request, request.path_params["resource"], "viewer")
        return JSONResponse({"subject": who.subject, "method": who.method})

    async def change(request):
        who = await access.require(request, request.path_params["resource"], "operator")
        return JSONResponse({"subject": who.subject, "size": len(await request.body())})

    async def slow(_):
        await asyncio.sleep(30)

    async def twice(request):
        await access.require(request, "a", "viewer")
        access.refused(request, "thing.locked", "locked")
        access.refused(request, "thing.locked", "locked")
        return JSONResponse({"code": "thing.locked"}, status_code=409)

    async def own_line(request):
        access.refused(request, "thing.locked", "locked", audited=True)
        return JSONResponse({"code": "thing.locked"}, status_code=409)

    async def odd(request):
        access.refused(request, "thing.odd", "what a caller wrote")
        return JSONResponse({}, status_code=400)

    async def broken(_):
        raise RuntimeError("planted")

    routes = [
        Route("/things/{resource}", show, methods=["GET"]),
        Route("/things/{resource}", change, methods=["POST"]),
        Route("/slow", slow),
        Route("/broken", broken),
        Route("/twice", twice),
        Route("/own-line", own_line),
        Route("/odd", odd),
    ]
    if access.sign_in or access.oidc:
        routes += sign_in_routes(access)
    return Starlette(routes=routes, exception_handlers={AccessError: refuse})


async def _listen(stack, application, **more):
    quiet = {"log_config": None, "access_log": False, "lifespan": "off"}
    config = uvicorn.Config(application, host="127.0.0.1", port=0, **quiet, **more)
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())

    async def stop():
        server.should_exit = True
        await asyncio.wait_for(task, 10)

    stack.push_async_callback(stop)
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    return f"{'https' if more else 'http'}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
