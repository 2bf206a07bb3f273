import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.client import ScheduleIntervalSpec, ScheduleSpec
from temporalio.testing import ActivityEnvironment

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules import Reconciler, ScheduleDefinition
from trenova_schedules.backfill import BACKFILL_MEMO, BackfillActivities, BackfillMark, Hole, preview_backfill
from trenova_schedules.backfill._call_contract import TicksCall
from trenova_schedules.backfill._run_requests import fairness_key
from trenova_schedules.backfill._ticks import TickSet

AUTUMN = {
    "start_at": datetime(2025, 10, 25, tzinfo=UTC),
    "end_at": datetime(2025, 10, 28, tzinfo=UTC),
    "older": "run",
}


def saying(mode: str) -> dict[str, str]:
    """Return the memo in which the reconciler keeps a definition's fields."""
    return {"trenova.applied": json.dumps({"v": 1, "fields": {"backfill": mode}})}


async def backfills(site, schedule) -> int:
    return (await site.client.count_workflows(f"WorkflowId STARTS_WITH 'backfill/{schedule.id}/'")).count


async def test_a_schedule_that_collapses_gets_one_run_for_the_whole_range(site):
    schedule = await site.make(action={"memo": saying("collapse")})
    async with site.worker():
        result = await site.backfilled(schedule)
        await site.runs_of(schedule)
        again = await site.backfilled(schedule)
        found = await site.runs_of(schedule)
    [(at, _)] = found
    run = await site.client.get_workflow_handle(f"{schedule.id}-{at:%Y-%m-%dT%H:%M:%SZ}").describe()

    assert found == site.each_minute(1, after=9)
    mark = (await run.memo())[BACKFILL_MEMO]
    assert (mark["startAt"], mark["endAt"], mark["ticks"]) == (
        site.hours_ago(2).isoformat().replace("+00:00", "Z"),
        (site.hours_ago(2) + timedelta(minutes=10)).isoformat().replace("+00:00", "Z"),
        10,
    )
    assert (result.mode, result.started.due, result.started.started, result.verified.collapsed) == (
        "collapse",
        10,
        1,
        9,
    )
    assert result.done
    assert (again.started.had_run, again.started.started, again.done) == (10, 0, True)


async def test_a_schedule_that_must_never_be_backfilled_is_refused(site):
    schedule = await site.make(action={"memo": saying("never")})

    with pytest.raises(ConflictError, match="says 'backfill: never'"):
        await site.start(schedule)
    assert await backfills(site, schedule) == 0
    assert not await site.runs_of(schedule)


@pytest.mark.parametrize("policy", ["each", "collapse"])
async def test_what_the_definition_says_reaches_the_backfill_by_the_reconcilers_record(site, policy):
    definition = ScheduleDefinition(
        id=f"defined-{site.queue}",
        workflow="NumberWorkflow",
        task_queue=site.queue,
        args=("done",),
        interval=timedelta(minutes=1),
        catchup_window=timedelta(hours=1),
        backfill=policy,
        owner="tests",
        paused=True,
    )
    reconciler = Reconciler(site.client, [definition], owner=definition.owner, unserved=True)
    await reconciler.apply(await reconciler.plan(days=0))

    schedule = site.client.get_schedule_handle(definition.id)
    assert (await preview_backfill(site.client, site.ask(schedule))).mode == policy


@pytest.mark.parametrize(
    ("zone", "cron", "expected"),
    [
        # As measured: an hourly cron loses one of the two hours in Berlin, a daily one runs twice in New York.
        ("Europe/Berlin", "0 * * * *", 24 * 3 - 1),
        ("America/New_York", "30 1 * * *", 4),
    ],
)
async def test_the_hour_that_comes_twice_is_run_as_it_is_previewed(site, zone, cron, expected):
    schedule = await site.make(spec=ScheduleSpec(cron_expressions=[cron], time_zone_name=zone))
    over = (
        AUTUMN
        if zone == "Europe/Berlin"
        else {
            **AUTUMN,
            "start_at": datetime(2025, 11, 1, tzinfo=UTC),
            "end_at": datetime(2025, 11, 4, tzinfo=UTC),
        }
    )
    preview = await preview_backfill(site.client, site.ask(schedule, **over))
    async with site.worker():
        result = await site.backfilled(schedule, digest=preview.digest, **over)
        found = await site.runs_of(schedule)

    assert sorted(at for at, _ in found) == preview.times
    assert result.planned == preview.planned == len(preview.times) == expected


async def test_the_answer_does_not_depend_on_a_beginning_inside_the_fold(site):
    schedule = await site.make(spec=ScheduleSpec(cron_expressions=["30 2 * * *"], time_zone_name="Europe/Berlin"))
    inside = {**AUTUMN, "start_at": datetime(2025, 10, 26, 0, 45, tzinfo=UTC)}

    whole = await preview_backfill(site.client, site.ask(schedule, **AUTUMN))
    part = await preview_backfill(site.client, site.ask(schedule, **inside))

    assert part.times == [at for at in whole.times if at >= inside["start_at"]]
    assert part.times[0] == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


async def test_jitter_moves_no_nominal_time_and_leaves_no_schedule_behind(site):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))], jitter=timedelta(seconds=50))
    schedule = await site.make(spec=spec)
    preview = await preview_backfill(site.client, site.ask(schedule))

    assert preview.times == sorted(at for at, _ in site.each_minute(10))
    assert [one.id async for one in await site.client.list_schedules("ScheduleId STARTS_WITH 'trenova-preview-'")] == []


async def test_a_changed_schedule_is_not_backfilled_by_an_old_preview(site):
    schedule = await site.make()
    preview = await preview_backfill(site.client, site.ask(schedule))

    with pytest.raises(ConflictError, match="is not as it was previewed"):
        await site.start(schedule, minutes=11, digest=preview.digest)
    assert await backfills(site, schedule) == 0


async def test_what_cannot_be_backfilled_is_refused_and_nothing_is_started(site):
    schedule = await site.make()

    with pytest.raises(InvalidInputError, match="in the future"):
        await site.start(schedule, end_at=site.hours_ago(-24))
    with pytest.raises(InvalidInputError, match="has more than 9 ticks"):
        await site.start(schedule, max_ticks=9)
    with pytest.raises(InvalidInputError, match=r"10 of 10 ticks are older .* \(24 hours\), so nobody knows"):
        await site.start(schedule, start_at=site.hours_ago(40), end_at=site.hours_ago(40) + timedelta(minutes=10))
    with pytest.raises(ResourceNotFoundError, match="nowhere"):
        await preview_backfill(site.client, site.ask(schedule, schedule_id="nowhere"))
    with pytest.raises(ValidationError, match=r"ends .* before it begins"):
        site.ask(schedule, end_at=site.hours_ago(3))
    with pytest.raises(ValidationError, match="has 50 years, of 20 at most"):
        site.ask(schedule, start_at=site.hours_ago(50 * 365.25 * 24))
    assert await backfills(site, schedule) == 0
    assert not await site.runs_of(schedule)


async def test_ticks_that_nobody_knows_of_are_holes_if_left_alone_which_the_next_backfill_fills(site):
    schedule = await site.make()
    start = site.hours_ago(24) - timedelta(minutes=5)
    asked = {"start_at": start, "end_at": site.hours_ago(23)}
    async with site.worker():
        handle = await site.start(schedule, older="skip", **asked)
        result = await handle.result()
        filled = await site.backfilled(schedule, older="run", holes_of=handle.id, **asked)

    assert not result.done
    assert (result.started.unknown, result.verified.holes) == (len(result.holes), len(result.holes))
    assert len(result.holes) >= 5
    assert result.holes[0] == Hole(at=start, why="skipped")
    assert result.started.started == result.planned - len(result.holes)
    assert (filled.planned, filled.started.started, filled.done) == (len(result.holes), len(result.holes), True)


async def test_what_the_ledger_remembers_is_not_run_a_second_time(site):
    class Ledger:
        async def ran(self, schedule_id, start, end):
            first = datetime(2025, 10, 25, tzinfo=UTC)
            return {first + timedelta(minutes=minute): minute != 3 for minute in range(5)}

    schedule = await site.make()
    asked = {"start_at": AUTUMN["start_at"], "end_at": AUTUMN["start_at"] + timedelta(minutes=5)}
    async with site.worker(Ledger()):
        preview = await preview_backfill(site.client, site.ask(schedule, **asked), ledger=Ledger())
        rest = await preview_backfill(site.client, site.ask(schedule, **asked), ledger=Ledger(), skip=2, show=2)
        handle = await site.start(schedule, older="run", **asked)
        result = await handle.result()
        found = await site.runs_of(schedule)

    assert (preview.judged.due, preview.judged.had_run, preview.judged.unknown) == (1, 4, 0)
    assert preview.becomes == ["had_run", "had_run", "had_run", "due", "had_run"]
    assert (rest.times, rest.becomes, rest.judged) == (preview.times[2:4], ["had_run", "due"], preview.judged)
    assert [at for at, _ in found] == [AUTUMN["start_at"] + timedelta(minutes=3)]
    assert (result.started.had_run, result.verified.older, result.evidence) == (4, 4, "visibility and ledger")


async def test_what_the_server_refuses_is_said_and_no_further_tick_is_tried(site):
    action = NewWorkflowExecutionInfo(
        workflow_id="x" * 990, workflow_type=WorkflowType(name="NumberWorkflow"), task_queue=TaskQueue(name=site.queue)
    )
    call = TicksCall(
        schedule_id="refused",
        action=base64.b64encode(action.SerializeToString()).decode(),
        policy="missing",
        older="refuse",
        kept_seconds=86_400,
        mark=BackfillMark(backfill="backfill/refused/1", run_id="1"),
        times=[int((site.hours_ago(2) + timedelta(minutes=minute)).timestamp()) for minute in range(100)],
    )
    activities = BackfillActivities(site.client)

    did = await ActivityEnvironment().run(activities.start, call)
    found = await ActivityEnvironment().run(activities.verify, call)

    assert "exceeds maximum allowed length" in did.refused
    assert (did.started.processed, did.started.started) == (0, 0)
    assert (found.verified.holes, len(found.holes)) == (100, 100)


async def test_a_range_without_a_tick_is_done_at_once(site):
    schedule = await site.make()
    between = site.hours_ago(2) + timedelta(seconds=1)
    async with site.worker():
        result = await site.backfilled(schedule, start_at=between, end_at=between + timedelta(seconds=30))

    assert (result.planned, result.done, result.verified.holes) == (0, True, 0)


@pytest.mark.parametrize("schedule_id", ["nightly", "x" * 55, "x" * 56, "ä" * 40, "ä" * 400])
def test_a_fairness_key_is_one_that_the_server_takes_and_of_one_schedule_only(schedule_id):
    key = fairness_key(schedule_id)

    assert len(key.encode()) <= 64
    assert key.startswith("backfill/")
    assert key != fairness_key(f"{schedule_id}-")


@given(st.lists(st.integers(0, 2**33), unique=True).map(sorted))
def test_ticks_are_carried_as_they_are_and_known_by_their_digest(times):
    packed = TickSet.of(times)

    assert packed.times() == times
    assert packed.count == len(times)
    assert packed.digest == TickSet.of(list(times)).digest
    assert packed.digest != TickSet.of([*times, 2**33 + 1]).digest


async def test_an_action_that_is_too_large_to_be_carried_is_refused(site):
    schedule = await site.make("x" * (2**20 + 1))

    with pytest.raises(InvalidInputError, match=r"bytes, of 1,048,576 that can be carried"):
        await site.start(schedule)


def test_a_hundred_thousand_ticks_are_small_enough_to_be_carried():
    regular = TickSet.of(range(0, 60 * 100_000, 60))
    wild = [at * 61 + at * at * 7 % 59 for at in range(100_000)]

    assert regular.times()[-1] == 60 * 99_999
    assert len(regular.packed) < 2_000
    assert TickSet.of(wild).times() == wild
    assert len(TickSet.of(wild).packed) < 300_000
