"""Who may be the server: an authority that we trust vouches for it, by the name that we asked for."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import trustme

from trenova_errors import ConfigurationError
from trenova_workers import connect, connect_config

API_KEY = "hunter2-planted-key"
LONG_AGO = {"not_before": datetime(2020, 1, 1, tzinfo=UTC), "not_after": datetime(2021, 1, 1, tzinfo=UTC)}


@dataclass
class Door:
    """What stands before the real server and speaks TLS; what came in is kept as it was before encryption."""

    inner: int
    tls: ssl.SSLContext
    port: int = 0
    seen: bytes = b""
    passing: set[asyncio.Task] = field(default_factory=set)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, keep: bool) -> None:
        while piece := await source.read(65536):
            self.seen += piece if keep else b""
            sink.write(piece)
            await sink.drain()
        sink.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self.passing.add(task)
        behind, before = await asyncio.open_connection("127.0.0.1", self.inner)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await asyncio.gather(self._pass(reader, before, keep=True), self._pass(behind, writer, keep=False))
        finally:
            for one in (before, writer):
                one.transport.abort()
            self.passing.discard(task)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Door"]:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listening.close()
            left = tuple(self.passing)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await asyncio.sleep(0)  # connections that were given up are closed by the loop's next turn


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def door(server, authority):
    def made(*names: str, clients: bool = False, **how) -> Door:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_alpn_protocols(["h2"])
        authority.issue_cert(*(names or ("localhost", "127.0.0.1")), **how).configure_cert(tls)
        if clients:
            authority.configure_trust(tls)
            tls.verify_mode = ssl.CERT_REQUIRED
        return Door(server.port, tls)

    return made


@pytest.fixture
def ask(authority, tmp_path):
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))

    async def asked(door: Door, **told: str):
        environ = {"HOME": str(tmp_path), "TEMPORAL_ADDRESS": f"127.0.0.1:{door.port}", **told}
        if told.get("TEMPORAL_TLS") != "false":
            environ.setdefault("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(trusted))
        async with asyncio.timeout(60):
            return await connect(
                connect_config({name: value for name, value in environ.items() if value}), identity="me"
            )

    return asked


async def test_a_server_whose_authority_is_trusted_is_spoken_to(door, ask):
    async with door().opened() as one:
        client = await ask(one, TEMPORAL_API_KEY=API_KEY)
        await client.count_workflows()
    assert one.seen.startswith(b"PRI * HTTP/2.0")


@pytest.mark.parametrize("trusted", ["another authority", "those of the system"])
async def test_a_server_of_another_authority_gets_nothing_and_it_is_said_whose_certificate_to_give(
    door, ask, tmp_path, trusted
):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    file = str(other) if trusted == "another authority" else ""

    async with door().opened() as one:
        with pytest.raises(ConfigurationError, match="authority that this process does not trust") as refused:
            await ask(one, TEMPORAL_TLS_SERVER_CA_CERT_PATH=file, TEMPORAL_TLS="true", TEMPORAL_API_KEY=API_KEY)
    assert "TEMPORAL_TLS_SERVER_CA_CERT_PATH" in refused.value.message
    assert API_KEY not in refused.value.message
    assert one.seen == b""


@pytest.mark.parametrize(
    ("names", "how", "said"),
    [
        (("other.example",), {}, r"for another name\. Give .*TEMPORAL_TLS_SERVER_NAME"),
        ((), LONG_AGO, r"has expired\. Have it renewed"),
    ],
    ids=["of another name", "expired"],
)
async def test_a_certificate_that_does_not_hold_is_refused_with_what_to_do(door, ask, names, how, said):
    async with door(*names, **how).opened() as one:
        with pytest.raises(ConfigurationError, match=said):
            await ask(one)
    assert one.seen == b""


async def test_a_server_that_is_known_by_another_name_is_spoken_to_by_it(door, ask):
    async with door("temporal.example").opened() as one:
        assert await ask(one, TEMPORAL_TLS_SERVER_NAME="temporal.example")


async def test_in_clear_to_a_port_of_tls_is_told_as_such(door, ask):
    async with door().opened() as one:
        with pytest.raises(ConfigurationError, match=r"not answer in clear\. If it expects TLS, set TEMPORAL_TLS=true"):
            await ask(one, TEMPORAL_TLS="false")


async def test_tls_to_the_port_in_clear_is_told_as_such(server, door, ask):
    one = door()
    one.port = server.port
    with pytest.raises(
        ConfigurationError, match=r"does not speak TLS\. For a connection in clear set TEMPORAL_TLS=false"
    ):
        await ask(one)


async def test_a_server_that_asks_for_a_certificate_of_its_clients_is_told_as_such(door, ask, authority, tmp_path):
    async with door(clients=True).opened() as one:
        with pytest.raises(ConfigurationError, match=r"TEMPORAL_TLS_CLIENT_CERT_PATH"):
            await ask(one)
        mine = authority.issue_cert("me.example")
        files = {"CERT": tmp_path / "mine.pem", "KEY": tmp_path / "mine.key"}
        mine.cert_chain_pems[0].write_to_path(str(files["CERT"]))
        mine.private_key_pem.write_to_path(str(files["KEY"]))
        assert await ask(one, **{f"TEMPORAL_TLS_CLIENT_{name}_PATH": str(path) for name, path in files.items()})
