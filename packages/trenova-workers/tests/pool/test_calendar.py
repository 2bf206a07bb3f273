"""What schedules will bring, as a real server tells it."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from pool_site import eventually_awaited, until
from sample_worker._jobs import Sample, nap
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.worker import Worker

from trenova_errors import UnavailableError
from trenova_workers.pool import ScheduleCalendar

SOON = timedelta(seconds=120)


@pytest.fixture
def name():
    return f"billing-{uuid.uuid4().hex[:8]}"


def at(moment):
    """Once, at this second."""
    parts = {"second": moment.second, "minute": moment.minute, "hour": moment.hour}
    day = {"day_of_month": moment.day, "month": moment.month, "year": moment.year}
    told = {part: [ScheduleRange(value)] for part, value in {**parts, **day}.items()}
    return ScheduleSpec(calendars=[ScheduleCalendarSpec(**told)])


async def schedule(client, name, queue, moment, *, paused=False):
    action = ScheduleActionStartWorkflow(
        Sample.run, args=["sample.nap", 0.0], id=f"{name}/run", task_queue=queue, static_summary="bills"
    )
    told = Schedule(action=action, spec=at(moment), state=ScheduleState(paused=paused))
    return await client.create_schedule(name, told)


def calendar(client, **queues):
    return ScheduleCalendar(client, {pool: [queue] for pool, queue in queues.items()}, ahead_s=120)


async def expected(told, pool, *, within=SOON):
    async def asked():
        now = datetime.now(UTC)
        try:
            return (await told.upcoming(pool, after=now, until=now + within),)
        except UnavailableError:  # the first answer of a busy server may take longer
            return None

    return (await eventually_awaited(asked))[0]


async def listed(client, *names):
    async def there():
        found = [one.id async for one in await client.list_schedules()]
        return set(names) <= set(found)

    await eventually_awaited(there)


async def test_a_fire_is_told_to_the_pool_of_its_queue_and_to_no_other(client, name):
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=60)
    await schedule(client, name, f"{name}-queue", moment)
    await schedule(client, f"{name}-paused", f"{name}-queue", moment, paused=True)
    await schedule(client, f"{name}-late", f"{name}-queue", moment + timedelta(hours=1))
    await listed(client, name, f"{name}-paused", f"{name}-late")
    told = calendar(client, bills=f"{name}-queue", other="nobody")

    (one,) = await expected(told, "bills")
    assert (one.at, one.tasks, one.name) == (moment, 1, name)
    assert await expected(told, "other") == []
    assert await expected(told, "unknown") == []
    assert await expected(told, "bills", within=timedelta(seconds=5)) == []
    await told.close()


async def test_a_fire_brings_as_many_tasks_as_the_last_runs_did(client, name):
    queue = f"{name}-queue"
    handle = await schedule(client, name, queue, datetime.now(UTC) + timedelta(seconds=90))
    async with Worker(client, task_queue=queue, workflows=[Sample], activities=[nap]):
        await handle.trigger()

        async def ran():
            done = (await handle.describe()).info.recent_actions
            if not done:
                return False
            run = client.get_workflow_handle(done[0].action.workflow_id)
            return (await run.describe()).status.name == "COMPLETED"

        await eventually_awaited(ran)

    async def learnt():
        told = calendar(client, bills=queue)
        found = await expected(told, "bills")
        await told.close()
        return found if found and found[0].tasks > 1 else None

    (one,) = await eventually_awaited(learnt)
    # A workflow task before the activity and one after it, and the activity: 11 events.
    assert one.tasks == pytest.approx(11 / 3)


async def test_what_was_listed_is_told_for_some_seconds_without_asking_again(client, name):
    told = calendar(client, bills=f"{name}-queue")
    assert await expected(told, "bills") == []
    await schedule(client, name, f"{name}-queue", datetime.now(UTC) + timedelta(seconds=60))
    await listed(client, name)
    assert await expected(told, "bills") == []
    told._read_at = float("-inf")  # as after a while
    assert [one.name for one in await expected(told, "bills")] == [name]


async def test_a_server_that_does_not_answer_is_not_waited_for(client, name, monkeypatch):
    monkeypatch.setattr("trenova_workers.pool._calendar._WAITS_S", 0.05)
    asked = asyncio.Event()

    async def never(*_):
        asked.set()
        await asyncio.sleep(60)
        yield

    monkeypatch.setattr("trenova_workers.pool._calendar.listed", never)
    told = calendar(client, bills=name)
    with pytest.raises(UnavailableError, match="has not listed its schedules"):
        await told.upcoming("bills", after=datetime.now(UTC), until=datetime.now(UTC) + SOON)
    assert asked.is_set()
    await told.close()


@pytest.mark.slow
@pytest.mark.integration
async def test_workers_are_there_before_a_schedule_fires_and_the_sentence_names_it(site, client, name):
    policy = {"poll_s": 5, "start_s": 10, "min_workers": 0, "wait_target_s": 30, "horizon_s": 60}
    async with site.managed(None, site.options(policy=policy)) as opened:
        await until(opened, lambda one: one.why.startswith("Stays at 0"))
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=45)
        await schedule(client, name, site.queue, moment)
        state = await until(opened, lambda one: one.counts["running"] == 1)
        assert state.desired == 1
        page = await opened.store.decisions.read("here", "sample", changes=True)
        (raised,) = [one for one in page.decisions if one.action == "up"]
        assert raised.at < moment
        assert raised.document["trigger"] == "calendar"
        assert raised.why == f"Up from 0 to 1: {name} at {moment:%H:%M:%S} brings about 1 tasks."
