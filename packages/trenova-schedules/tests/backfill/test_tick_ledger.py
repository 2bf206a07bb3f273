from datetime import UTC, datetime, timedelta

import pytest

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.backfill import TickLedgerRuns
from trenova_schedules.store import ScheduleStore, StoreOptions, migrate

START = datetime(2026, 1, 1, tzinfo=UTC)


def tick(minute: int, state: TickClass, *, started: bool, **more) -> Tick:
    at = START + timedelta(minutes=minute)
    began = at if started else None
    return Tick.model_validate(
        {"schedule_id": "s", "at": at, "class": state, "started_at": began, "observed_at": at, **more}
    )


@pytest.fixture
async def store(tmp_path):
    async with ScheduleStore.open(StoreOptions(url=f"sqlite+aiosqlite:///{tmp_path / 's.db'}")) as opened:
        await migrate(opened)
        yield opened


async def test_the_store_says_what_ran_what_did_not_and_keeps_silent_about_the_rest(store):
    nominal = START + timedelta(minutes=5)
    await store.ticks.upsert(
        [
            tick(0, TickClass.ON_TIME, started=True),
            tick(1, TickClass.REAL_MISS, started=False),
            tick(2, TickClass.PAUSED, started=False),
            tick(3, TickClass.PENDING, started=False),
            tick(4, TickClass.INCONCLUSIVE, started=False),
            tick(6, TickClass.LATE, started=True, nominal_at=nominal),
            tick(9, TickClass.ON_TIME, started=True),
        ]
    )

    ran = await TickLedgerRuns(store.ticks).ran("s", START, START + timedelta(minutes=9))

    assert ran == {
        START: True,
        START + timedelta(minutes=1): False,
        START + timedelta(minutes=2): False,
        nominal: True,
    }
