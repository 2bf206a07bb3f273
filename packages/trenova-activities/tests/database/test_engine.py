"""What the engine promises about SQLite's locks."""

import asyncio
import sqlite3
from pathlib import Path

from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions


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
