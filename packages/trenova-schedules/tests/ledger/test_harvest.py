"""One schedule at a time, on a real server."""

import asyncio
import sysconfig
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from server_process import ServerProcess
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from trenova_schedules.backfill import BACKFILL_MEMO
from trenova_schedules.ledger import (
    HarvestPageRequest,
    LedgerActivities,
    LedgerOptions,
    TickClass,
    harvest_schedule,
)
from trenova_schedules.ledger._visible_runs import quoted
from trenova_schedules.store import ScheduleStore, StoreOptions, Tick, migrate

pytestmark = pytest.mark.integration

RETENTION = timedelta(hours=24)
BY = SearchAttributeKey.for_keyword("TemporalScheduledById")
START = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[ScheduleStore]:
    async with ScheduleStore.open(StoreOptions(url=f"sqlite:///{tmp_path}/store.db")) as opened:
        await migrate(opened)
        yield opened


def spec(seconds, jitter=0):
    every = ScheduleIntervalSpec(every=timedelta(seconds=seconds))
    return ScheduleSpec(intervals=[every], jitter=timedelta(seconds=jitter) if jitter else None)


async def create(client, schedule_id, when, overlap=ScheduleOverlapPolicy.ALLOW_ALL):
    action = ScheduleActionStartWorkflow("Nobody", id=schedule_id, task_queue="nobody")
    policy = SchedulePolicy(overlap=overlap, catchup_window=timedelta(seconds=10))
    return await client.create_schedule(schedule_id, Schedule(action=action, spec=when, policy=policy))


def until(ticks, seconds=3):
    limit = datetime.now(UTC) - timedelta(seconds=seconds)
    return [tick for tick in ticks if tick.at < limit]


@pytest.mark.slow
async def test_with_jitter_every_run_belongs_to_its_tick(client, store):
    await create(client, "it's", spec(3, jitter=2))
    await asyncio.sleep(20)
    settled = datetime.now(UTC) - timedelta(seconds=6)  # later ones may wait for their run on a busy machine
    found = await harvest_schedule(client, store, "it's", retention=RETENTION)
    past = [tick for tick in found.ticks if tick.at < settled]
    assert len(past) >= 3
    assert {tick.state for tick in past} == {TickClass.ON_TIME}
    assert all(timedelta(0) <= tick.at - tick.nominal_at <= timedelta(seconds=3) for tick in past)
    assert await store.ticks.read("it's", past[0].at, past[-1].at + timedelta(seconds=1)) == past


@pytest.mark.slow
async def test_ticks_before_an_edit_keep_the_specification_then_in_force(client, store):
    handle = await create(client, "s", spec(2))
    await asyncio.sleep(5)
    await harvest_schedule(client, store, "s", retention=RETENTION)
    await asyncio.sleep(4)
    await handle.update(lambda given: _with(given, spec(3600)))
    await asyncio.sleep(4)
    found = await harvest_schedule(client, store, "s", retention=RETENTION)
    info = (await handle.describe()).info
    edited = info.last_updated_at
    before = [tick for tick in found.ticks if tick.at < edited - timedelta(seconds=1)]
    after = [tick for tick in found.ticks if edited < tick.at < datetime.now(UTC)]
    assert len(before) >= 3
    assert all(tick.at.second % 2 == 0 for tick in before)
    assert {tick.state for tick in before} == {TickClass.ON_TIME}
    assert all(tick.at.minute == tick.at.second == 0 for tick in after)
    stored = await store.ticks.read("s", edited + timedelta(seconds=1), edited + timedelta(minutes=50))
    assert all(tick.at.minute == tick.at.second == 0 for tick in stored), "what is no longer expected is removed"


def _with(given, when):
    given.description.schedule.spec = when
    return ScheduleUpdate(schedule=given.description.schedule)


@pytest.mark.slow
async def test_an_overlap_is_seen_while_the_run_in_the_way_is_still_open(client, store):
    await create(client, "s", spec(2), ScheduleOverlapPolicy.SKIP)
    await asyncio.sleep(9)
    found = await harvest_schedule(client, store, "s", retention=RETENTION)
    first, *others = until(found.ticks)
    assert first.state is TickClass.ON_TIME
    assert first.closed_at is None
    assert {tick.state for tick in others} == {TickClass.SKIPPED_OVERLAP}
    assert (await store.registry.find("s")).settled_to < first.at, "a run that is open may change its tick"


async def test_what_is_final_is_not_looked_at_again(client, store):
    await create(client, "s", spec(1))
    options = LedgerOptions(recheck=timedelta(seconds=2), longest=timedelta(seconds=5), ahead=timedelta(minutes=1))
    windows = []
    for _ in range(4):
        await asyncio.sleep(4)
        found = await harvest_schedule(client, store, "s", retention=RETENTION, options=options)
        windows.append((found.ticks[0].at, [tick.at for tick in found.settled]))
    begins = [begin for begin, _ in windows]
    assert begins == sorted(begins)
    assert begins[-1] > begins[0]
    settled = [at for _, ats in windows for at in ats]
    assert len(settled) == len(set(settled)), "no tick is counted twice"


async def test_a_deleted_schedule_is_gone_and_the_others_go_on(client, store):
    handle = await create(client, "a", spec(60))
    await create(client, "b", spec(60))
    ledger, environment = LedgerActivities(store, client=client), ActivityEnvironment()
    for _ in range(50):
        if await environment.run(ledger.register) == 2:
            break
        await asyncio.sleep(0.1)
    await handle.delete()
    page = await environment.run(ledger.harvest, HarvestPageRequest(limit=1))
    assert (page.done.gone, page.next_after) == (1, "a")
    page = await environment.run(ledger.harvest, HarvestPageRequest(after="a", limit=10))
    assert (page.done.schedules, page.done.failed, page.next_after) == (1, 0, None)
    assert (await store.registry.find("a")).gone_at is not None


async def test_a_tick_that_a_backfill_ran_keeps_its_class_and_has_its_run(client, store):
    handle = await create(client, "s", spec(1))
    await handle.pause()
    await asyncio.sleep(4)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    await client.start_workflow(
        "Nobody",
        id="s-backfilled",
        task_queue="nobody",
        memo={BACKFILL_MEMO: "b"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(BY, "s"), SearchAttributePair(START, at)]),
    )
    for _ in range(50):
        await harvest_schedule(client, store, "s", retention=RETENTION)
        (tick,) = await store.ticks.read("s", at, at + timedelta(seconds=1))
        if tick.started_at is not None:
            break
        await asyncio.sleep(0.2)
    assert tick.workflow_id == "s-backfilled"
    assert tick.state not in {TickClass.ON_TIME, TickClass.LATE}
    assert tick.reason.endswith("a backfill ran it")
    assert not tick.is_hole


async def test_a_tick_that_was_final_gets_the_run_of_a_later_backfill(client, store):
    await create(client, "s", spec(3600))
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    late, missed, other = (now - timedelta(hours=hours) for hours in (4, 5, 6))
    fields = {"schedule_id": "s", "observed_at": now - timedelta(hours=2)}
    await store.ticks.upsert(
        [
            Tick.model_validate({**fields, "at": missed, "class": "real_miss", "reason": "nobody knows why"}),
            Tick.model_validate({**fields, "at": other, "class": "real_miss"}),
            Tick.model_validate({**fields, "at": late, "class": "late", "started_at": late, "run_id": "own"}),
        ]
    )
    for at in (missed, late):
        await client.start_workflow(
            "Nobody",
            id=f"s-{at.isoformat()}",
            task_queue="nobody",
            memo={BACKFILL_MEMO: "b"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(BY, "s"), SearchAttributePair(START, at)]),
        )
    for _ in range(50):
        await harvest_schedule(client, store, "s", retention=RETENTION)
        found = await store.ticks.read("s", other, late + timedelta(seconds=1))
        if found[1].started_at is not None:
            break
        await asyncio.sleep(0.2)
    assert [(tick.state.value, tick.reason, tick.is_hole) for tick in found] == [
        ("real_miss", "", True),
        ("real_miss", "nobody knows why; a backfill ran it", False),
        ("late", "", False),
    ]
    assert found[2].run_id == "own"
    await harvest_schedule(client, store, "s", retention=RETENTION)
    again = await store.ticks.read("s", missed, missed + timedelta(seconds=1))
    assert again[0].reason == "nobody knows why; a backfill ran it"


async def test_old_idempotency_keys_are_forgotten_and_those_of_today_stay(client, store, monkeypatch):
    await store.idempotency.claim("ann", "k", "d")
    ledger, environment = LedgerActivities(store, client=client), ActivityEnvironment()
    await environment.run(ledger.register)
    assert not (await store.idempotency.claim("ann", "k", "d")).fresh
    monkeypatch.setattr("trenova_schedules.ledger._harvest_activities.KEYS_KEPT", timedelta(seconds=-5))
    await environment.run(ledger.register)
    assert (await store.idempotency.claim("ann", "k", "d")).fresh


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_ticks_that_a_dead_server_missed_are_not_called_skipped_for_what_was_skipped_before(store, tmp_path):
    server = ServerProcess(tmp_path)
    client = await server.start()
    try:
        for name in ("edited", "watched", "triggered"):
            await create(client, name, spec(1), ScheduleOverlapPolicy.SKIP)
        await asyncio.sleep(5)  # the first run goes on, so that ticks and triggers after it are skipped, and counted
        for name in ("edited", "triggered") * 30:
            await client.get_schedule_handle(name).trigger()
        for name in ("edited", "watched"):
            await client.get_schedule_handle(name).update(
                lambda given: _with(given, ScheduleSpec(cron_expressions=["* * * * * * *"]))
            )
        await asyncio.sleep(3)
        await harvest_schedule(client, store, "watched", retention=RETENTION)
        server.kill()
        began = datetime.now(UTC)
        await asyncio.sleep(30)
        ended = datetime.now(UTC)
        client = await server.start()
        await asyncio.sleep(4)
        states = {}
        for name in ("edited", "watched", "triggered"):
            found = await harvest_schedule(client, store, name, retention=RETENTION)
            away = [t for t in found.ticks if began + timedelta(seconds=2) < t.at < ended - timedelta(seconds=11)]
            assert len(away) >= 5
            states[name] = Counter(tick.state for tick in away)
        assert all(set(found) <= {TickClass.MISSED_CATCHUP, TickClass.INCONCLUSIVE} for found in states.values()), (
            states
        )
        assert all(states[name][TickClass.MISSED_CATCHUP] >= 3 for name in ("watched", "triggered")), states
    finally:
        server.kill()


def test_ids_are_quoted_for_queries():
    assert quoted("it's \\ here") == "'it\\'s \\\\ here'"
