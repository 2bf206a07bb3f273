"""The client against the real API, in memory, and against what is no pool manager at all."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from trenova_access import AccessOptions, ApiTokenOptions, Grant, new_api_token
from trenova_errors import (
    AmbiguousOutcomeError,
    ConfigurationError,
    InvalidInputError,
    PermissionDeniedError,
    ResourceNotFoundError,
    ThrottledError,
    UnavailableError,
)
from trenova_workers.pool import PoolWorker, WorkerPhase
from trenova_workers.pool.client import AddressFile, PoolClient, PoolServerAddress, fixed_address
from trenova_workers.pool.server import PoolServerOptions, RateOptions, create_app
from trenova_workers.pool.store import (
    KeptDecision,
    PoolBounds,
    PoolHistory,
    PoolPhase,
    PoolState,
    PoolStore,
    PoolStoreOptions,
)

NAME = "dispatch"


def at(token):
    return lambda: PoolServerAddress("http://127.0.0.1", token)


def answering(*responses):
    """A transport that answers in turn; an exception is raised."""
    left = list(responses)

    def handle(request):
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    return httpx.MockTransport(handle)


@pytest.fixture
async def site(tmp_path):
    """An API with one pool, and the tokens of a viewer and of a console."""
    tokens, entries = {}, []
    for name, roles in {"viewer": ["viewer"], "console": ["operator", "delegate"]}.items():
        tokens[name], digest = new_api_token()
        grants = tuple(Grant(resource="*", role=role) for role in roles)
        entries.append(ApiTokenOptions(sha256=digest, subject=name, grants=grants))
    async with PoolStore.open(PoolStoreOptions(url=f"sqlite:///{tmp_path}/pools.db")) as store:
        await store.migrate()
        lease = await store.leases.take("here", "pool-manager@host:1#abcdef12")
        worker = PoolWorker(id="w1", pool=NAME, phase=WorkerPhase.RUNNING, started_at=datetime.now(UTC), build="7")
        state = PoolState(
            pool=NAME,
            phase=PoolPhase.STEADY,
            why="Load is low.",
            desired=1,
            written=1,
            counts={"running": 1},
            workers=(worker.model_dump(mode="json", by_alias=True),),
            bounds=PoolBounds(min_workers=1, max_workers=4, wait_target_s=20),
        )
        await store.states.keep(lease, state)
        for number in range(3):
            document = {"observation": {"backlog": float(number), "workers": {"running": 1}}}
            kept = KeptDecision(pool=NAME, action="up", before=0, desired=1, why=f"w{number}", document=document)
            await store.decisions.keep(lease, kept)
        options = PoolServerOptions(
            access=AccessOptions(api_tokens=tuple(entries)), rates=RateOptions(writes=3, per_s=3600)
        )
        app = create_app(options, store, scope="here", pools=[NAME])

        def client(name):
            return PoolClient(at(tokens.get(name, name)), transport=httpx.ASGITransport(app=app))

        client.store = store
        yield client


async def test_answers_are_typed_and_a_name_with_a_slash_stays_one_segment():
    def handle(request):
        assert request.url.raw_path == b"/api/v1/pools/a%2Fb%20c/history?hours=2&parts=10"
        return httpx.Response(200, json={"points": [], "partS": 720})

    async with PoolClient(at("t"), transport=httpx.MockTransport(handle)) as client:
        assert (await client.history("a/b c", hours=2, parts=10)).part_s == 720


async def test_what_the_manager_knows_is_read(site):
    async with site("viewer") as client:
        [pool] = (await client.pools()).pools
        assert (pool.name, pool.bounds.max_workers, pool.managed) == (NAME, 4, True)
        assert [one.id for one in (await client.workers()).workers] == ["w1"]


async def test_an_order_carries_the_person_and_the_audit_trail_has_both_names(site):
    until = datetime.now(UTC) + timedelta(hours=1)
    async with site("console") as client:
        ordered = await client.override(NAME, 3, until, "rush", on_behalf_of="Zoë O'Neil")
        assert (ordered.orders.override.by, ordered.orders.override.count) == ("Zoë O'Neil", 3)
        assert (await client.pause(NAME, "moving", on_behalf_of="Ada")).orders.pause.by == "Ada"
        assert (await client.resume(NAME, "done")).orders.override is None
    trail = await site.store.audit.read("here", limit=3)
    told = [(one.action, one.actor, (one.detail or {}).get("through")) for one in trail.entries]
    assert told == [("resume", "console", None), ("pause", "Ada", "console"), ("override", "Zoë O'Neil", "console")]
    async with site("viewer") as client:
        with pytest.raises(PermissionDeniedError, match="does not let this program do that"):
            await client.pause(NAME, "x", on_behalf_of="Ada")


async def test_refusals_are_errors_of_our_kinds(site):
    async with site("trn_wrong") as client:
        with pytest.raises(PermissionDeniedError, match="does not know the token"):
            await client.pools()
    async with site("viewer") as client:
        with pytest.raises(ResourceNotFoundError, match="No pool with id 'none'"):
            await client.pool("none")
        with pytest.raises(PermissionDeniedError, match="'operator'"):
            await client.pause("none", "x")
    async with site("console") as client:
        with pytest.raises(InvalidInputError, match="reason"):
            await client.pause("none", "")
        past = datetime.now(UTC) - timedelta(hours=1)
        with pytest.raises(ResourceNotFoundError):
            await client.override("none", 3, past, "x")
        with pytest.raises(ResourceNotFoundError):
            await client.pause("none", "x")
        with pytest.raises(ThrottledError) as throttled:
            await client.pause("none", "x")
        assert throttled.value.next_retry_delay == timedelta(seconds=1200)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.ConnectError("refused"), "nothing answers at its address"),
        (httpx.ReadTimeout("slow"), "does not answer within 5 s"),
        (httpx.ReadError("gone"), "broke off"),
        (httpx.Response(200, text="<html>hello</html>"), "is none, or of another version"),
        (httpx.Response(200, json={"pools": 3}), "is none, or of another version"),
        (httpx.Response(302, headers={"location": "/login"}), "status 302"),
        (httpx.Response(502, text="Bad Gateway"), "status 502"),
        (httpx.Response(500, json=[1], headers={"content-type": "application/problem+json"}), "status 500"),
    ],
)
async def test_whatever_is_no_answer_is_said_and_never_raised_as_something_else(answer, said):
    async with PoolClient(at("t"), transport=answering(answer)) as client:
        with pytest.raises(UnavailableError, match=said):
            await client.pools()


async def test_a_manager_that_is_too_old_for_a_question_is_no_missing_pool(site):
    async with site("viewer") as client:
        with pytest.raises(UnavailableError, match="'/api/v1/none': it is of another version"):
            await client._get(PoolHistory, "none")


async def test_an_order_without_an_answer_may_have_been_heard_and_one_that_was_never_sent_was_not():
    lost = answering(httpx.ReadTimeout("slow"), httpx.ConnectError("refused"))
    async with PoolClient(at("t"), transport=lost) as client:
        with pytest.raises(AmbiguousOutcomeError, match="nobody knows whether it took effect"):
            await client.pause("p", "x")
        with pytest.raises(UnavailableError):
            await client.pause("p", "x")


async def test_a_manager_that_sends_byte_by_byte_is_not_waited_for():
    async def drip(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with PoolClient(lambda: PoolServerAddress(f"http://127.0.0.1:{port}"), timeout_s=0.4) as client:
        with pytest.raises(UnavailableError, match=r"within 0\.4 s"):
            await client.pools()
    await ended.wait()
    server.close()


def test_the_file_of_a_manager_of_this_machine_is_read_anew(tmp_path):
    file = AddressFile(tmp_path / "pools-server.json")
    assert not file.is_there
    with pytest.raises(UnavailableError, match="pool run --serve"):
        file()
    file.file.write_text('{"url": "http://127.0.0.1:1", "key": "secret-1"}')
    assert file() == PoolServerAddress("http://127.0.0.1:1", "secret-1")
    assert "secret" not in repr(file())
    file.file.write_text("[]")
    with pytest.raises(UnavailableError, match="cannot be read"):
        file()


def test_a_token_of_a_file_may_be_replaced_and_is_never_told(tmp_path):
    token = tmp_path / "token"
    address = fixed_address("https://pools.example.com/", token)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        address()
    for content in ("", "two words", "naïve", "a\nb"):
        token.write_text(content)
        with pytest.raises(ConfigurationError, match="holds no API token") as refused:
            address()
        assert not content or content not in str(refused.value)
    token.write_text("trn_1\n")
    assert address() == PoolServerAddress("https://pools.example.com", "trn_1")
    for wrong in ("pools.example.com", "ftp://x", "https://u:p@x", "https://"):
        with pytest.raises(ConfigurationError, match="no address"):
            fixed_address(wrong)
