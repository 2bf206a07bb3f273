"""The ledger of real schedules, while worker and server go away and come back."""

import asyncio
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from server_process import ServerProcess
from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_schedules.ledger import (
    HarvestPayload,
    HarvestResult,
    HarvestScheduleLedgerWorkflow,
    LedgerActivities,
    TickClass,
)
from trenova_schedules.ledger._visible_runs import visible_runs
from trenova_schedules.store import AuditEntry, ScheduleStore, StoreOptions, migrate

pytestmark = pytest.mark.integration

QUEUE = "ledger"
WITH_RUN = {TickClass.ON_TIME, TickClass.LATE, TickClass.DELAYED_OVERLAP}


@workflow.defn(name="Lasting")
class Lasting:
    @workflow.run
    async def run(self, seconds: int) -> None:
        if seconds:
            await workflow.sleep(seconds)


class Told:
    def __init__(self):
        self.alerts = []

    async def notify(self, alert):
        self.alerts.append(alert)


async def create(client, schedule_id, every, lasts, overlap, *, catchup=10):
    await client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow("Lasting", lasts, id=schedule_id, task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=every))]),
            policy=SchedulePolicy(overlap=overlap, catchup_window=timedelta(seconds=catchup)),
        ),
    )


def every(seconds):
    def change(given: ScheduleUpdateInput) -> ScheduleUpdate:
        given.description.schedule.spec = ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=timedelta(seconds=seconds))]
        )
        return ScheduleUpdate(schedule=given.description.schedule)

    return change


class World:
    def __init__(self, server, store):
        self.server, self.store, self.told = server, store, Told()
        self.client: Client | None = None

    def worker(self):
        ledger = LedgerActivities(self.store, notifier=self.told)
        return Worker(
            self.client,
            task_queue=QUEUE,
            workflows=[Lasting, HarvestScheduleLedgerWorkflow],
            activities=ledger.all,
            workflow_runner=UnsandboxedWorkflowRunner(),
            graceful_shutdown_timeout=timedelta(seconds=1),
        )

    async def harvest(self) -> HarvestResult:
        return await self.client.execute_workflow(
            HarvestScheduleLedgerWorkflow.run,
            HarvestPayload(page_size=2, pages_per_run=2),
            id=f"harvest-{uuid.uuid4().hex}",
            task_queue=QUEUE,
        )


def paused(*, before, after):
    """What the management service keeps in the audit trail when somebody pauses or resumes."""
    documents = {"before": {"paused": before}, "after": {"paused": after}}
    return AuditEntry(actor="ann", action="pause" if after else "resume", schedule_id="paused", **documents)


async def scenario(world, second):
    """Run every kind of schedule through a worker that is away, a server that is killed, a pause and an edit."""
    begin = datetime.now(UTC)
    world.client = await world.server.start()
    policies = ScheduleOverlapPolicy
    await create(world.client, "brisk", 1, 0, policies.ALLOW_ALL)
    await create(world.client, "crowded", 2, 3, policies.SKIP)
    await create(world.client, "edited", 2, 0, policies.SKIP)
    await create(world.client, "patient", 3, 4, policies.BUFFER_ONE)
    await create(world.client, "paused", 1, 0, policies.ALLOW_ALL)
    async with world.worker():
        await asyncio.sleep(8 * second)
        await world.harvest()
        await world.client.get_schedule_handle("paused").pause()
        await world.store.audit.record(paused(before=False, after=True))
        await asyncio.sleep(5 * second)
        await world.harvest()
        await world.client.get_schedule_handle("edited").update(every(5))
    await asyncio.sleep(5 * second)  # nobody works
    async with world.worker():
        await world.client.get_schedule_handle("paused").unpause()
        await world.store.audit.record(paused(before=True, after=False))
        await asyncio.sleep(5 * second)
        await world.harvest()
        world.server.kill()
        await asyncio.sleep(15 * second)
        world.client = await world.server.start()
    async with world.worker():
        await asyncio.sleep(max(20, 12 * second))  # so that nothing of the outage may still begin
        result = await world.harvest()
    return begin, result


async def judge(world, begin, result, *, unknown):
    assert (result.schedules, result.failed) == (5, 0)
    report, said = {}, {}
    for schedule_id in ("brisk", "crowded", "edited", "patient", "paused"):
        ticks = await world.store.ticks.read(schedule_id, begin, datetime.now(UTC))
        counts = report[schedule_id] = Counter(tick.state for tick in ticks)
        look = (await world.store.versions.observations(schedule_id, datetime.now(UTC)))[-1]
        nominal = {run.nominal for run in await visible_runs(world.client, schedule_id, begin)}
        with_run = {int(tick.at.timestamp()) for tick in ticks if tick.state in WITH_RUN}
        odd = [tick for tick in ticks if tick.state in {TickClass.REAL_MISS, TickClass.INCONCLUSIVE}]
        said[schedule_id] = (dict(counts), look, odd)
        # The run of a tick that was pending at the harvest may be visible by now.
        pending = {int(tick.at.timestamp()) for tick in ticks if tick.state is TickClass.PENDING}
        assert with_run <= nominal
        assert {at for at in nominal if at < result_time(ticks)} <= with_run | pending
        assert counts[TickClass.REAL_MISS] == 0, said
        assert counts[TickClass.INCONCLUSIVE] <= unknown, said
        explained = counts[TickClass.MISSED_CATCHUP] + counts[TickClass.SKIPPED_OVERLAP]
        counted = look["missed_catchup"] + look["skipped_overlap"]  # and perhaps the tick of the look's own second
        assert abs(explained - counted) <= 1 + counts[TickClass.INCONCLUSIVE] + counts[TickClass.PENDING], said
    assert report["brisk"][TickClass.MISSED_CATCHUP] >= 3, said
    assert report["crowded"][TickClass.SKIPPED_OVERLAP] >= 3
    assert report["patient"][TickClass.DELAYED_OVERLAP] >= 2
    assert report["paused"][TickClass.PAUSED] >= 3
    assert report["paused"][TickClass.INCONCLUSIVE] <= 4, said  # the seconds of the changes
    assert {tick.at.second % 5 for tick in await world.store.ticks.read("edited", *last(begin))} == {0}
    keys = [alert.key for alert in world.told.alerts]
    assert len(keys) == len(set(keys))
    assert any(key.startswith("brisk/failure/") for key in keys)


def result_time(ticks):
    return max(int(tick.at.timestamp()) for tick in ticks if tick.state is not TickClass.PENDING)


def last(begin):
    now = datetime.now(UTC)
    return now - timedelta(seconds=6), now


@pytest.fixture
async def world(tmp_path):
    server = ServerProcess(tmp_path)
    async with ScheduleStore.open(StoreOptions(url=f"sqlite:///{tmp_path}/store.db")) as store:
        await migrate(store)
        yield World(server, store)
    server.kill()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_minute_with_worker_and_server_away_is_accounted_for_tick_by_tick(world):
    begin, result = await scenario(world, 1)
    await judge(world, begin, result, unknown=8)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_ten_minutes_with_worker_and_server_away_are_accounted_for_tick_by_tick(world):
    begin, result = await scenario(world, 11)
    await judge(world, begin, result, unknown=8)
