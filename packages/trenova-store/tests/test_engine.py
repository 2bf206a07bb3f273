"""What the engine promises about locks, cancellation and connections that died."""

import asyncio
import os
import sqlite3
import stat
import threading
import time
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from trenova_errors import ConfigurationError
from trenova_store.testing import PostgresServer


@pytest.fixture
def sqlite(opened, tmp_path):
    @asynccontextmanager
    async def use():
        engine = opened(f"sqlite:///{tmp_path}/store.db", lock_timeout_s=0.2)
        try:
            yield engine
        finally:
            await engine.close()
            await threads_of_driver_ended()

    return use


async def threads_of_driver_ended():
    """Wait for the threads of connections that were given up, each of which has one more word for the loop."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


async def test_a_reader_of_a_file_in_the_old_mode_does_not_wait_for_the_new_one(sqlite, tmp_path):
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    try:
        other.execute("CREATE TABLE loads (id INTEGER)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM loads").fetchall()  # its shared lock forbids any change of the journal mode
        async with sqlite() as engine, engine.read() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM loads"))).scalar_one() == 0
            mode = await connection.execute(text("PRAGMA journal_mode"))
            assert mode.scalar_one() == "delete"
    finally:
        other.close()
    async with sqlite() as engine, engine.read() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"


@pytest.fixture
def everybody_may_read():
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_a_file_that_was_not_there_is_its_maker_s_alone_in_whatever_folder(sqlite, tmp_path, everybody_may_read):
    tmp_path.chmod(0o755)

    async with sqlite() as engine, engine.write() as connection:
        await connection.execute(text("CREATE TABLE loads (id INTEGER)"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}

    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_a_file_that_was_there_stays_whose_it_is(sqlite, tmp_path):
    (tmp_path / "store.db").touch(mode=0o640)
    (tmp_path / "store.db").chmod(0o640)

    async with sqlite() as engine, engine.write() as connection:
        await connection.execute(text("CREATE TABLE loads (id INTEGER)"))

    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o640


async def test_a_folder_that_cannot_be_written_is_said_by_sqlite(opened):
    engine = opened("sqlite:////proc/1/store.db")
    with pytest.raises(ConfigurationError, match="the file cannot be opened"):
        async with engine.read():
            pass
    await engine.close()
    await threads_of_driver_ended()


async def test_a_writer_canceled_anywhere_in_its_transaction_leaves_no_lock_behind(sqlite):
    async with sqlite() as engine:
        async with engine.write() as connection:
            await connection.execute(text("CREATE TABLE loads (id INTEGER)"))

        async def write(begun: asyncio.Event) -> None:
            async with engine.write() as connection:
                begun.set()
                for _ in range(20):
                    await connection.execute(text("INSERT INTO loads VALUES (1) RETURNING id"))

        for steps in range(60):
            begun = asyncio.Event()
            task = asyncio.create_task(write(begun))
            await begun.wait()
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with engine.write() as connection:
                await connection.execute(text("UPDATE loads SET id = 2"))


async def test_of_an_opener_that_is_canceled_no_open_connection_is_left(sqlite, monkeypatch):
    left = set()

    class Counted(sqlite3.Connection):
        def __init__(self, *arguments, **options):
            time.sleep(0.05)
            super().__init__(*arguments, **options)
            left.add(id(self))

        def close(self):
            left.discard(id(self))
            super().close()

    really = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *where, **options: really(*where, factory=Counted, **options))
    async with sqlite() as engine:
        opening = asyncio.ensure_future(engine.engine.connect().start())
        await asyncio.sleep(0.02)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    assert left == set()


async def test_writers_queue_instead_of_failing(engine):
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE counter AS SELECT 0 AS n"))

    async def add() -> None:
        async with engine.write() as connection:
            lock = "" if engine.options.is_sqlite else " FOR UPDATE"
            seen = (await connection.execute(text(f"SELECT n FROM counter{lock}"))).scalar_one()
            await connection.execute(text(f"UPDATE counter SET n = {seen + 1}"))

    await asyncio.gather(*(add() for _ in range(20)))
    async with engine.read() as connection:
        assert (await connection.execute(text("SELECT n FROM counter"))).scalar_one() == 20


async def test_what_a_reader_writes_is_rolled_back_and_so_is_what_an_exception_ends(engine):
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE loads (id INTEGER)"))
    async with engine.read() as connection:
        await connection.execute(text("INSERT INTO loads VALUES (1)"))
    with pytest.raises(LookupError):
        async with engine.write() as connection:
            await connection.execute(text("INSERT INTO loads VALUES (2)"))
            raise LookupError
    async with engine.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM loads"))).scalar_one() == 0


async def test_a_cancellation_during_the_commit_does_not_hide_what_was_done(engine):
    async with engine.write() as connection:
        await connection.execute(text("CREATE TABLE loads (id INTEGER)"))
    told = []

    async def write() -> None:
        async with engine.write() as connection:
            await connection.execute(text("INSERT INTO loads VALUES (1)"))
            asyncio.get_running_loop().call_soon(task.cancel)  # comes while the commit is under way
        told.append("committed")

    task = asyncio.create_task(write())
    await task
    assert told == ["committed"]
    async with engine.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM loads"))).scalar_one() == 1


async def test_postgresql_is_told_who_asks_and_how_long_to_wait(postgres_url, opened):
    engine = opened(postgres_url, lock_timeout_s=3, statement_timeout_s=7)
    async with engine.read() as connection:
        for name, value in (("application_name", "shelves"), ("lock_timeout", "3s"), ("statement_timeout", "7s")):
            assert (await connection.execute(text(f"SHOW {name}"))).scalar_one() == value
    await engine.close()


@pytest.mark.parametrize("idle_s", [0, 1.1])
async def test_a_connection_that_died_in_the_pool_is_replaced(idle_s, opened):
    with PostgresServer() as server:
        engine = opened(server.create_database())
        async with engine.read() as connection:
            mine = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            raw = (await connection.get_raw_connection()).driver_connection
        server.execute(f"SELECT pg_terminate_backend({mine})")
        for _ in range(3000):  # until the driver has seen it
            if raw is None or raw.is_closed():
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(idle_s)
        async with engine.read() as connection:
            assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() != mine
        await engine.close()


async def test_a_connection_in_use_a_moment_ago_is_not_pinged_and_an_idle_one_is(postgres_url, opened, monkeypatch):
    engine = opened(postgres_url)
    dialect = engine.engine.sync_engine.dialect
    pings: list[object] = []
    ping = dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda raw: pings.append(raw) or ping(raw))

    async def read() -> None:
        async with engine.read() as connection:
            await connection.execute(text("SELECT 1"))

    monkeypatch.setattr("trenova_store._ping.IDLE_S", 60)
    for _ in range(3):
        await read()
    assert pings == []
    monkeypatch.setattr("trenova_store._ping.IDLE_S", 0)
    await read()
    assert len(pings) == 1
    await engine.close()
