import asyncio
import contextlib
import http.server
import json
import threading
import time

import httpx
import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
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

ROLES = Roles({"viewer": (), "operator": ["viewer"], "admin": ["operator"]})


def public_jwk(private, kid, **members):
    algorithm = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    kind = next(value for key, value in algorithm.items() if isinstance(private, key))
    return {**json.loads(kind.to_jwk(private.public_key())), "kid": kid, **members}


class Issuer:
    """An issuer of tokens, whose key set is served over HTTP."""

    name = "https://issuer.example.com/"
    jwk = staticmethod(public_jwk)
    audience = "codec"

    def __init__(self):
        self.private = rsa.generate_private_key(65537, 2048)
        self.document = {"keys": [public_jwk(self.private, "k1", alg="RS256", use="sig")]}
        self.body = None
        self.status = 200
        self.delay = 0.0
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                time.sleep(outer.delay)
                body = json.dumps(outer.document).encode() if outer.body is None else outer.body
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.send_response(outer.status)
                    self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"

    def close(self):
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    @property
    def pem(self):
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def claims(self, **changed):
        now = int(time.time())
        claims = {"iss": self.name, "aud": self.audience, "sub": "ada", "iat": now, "exp": now + 60, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, key=None, alg="RS256", kid="k1", headers=(), **changed):
        headers = {**({"kid": kid} if kid else {}), **dict(headers)}
        return jwt.encode(self.claims(**changed), key or self.private, algorithm=alg, headers=headers)

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
    issuer = Issuer()
    yield issuer
    issuer.close()


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
