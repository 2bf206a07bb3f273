import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from temporalio.client import (
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleUpdate,
)
from temporalio.common import Priority, SearchAttributeKey

from trenova_schedules.backfill import BACKFILL_MEMO, preview_backfill, start_backfill

SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


async def runs_of(client, schedule_id) -> Counter:
    """Count the runs of a schedule by nominal time and status, when they have settled."""
    await asyncio.sleep(0.5)  # of visibility
    found = Counter()
    async for run in client.list_workflows(f"TemporalScheduledById = '{schedule_id}'"):
        found[run.typed_search_attributes.get(SCHEDULED_AT), run.status.name] += 1
    return found


def minutes(start, count, status="COMPLETED"):
    return Counter({(start + timedelta(minutes=minute), status): 1 for minute in range(count)})


async def backfilled(client, request, queue, **more):
    handle = await start_backfill(client, request, task_queue=queue, **more)
    async with asyncio.timeout(60):
        return await handle.result()


async def told(client, handle, how):
    """Change the argument of the runs from now on."""

    def change(found):
        action = found.description.schedule.action
        action.args = [how]
        return ScheduleUpdate(schedule=found.description.schedule)

    await handle.update(change)


async def test_a_paused_schedule_gets_a_run_for_each_tick_and_no_other(client, worker, make, ask, queue, hours_ago):
    schedule = await make()
    async with worker:
        result = await backfilled(client, ask(schedule.id), queue)
        await asyncio.sleep(1)
        found = await runs_of(client, schedule.id)

    assert found == minutes(hours_ago(2), 10)
    assert (result.planned, result.started.started, result.started.had_run) == (10, 10, 0)
    assert (result.done, result.verified.holes, result.holes) == (True, 0, [])
    assert result.evidence == "visibility"
    assert "by visibility, none is without a run" in result.result
    assert (await schedule.describe()).schedule.state.paused


async def test_the_preview_is_what_the_backfill_does(client, worker, make, ask, queue):
    schedule = await make()
    preview = await preview_backfill(client, ask(schedule.id))
    async with worker:
        result = await backfilled(client, ask(schedule.id, digest=preview.digest), queue)

    assert (preview.planned, preview.judged.due, preview.mode) == (10, 10, "each")
    assert result.digest == preview.digest
    assert [at.isoformat() for at in preview.times[:1]] == [ask(schedule.id).start_at.isoformat()]


async def test_missing_leaves_alone_what_has_any_run_and_fills_the_rest(client, worker, make, ask, queue, hours_ago):
    schedule = await make()
    half = hours_ago(2) + timedelta(minutes=5)
    async with worker:
        await told(client, schedule, "fail")
        await backfilled(client, ask(schedule.id, end_at=half), queue)
        await told(client, schedule, "done")
        await runs_of(client, schedule.id)
        result = await backfilled(client, ask(schedule.id), queue)
        found = await runs_of(client, schedule.id)

    assert found == minutes(hours_ago(2), 5, "FAILED") + minutes(half, 5)
    assert (result.started.started, result.started.had_run, result.verified.failed) == (5, 5, 5)
    assert result.done
    assert "5 have failed" in result.result


async def test_missing_and_failed_runs_what_failed_again_and_nothing_that_completed(
    client, worker, make, ask, queue, hours_ago
):
    schedule = await make()
    half = hours_ago(2) + timedelta(minutes=5)
    async with worker:
        await backfilled(client, ask(schedule.id, start_at=half), queue)
        await told(client, schedule, "fail")
        await backfilled(client, ask(schedule.id, end_at=half), queue)
        await told(client, schedule, "done")
        await runs_of(client, schedule.id)
        result = await backfilled(client, ask(schedule.id, policy="missing_and_failed"), queue)
        found = await runs_of(client, schedule.id)

    assert found == minutes(hours_ago(2), 10) + minutes(hours_ago(2), 5, "FAILED")
    assert (result.started.started, result.started.had_run, result.verified.failed) == (5, 5, 0)


async def test_all_runs_every_tick_once_more(client, worker, make, ask, queue, hours_ago):
    schedule = await make()
    async with worker:
        await backfilled(client, ask(schedule.id), queue)
        await runs_of(client, schedule.id)
        result = await backfilled(client, ask(schedule.id, policy="all"), queue)
        found = await runs_of(client, schedule.id)

    assert found == minutes(hours_ago(2), 10) + minutes(hours_ago(2), 10)
    assert result.started.started == 10


async def test_neighbouring_ranges_share_no_tick(client, worker, make, ask, queue, hours_ago):
    schedule = await make()
    half = hours_ago(2) + timedelta(minutes=5)
    async with worker:
        first = await backfilled(client, ask(schedule.id, end_at=half), queue)
        second = await backfilled(client, ask(schedule.id, start_at=half), queue)

    assert (first.started.started, second.started.started, second.started.had_run) == (5, 5, 0)


async def test_a_run_is_like_the_schedules_own_but_for_its_priority(client, worker, make, ask, queue, hours_ago):
    schedule = await make(
        action={
            "memo": {"asked": {"by": "the schedule"}},
            "static_summary": "Purge",
            "priority": Priority(priority_key=1),
        }
    )
    async with worker:
        await schedule.trigger()
        await backfilled(client, ask(schedule.id), queue)
        await asyncio.sleep(0.5)
    own = await client.get_workflow_handle(
        (await schedule.describe()).info.recent_actions[0].action.workflow_id
    ).describe()
    run = await client.get_workflow_handle(f"{schedule.id}-{hours_ago(2):%Y-%m-%dT%H:%M:%SZ}").describe()

    memo = await run.memo()
    assert memo.pop(BACKFILL_MEMO)["backfill"].startswith(f"backfill/{schedule.id}/")
    assert memo == await own.memo()
    assert (await run.static_summary(), run.workflow_type, run.task_queue) == ("Purge", "NumberWorkflow", queue)
    keys = {pair.key.name for pair in run.typed_search_attributes}
    assert keys - {"BuildIds"} == {pair.key.name for pair in own.typed_search_attributes} - {"BuildIds"}
    priority = run.raw_description.workflow_execution_info.priority
    assert (priority.priority_key, priority.fairness_key) == (5, f"backfill/{schedule.id}")


async def test_a_tick_that_is_running_is_not_run_a_second_time(client, worker, make, ask, queue, hours_ago):
    schedule = await make(arg="3")
    async with worker:
        first = await backfilled(client, ask(schedule.id), queue)
        second = await backfilled(client, ask(schedule.id, policy="all"), queue)

    assert (first.started.started, first.verified.running) == (10, 10)
    assert (second.started.started, second.started.had_run) == (0, 10)


async def test_as_many_runs_are_open_at_once_as_may_be(client, worker, make, ask, queue, hours_ago):
    schedule = await make(arg="1", policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP))
    async with worker:
        await backfilled(client, ask(schedule.id, end_at=hours_ago(2) + timedelta(minutes=4)), queue)
        await asyncio.sleep(1.5)
    events = []
    async for run in client.list_workflows(f"TemporalScheduledById = '{schedule.id}'"):
        events += [(run.start_time, 1), (run.close_time or datetime.max.replace(tzinfo=UTC), -1)]
    depth = highest = 0
    for _, step in sorted(events):
        depth += step
        highest = max(highest, depth)

    assert len(events) == 8
    assert highest == 1


async def test_the_rate_is_kept_over_the_whole_backfill(client, worker, make, ask, queue):
    schedule = await make()
    async with worker:
        await backfilled(client, ask(schedule.id, rate_per_second=4.0), queue)
        await asyncio.sleep(0.5)
    began = sorted([run.start_time async for run in client.list_workflows(f"TemporalScheduledById = '{schedule.id}'")])

    gaps = [later - earlier for earlier, later in zip(began, began[1:], strict=False)]
    assert 9 * 0.25 * 0.95 <= (began[-1] - began[0]).total_seconds() <= 5
    assert min(gaps) >= timedelta(seconds=0.15)


async def test_one_key_makes_one_backfill(client, worker, make, ask, queue):
    schedule = await make()
    async with worker:
        first = await start_backfill(client, ask(schedule.id), key="once", task_queue=queue)
        await first.result()
        again = await start_backfill(client, ask(schedule.id, by="bob"), key="once", task_queue=queue)
        await again.result()

    assert again.id == first.id == f"backfill/{schedule.id}/once"
    count = await client.count_workflows(f"WorkflowId = '{first.id}'")
    assert count.count == 1
