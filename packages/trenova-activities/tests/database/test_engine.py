"""What the engine promises about SQLite's locks, and about how often it writes."""

import asyncio
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions, WriteRate
from trenova_errors import ThrottledError


def options(path: Path) -> DatabaseOptions:
    return DatabaseOptions(url=f"sqlite+aiosqlite:///{path}", lock_timeout_s=0.2)


async def test_a_reader_of_a_file_in_the_old_mode_does_not_wait_for_the_new_one(tmp_path):
    path = tmp_path / "tms.db"
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("CREATE TABLE loads (id INTEGER)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM loads").fetchall()  # its shared lock forbids any change of the journal mode
        async with Database.open(options(path)) as database, database.read() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM loads"))).scalar_one() == 0
            mode = await connection.execute(text("PRAGMA journal_mode"))
            assert mode.scalar_one() == "delete"
    finally:
        other.close()
    async with Database.open(options(path)) as database, database.read() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"


async def test_a_writer_canceled_anywhere_in_its_transaction_leaves_no_lock_behind(tmp_path):
    async with Database.open(options(tmp_path / "tms.db")) as database:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE loads (id INTEGER)"))

        async def write(begun: asyncio.Event) -> None:
            async with database.write() as connection:
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
            async with database.write() as connection:
                await connection.execute(text("UPDATE loads SET id = 2"))


async def test_writers_beyond_the_rate_wait_for_their_turn_or_are_told_to_come_again(tmp_path):
    rate = WriteRate(transactions=2, per_s=3600, wait_s=0.05)
    given = options(tmp_path / "tms.db").model_copy(update={"writes": rate})
    async with Database.open(given) as database:
        for _ in range(2):
            async with database.write() as connection:
                await connection.execute(text("CREATE TABLE IF NOT EXISTS loads (id INTEGER)"))
        with pytest.raises(ThrottledError, match="gets 2 write transactions in 3600 s from this worker") as throttled:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO loads VALUES (1)"))
        assert throttled.value.next_retry_delay == timedelta(hours=1)

        async with database.write(paced=True) as connection:
            await connection.execute(text("INSERT INTO loads VALUES (2)"))
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT id FROM loads"))).scalars().all() == [2]


async def test_a_writer_gets_its_turn_when_the_period_allows_it(tmp_path):
    rate = WriteRate(transactions=1, per_s=0.2, wait_s=30)
    async with Database.open(options(tmp_path / "tms.db").model_copy(update={"writes": rate})) as database:
        began = time.monotonic()
        for _ in range(4):
            async with database.write() as connection:
                await connection.execute(text("SELECT 1"))
        assert time.monotonic() - began >= 0.5
