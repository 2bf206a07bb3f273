import asyncio
import contextlib
import hashlib
import json
from collections import Counter

import httpx
import pytest
import uvicorn
from google.protobuf import json_format
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from temporalio.api.common.v1 import Payload, Payloads

from trenova_access import (
    AccessOptions,
    Grant,
    KeySetOptions,
    LimitOptions,
    PermissionClaim,
    SignInOptions,
    TokenOptions,
)
from trenova_access.testing import Issuer
from trenova_codecs import CodecChain, CompressionCodec, EncryptionCodec, KeyRing
from trenova_codecs.server import BatchOptions, CodecServerOptions, NamespaceOptions, create_app

UI = "http://127.0.0.1:8233"


def secret(name):
    return hashlib.sha256(name.encode()).digest()


@pytest.fixture(scope="session", autouse=True)
def _reader():
    reader = InMemoryMetricReader()
    # A process takes one, once: this has to be before a test serves in this process, whatever their order.
    metrics.set_meter_provider(MeterProvider([reader]))
    return reader


def _metrics(reader):
    data = reader.get_metrics_data()
    return [one for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for one in s.metrics]


@pytest.fixture
def durations(_reader):
    """The histograms of how long requests took, one for each set of labels."""
    return lambda: [p for one in _metrics(_reader) if one.name.endswith("_duration") for p in one.data.data_points]


@pytest.fixture
def refused_for(_reader):
    """How many requests were refused since the test began, by reason."""

    def read():
        sums = Counter()
        for point in (
            p for one in _metrics(_reader) if one.name == "trenova_access_refusals" for p in one.data.data_points
        ):
            sums[point.attributes["reason"]] += point.value
        return sums

    before = read()
    return lambda: dict(read() - before)


@pytest.fixture(scope="session")
def _issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(_issuer):
    kept = dict(_issuer.document)
    yield _issuer
    _issuer.document, _issuer.status, _issuer.delay = kept, 200, 0.0


@pytest.fixture
def ring():
    """Keys of two tenants: pay-1 and pay-2 of payments, ship-1 of shipments."""
    return KeyRing.from_keys({name: secret(name) for name in ("pay-1", "pay-2", "ship-1")}, active="pay-2")


@pytest.fixture
def options(issuer):
    tokens = TokenOptions(
        issuer=issuer.name,
        audiences=(issuer.audience,),
        keys=KeySetOptions(url=issuer.url),
        claims=(PermissionClaim(claim="permissions", roles={"read": "reader", "write": "writer"}),),
    )
    grants = (Grant(resource="*", role="writer"),)
    return CodecServerOptions(
        access=AccessOptions(
            origins=(UI,),
            tokens=tokens,
            sign_in=SignInOptions(cookie="trenova-codec-server", grants=grants),
            limits=LimitOptions(max_body=1024 * 1024, timeout_s=10),
        ),
        namespaces={
            "payments": NamespaceOptions(keys=("pay-*",)),
            "shipments": NamespaceOptions(keys=("ship-1",), encode_with="ship-1"),
            "empty": NamespaceOptions(keys=("none-*",)),
        },
        batch=BatchOptions(max_payloads=50, max_output=4 * 1024 * 1024),
    )


class Server:
    """A codec server on a free port, and callers of it."""

    def __init__(self, url, access, events, refusals, issuer):
        self.url, self.access, self.events, self.refusals, self.issuer = url, access, events, refusals, issuer
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)

    def token(self, *permissions, **changed):
        return {"Authorization": f"Bearer {self.issuer.token(permissions=list(permissions), **changed)}"}

    async def post(self, path, payloads, namespace="payments", headers=None):
        headers = self.token(f"{namespace}:write") if headers is None else headers
        named = {"X-Namespace": namespace} if namespace is not None else {}
        if isinstance(payloads, bytes):
            content = payloads
        else:
            content = json_format.MessageToJson(Payloads(payloads=payloads)).encode()
        return await self.client.post(
            path, content=content, headers={"Content-Type": "application/json", **named, **headers}
        )

    async def decode(self, payloads, namespace="payments", headers=None, path="/decode"):
        return payloads_of(await self.post(path, payloads, namespace, headers))

    async def encode(self, payloads, namespace="payments", headers=None):
        return payloads_of(await self.post("/encode", payloads, namespace, headers))


def payloads_of(answer):
    assert answer.status_code == 200, answer.text
    return list(json_format.Parse(answer.content, Payloads()).payloads)


@pytest.fixture
async def serve(issuer, ring, options):
    """Start a server; options and ring may be exchanged."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(told=None, keys=None, **more):
            from trenova_access import Access
            from trenova_codecs.server import ROLES

            events, refusals = [], []
            told = told or options

            def keep(event):
                if event.outcome != "allowed":
                    refusals.append(event)

            access = Access(told.access, ROLES, audit=keep)
            app = create_app(told, keys or ring, access=access, audit=events.append, **more)
            server = Server(await _listen(stack, app), access, events, refusals, issuer)
            stack.push_async_callback(server.client.aclose)
            return server

        yield start


@pytest.fixture
async def server(serve):
    return await serve()


@pytest.fixture
def sealed(ring):
    """Encode payloads as a worker of the namespace does."""

    async def seal(*values, key, layout="compat"):
        keys = KeyRing.from_keys({key: secret(key)}, active=key)
        chain = CodecChain.outbound(CompressionCodec(), EncryptionCodec(keys, format=layout))
        return await chain.encode([plain(value) for value in values])

    return seal


def plain(value):
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


@pytest.fixture
def to_payload():
    return plain


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
