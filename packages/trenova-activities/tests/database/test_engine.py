"""What the engine promises about how often it writes; the rest is that of trenova-store."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions, WriteRate
from trenova_errors import ThrottledError


def options(path: Path) -> DatabaseOptions:
    return DatabaseOptions(url=f"sqlite+aiosqlite:///{path}", lock_timeout_s=0.2)


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
