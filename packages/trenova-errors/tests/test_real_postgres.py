"""Failures of a real PostgreSQL, through psycopg, asyncpg and SQLAlchemy; needs the workspace, which has the server."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from trenova_errors import Classification, classify, sending

testing = pytest.importorskip("trenova_activities.testing", reason="the PostgreSQL server is trenova-activities'")
pytestmark = pytest.mark.integration

_SETTINGS = (
    "max_connections=12",
    "superuser_reserved_connections=0",
    "reserved_connections=0",
    "deadlock_timeout=50ms",
)
_ROWS = "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL); INSERT INTO t VALUES (1, 0), (2, 0)"


class Session(Protocol):
    """A connection whose first statement begins a transaction."""

    async def run(self, sql: str) -> Any: ...
    async def commit(self) -> None: ...
    async def close(self) -> None: ...


class Psycopg:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.run, self.commit, self.close = connection.execute, connection.commit, connection.close

    @classmethod
    async def open(cls, port: int, user: str = "postgres", password: str | None = None) -> Session:
        where = {"host": "127.0.0.1", "port": port, "dbname": "postgres", "connect_timeout": 10}
        return cls(await psycopg.AsyncConnection.connect(**where, user=user, password=password))


class Asyncpg:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self.run, self.close = connection.execute, connection.close
        self._transaction = connection.transaction()

    @classmethod
    async def open(cls, port: int, user: str = "postgres", password: str | None = None) -> Session:
        where = {"host": "127.0.0.1", "port": port, "database": "postgres", "timeout": 10}
        session = cls(await asyncpg.connect(**where, user=user, password=password))
        await session._transaction.start()
        return session

    async def commit(self) -> None:
        await self._transaction.commit()


class Alchemy:
    def __init__(self, connection: AsyncConnection) -> None:
        self.run, self.commit = connection.exec_driver_sql, connection.commit
        self._connection = connection

    @classmethod
    async def open(cls, port: int, user: str = "postgres", password: str | None = None) -> Session:
        login = user if password is None else f"{user}:{password}"
        engine = create_async_engine(f"postgresql+asyncpg://{login}@127.0.0.1:{port}/postgres", poolclass=NullPool)
        return cls(await engine.connect())

    async def close(self) -> None:
        await self._connection.close()


Open = Callable[..., Awaitable[Session]]
DRIVERS = (Psycopg.open, Asyncpg.open, Alchemy.open)
EVERY = pytest.mark.parametrize("connect", DRIVERS, ids=["psycopg", "asyncpg", "sqlalchemy"])


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with testing.PostgresServer(settings=_SETTINGS) as running:
        running.execute("CREATE ROLE poor LOGIN; CREATE ROLE locked LOGIN PASSWORD 'right'")
        hba = Path(running.execute("SHOW hba_file"))
        hba.write_text("host all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n")
        running.execute("SELECT pg_reload_conf()")
        yield running


@pytest.fixture
def postgres(server: Any) -> Any:
    server.execute(f"DROP TABLE IF EXISTS t; {_ROWS}")
    return server


@asynccontextmanager
async def opened(connect: Open, port: int, **login: str) -> AsyncIterator[Session]:
    session = await connect(port, **login)
    try:
        yield session
    finally:
        # Closing rolls back, and of what is broken off already there is nothing to roll back.
        with suppress(Exception):
            await asyncio.wait_for(session.close(), 5)


async def failing(work: Awaitable[Any]) -> Classification:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is the question
        await work
    return classify(caught.value)


async def on_server(server: Any, sql: str) -> str:
    return await asyncio.to_thread(server.execute, sql)


@EVERY
async def test_of_two_that_wait_for_each_other_one_may_try_again(postgres, connect: Open):
    async with opened(connect, postgres.port) as one, opened(connect, postgres.port) as other:
        await one.run("UPDATE t SET n = 1 WHERE id = 1")
        await other.run("UPDATE t SET n = 2 WHERE id = 2")
        ends = await asyncio.gather(
            one.run("UPDATE t SET n = 1 WHERE id = 2"),
            other.run("UPDATE t SET n = 2 WHERE id = 1"),
            return_exceptions=True,
        )

    (victim,) = [end for end in ends if isinstance(end, BaseException)]
    assert (classify(victim).kind, classify(victim).source) == ("retryable", "SQLSTATE 40P01")


@EVERY
async def test_a_serialization_failure_may_be_tried_again(postgres, connect: Open):
    async with opened(connect, postgres.port) as session:
        await session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await session.run("SELECT n FROM t")
        await on_server(postgres, "UPDATE t SET n = 9")
        found = await failing(session.run("UPDATE t SET n = 1"))

    assert (found.kind, found.source) == ("retryable", "SQLSTATE 40001")


@EVERY
@pytest.mark.parametrize(
    ("limit", "statement", "state"),
    [
        ("lock_timeout", "UPDATE t SET n = 1", "55P03"),
        ("statement_timeout", "UPDATE t SET n = 1", "57014"),
        ("statement_timeout", "SELECT pg_sleep(20)", "57014"),
    ],
)
async def test_a_limit_of_the_server_may_be_met_better_later(postgres, connect: Open, limit, statement, state):
    async with opened(connect, postgres.port) as holder, opened(connect, postgres.port) as session:
        await holder.run("UPDATE t SET n = 1")
        await session.run(f"SET {limit} = '100ms'")
        found = await failing(session.run(statement))

    assert (found.kind, found.source) == ("retryable", f"SQLSTATE {state}")


@EVERY
@pytest.mark.parametrize(
    ("statement", "kind", "state"),
    [
        ("INSERT INTO t VALUES (1, 0)", "data_integrity", "23505"),
        ("INSERT INTO t VALUES (3, NULL)", "data_integrity", "23502"),
        ("SELECT 'hunter2'::int", "invalid_input", "22P02"),
        ("SELECT 1 / (id - id) FROM t", "invalid_input", "22012"),
        ("INSERT INTO t VALUES (99999999999, 0)", "invalid_input", "22003"),
        ("SELECT * FROM nowhere", "configuration", "42P01"),
        ("SELECT nothing FROM t", "configuration", "42703"),
        ("SELEC 1", "configuration", "42601"),
        ("SELECT nothing()", "configuration", "42883"),
    ],
)
async def test_a_statement_that_cannot_work_is_not_tried_again(postgres, connect: Open, statement, kind, state):
    async with opened(connect, postgres.port) as session:
        found = await failing(session.run(statement))
        again = await failing(session.run("SELECT 1"))

    assert (found.kind, found.retryable, found.source) == (kind, False, f"SQLSTATE {state}")
    assert "hunter2" not in repr(found)
    assert again.source == "SQLSTATE 25P02"


@EVERY
async def test_a_missing_privilege_is_a_matter_of_configuration(postgres, connect: Open):
    async with opened(connect, postgres.port, user="poor") as session:
        found = await failing(session.run("UPDATE t SET n = 1"))

    assert (found.kind, found.source) == ("configuration", "SQLSTATE 42501")


@pytest.mark.parametrize("connect", DRIVERS[1:], ids=["asyncpg", "sqlalchemy"])
@pytest.mark.parametrize(("user", "password", "state"), [("locked", "wrong", "28P01"), ("nobody_here", None, "28000")])
async def test_a_refused_login_is_a_matter_of_configuration(postgres, connect: Open, user, password, state):
    found = await failing(connect(postgres.port, user=user, password=password))

    assert (found.kind, found.source) == ("configuration", f"SQLSTATE {state}")


async def test_of_a_failed_login_psycopg_is_told_no_code_but_that_a_password_is_missing(postgres, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    missing = await failing(Psycopg.open(postgres.port, user="locked"))
    wrong = await failing(Psycopg.open(postgres.port, user="locked", password="wrong"))

    assert (missing.kind, missing.source) == ("configuration", "SQLSTATE 28P01")
    assert (wrong.kind, wrong.retryable, wrong.source) == ("unavailable", True, "type psycopg.OperationalError")


@EVERY
async def test_too_many_connections_ask_for_fewer(postgres, connect: Open):
    asked = await asyncio.gather(*(connect(postgres.port) for _ in range(20)), return_exceptions=True)
    for session in asked:
        if not isinstance(session, BaseException):
            await session.close()

    expected = "unavailable" if connect is DRIVERS[0] else "throttle"  # libpq does not tell psycopg the SQLSTATE
    refused = [classify(one) for one in asked if isinstance(one, BaseException)]
    assert {(found.kind, found.retryable) for found in refused} == {(expected, True)}


@EVERY
async def test_a_terminated_session_is_unavailable(postgres, connect: Open):
    async with opened(connect, postgres.port) as session:
        running = asyncio.ensure_future(failing(session.run("SELECT pg_sleep(20)")))
        ended = "0"
        while "t" not in ended:
            ended = await on_server(
                postgres,
                "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE query = 'SELECT pg_sleep(20)' AND state = 'active'",
            )
        found = await running
        afterwards = await failing(session.run("SELECT 1"))

    assert (found.kind, found.retryable) == ("unavailable", True)
    # SQLAlchemy says no more where the connection is gone before the server's last words are read.
    assert found.source in {"SQLSTATE 57P01", "SQLSTATE 08003", "SQLAlchemy connection_invalidated"}
    assert (afterwards.retryable, afterwards.unclassified) == (True, False)


@EVERY
async def test_a_transaction_that_idled_too_long_is_tried_again(postgres, connect: Open):
    async with opened(connect, postgres.port) as session:
        await session.run("SET idle_in_transaction_session_timeout = '50ms'")
        await asyncio.sleep(0.5)
        found = await failing(session.run("SELECT 1"))

    # asyncpg has one error for a connection that is closed and for a misuse of one that is not; SQLAlchemy knows which.
    assert (found.kind, found.retryable) == ("retryable" if connect is DRIVERS[1] else "unavailable", True)


@EVERY
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_server_that_goes_away_and_one_that_is_not_there_yet_are_unavailable(postgres, connect: Open, how):
    async with opened(connect, postgres.port) as session:
        running = asyncio.ensure_future(failing(session.run("SELECT pg_sleep(20)")))
        try:
            seen = ""
            while "1" not in seen:
                seen = await on_server(
                    postgres, "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)' AND state = 'active'"
                )
            await asyncio.to_thread(lambda: postgres.halt(how=how))
            during = await running
            absent = await failing(connect(postgres.port))
        finally:
            await asyncio.to_thread(postgres.start)

    assert (during.kind, during.retryable) == ("unavailable", True)
    assert (absent.kind, absent.retryable) == ("unavailable", True)


class CuttingWire:
    """Passes bytes to a server until a COMMIT comes by, and then cuts both ways.

    Args:
        target: The server's port.
        after: Whether the server hears the COMMIT and answers, or not.
    """

    def __init__(self, target: int, *, after: bool) -> None:
        self._target = target
        self._after = after
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.ensure_future(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.ensure_future(self._back(behind, writer))
        try:
            await self._until_commit(reader, behind, ahead, back)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for way in (writer, ahead):
                way.transport.abort()
                with suppress(OSError):
                    await way.wait_closed()

    async def _until_commit(
        self,
        reader: asyncio.StreamReader,
        behind: asyncio.StreamReader,
        ahead: asyncio.StreamWriter,
        back: asyncio.Future[None],
    ) -> None:
        while data := await reader.read(65_536):
            if b"COMMIT" not in data:
                ahead.write(data)
                continue
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            if self._after:
                ahead.write(data)
                await behind.read(65_536)
            return

    async def _back(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await behind.read(65_536):
            writer.write(data)


@EVERY
@pytest.mark.parametrize("after", [False, True], ids=["before the server hears it", "before the answer arrives"])
async def test_a_commit_that_is_cut_off_leaves_its_outcome_unknown(postgres, connect: Open, after):
    async with CuttingWire(postgres.port, after=after).laid() as port, opened(connect, port) as session:
        await session.run("UPDATE t SET n = 7 WHERE id = 1")
        with pytest.raises(Exception) as caught, sending("COMMIT"):  # noqa: PT011 - what it is, is the question
            await session.commit()

    found = classify(caught.value)
    assert (found.kind, found.retryable) == ("ambiguous", False)
    assert "after COMMIT was sent" in found.reason
    assert classify(caught.value, idempotent=True).retryable
    assert await on_server(postgres, "SELECT n FROM t WHERE id = 1") == ("7" if after else "0")


@EVERY
async def test_a_statement_that_is_cut_off_before_the_commit_has_done_nothing(postgres, connect: Open):
    async with opened(connect, postgres.port) as session:
        running = asyncio.ensure_future(failing(session.run("UPDATE t SET n = 7 FROM (SELECT pg_sleep(20)) AS s")))
        ended = ""
        while "t" not in ended:
            ended = await on_server(
                postgres,
                "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE query LIKE 'UPDATE t SET n = 7%' AND state = 'active'",
            )
        found = await running

    assert found.kind == "unavailable"
    assert await on_server(postgres, "SELECT n FROM t WHERE id = 1") == "0"


@EVERY
async def test_a_constraint_that_is_looked_at_by_the_commit_decides_for_sure(postgres, connect: Open):
    columns = "id int PRIMARY KEY, n int UNIQUE DEFERRABLE INITIALLY DEFERRED"
    await on_server(postgres, f"DROP TABLE t; CREATE TABLE t ({columns})")
    async with opened(connect, postgres.port) as session:
        await session.run("INSERT INTO t VALUES (1, 1), (2, 1)")
        with pytest.raises(Exception) as caught, sending("COMMIT"):  # noqa: PT011 - what it is, is the question
            await session.commit()

    assert (classify(caught.value).kind, classify(caught.value).source) == ("data_integrity", "SQLSTATE 23505")
