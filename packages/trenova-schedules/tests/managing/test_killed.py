"""A process that is killed at any line of a change leaves a trace of it in the audit trail."""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleIntervalSpec, SchedulePolicy, ScheduleSpec

from trenova_schedules.store import ScheduleStore, StoreOptions, migrate

pytestmark = pytest.mark.integration

PROGRAM = """
import asyncio, os, signal, sys
from temporalio.client import Client
from trenova_schedules import Actor, ScheduleService
from trenova_schedules._managing import _changing
from trenova_schedules.store import AuditTrail, ScheduleStore, StoreOptions

address, url, at = sys.argv[1:]
write, record = _changing.write_schedule, AuditTrail.record

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def writes(*given, **more):
    if at == "before":
        die()
    after = await write(*given, **more)
    if at == "after":
        die()
    return after

async def records(self, *entries):
    await record(self, *entries)
    if at == "recorded":
        die()

_changing.write_schedule, AuditTrail.record = writes, records

async def main():
    client = await Client.connect(address)
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        service = ScheduleService(client=client, audit=store.audit, serves=False)
        await service.pause("s", reason="rain", actor=Actor(name="ann", verified=True))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("at", "paused", "outcome"), [("before", False, "unknown"), ("after", True, "unknown"), ("recorded", True, "done")]
)
async def test_what_a_killed_process_did_is_in_the_audit_trail(client, tmp_path, at, paused, outcome):
    await client.create_schedule(
        "s",
        Schedule(
            action=ScheduleActionStartWorkflow("W", id="s", task_queue="q"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
            policy=SchedulePolicy(catchup_window=timedelta(hours=1)),
        ),
    )
    url = f"sqlite:///{tmp_path}/store.db"
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        await migrate(store)
        address = client.service_client.config.target_host
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, address, url, at)
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL

        await store.audit.settle(before=datetime.now(UTC) + timedelta(minutes=1))

        (entry,) = (await store.audit.read()).entries
    assert (entry.action, entry.schedule_id, entry.actor, entry.reason) == ("pause", "s", "ann", "rain")
    assert entry.outcome == outcome
    assert (await client.get_schedule_handle("s").describe()).schedule.state.paused == paused
