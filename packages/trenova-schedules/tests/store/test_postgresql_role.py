"""The role of docs/tick-ledger.md, made by the document's own SQL, does the work of the store."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from trenova_errors import ConfigurationError
from trenova_schedules.store import (
    AlertState,
    AuditEntry,
    Observation,
    Receipt,
    RegisteredSchedule,
    ScheduleStore,
    StoreOptions,
    Tick,
    migrate,
)

DOCUMENT = Path(__file__).parents[4] / "docs" / "tick-ledger.md"
T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
TICK = {"schedule_id": "s", "at": T0, "class": "pending", "observed_at": T0}


async def test_the_role_of_the_documentation_may_do_what_the_ledger_needs_and_not_more(postgres_url):
    (grants,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    async with ScheduleStore.open(StoreOptions(url=postgres_url)) as owner:
        await migrate(owner)
        async with owner._engine.write() as connection:
            await connection.execute(text("CREATE ROLE trenova_system_worker LOGIN"))
            for statement in filter(str.strip, grants.split(";")):
                await connection.execute(text(statement))
    url = postgres_url.replace("postgres@", "trenova_system_worker@")
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        assert not (await migrate(store)).changed
        begun = AuditEntry(actor="a", action="b")
        await store.audit.begin(begun)
        await store.audit.record(begun)
        await store.audit.begin(AuditEntry(actor="a", action="c"))
        assert await store.audit.settle(before=datetime.now(UTC) + timedelta(minutes=1)) == 1
        for minute in range(2):
            at = T0 + timedelta(minutes=minute)
            look = Observation(schedule_id="s", at=at, specification={}, policy={}, created_at=T0, paused=minute == 1)
            await store.versions.observed(look)
        await store.versions.forget_observations("s", T0 + timedelta(hours=1))
        await store.registry.seen([RegisteredSchedule(schedule_id="s")])
        await store.ticks.upsert([Tick.model_validate(TICK)])
        await store.ticks.replace("s", T0, T0 + timedelta(hours=1), [])
        assert await store.ticks.read("s", T0, T0 + timedelta(hours=1)) == []
        await store.receipts.keep(Receipt(action="pause", actor="a"))
        assert len((await store.receipts.read()).receipts) == 1
        await store.idempotency.claim("a", "k", "d")
        await store.idempotency.release("a", "k")
        await store.alerts.keep(AlertState(schedule_id="s"))
        with pytest.raises(ConfigurationError):
            async with store._engine.write() as connection:
                await connection.execute(text("ALTER TABLE trenova_jobs.schedule_audit DISABLE TRIGGER ALL"))
