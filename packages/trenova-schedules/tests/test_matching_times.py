import asyncio
import sysconfig
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.api.schedule.v1 import ScheduleSpec as WireSpec
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.testing import WorkflowEnvironment

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules import OWNER_MEMO, ScheduleDefinition
from trenova_schedules._previewing import fire_diff, fires_of, matching_times, sweep
from trenova_schedules._previewing._unsaved import PREVIEW_OWNER, PREVIEW_PREFIX
from trenova_schedules._previewing._zones import clear_of_folds, offset_changes

pytestmark = pytest.mark.asyncio(loop_scope="module")

BERLIN_FOLD = datetime(2027, 10, 31, 1, tzinfo=UTC)  # 03:00 becomes 02:00


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client():
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


async def save(client: Client, schedule_id: str, spec: ScheduleSpec) -> str:
    action = ScheduleActionStartWorkflow("Nothing", id=schedule_id, task_queue="nobody")
    await client.create_schedule(schedule_id, Schedule(action=action, spec=spec))
    return schedule_id


def cron(text: str, zone: str = "UTC", **more: object) -> ScheduleSpec:
    return ScheduleSpec(cron_expressions=[text], time_zone_name=zone, **more)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


async def left_behind(client: Client, count: int) -> list[str]:
    """Return the ids once the list, which follows after a moment, has so many."""
    async with asyncio.timeout(20):
        while True:
            entries = await client.list_schedules(f'ScheduleId STARTS_WITH "{PREVIEW_PREFIX}"')
            if len(ids := [entry.id async for entry in entries]) == count:
                return ids
            await asyncio.sleep(0.05)


async def test_a_window_has_its_first_instant_and_not_its_last(client):
    hourly = await save(client, "ends", cron("0 * * * *"))

    times = await matching_times(client, hourly, utc(2027, 1, 1, 3), utc(2027, 1, 1, 6))

    assert times == [utc(2027, 1, 1, hour) for hour in (3, 4, 5)]


async def test_more_times_than_the_server_answers_at_once_are_all_listed(client):
    minutely = await save(client, "minutely", cron("* * * * *", "Europe/Berlin"))

    times = await matching_times(client, minutely, utc(2027, 5, 1), utc(2027, 5, 9))

    assert times == [utc(2027, 5, 1) + timedelta(minutes=minute) for minute in range(8 * 1440)]


async def test_a_window_that_begins_in_the_repeated_hour_still_has_the_run_after_it(client):
    daily = await save(client, "fold", cron("30 2 * * *", "Europe/Berlin"))

    times = await matching_times(client, daily, BERLIN_FOLD - timedelta(minutes=15), utc(2027, 11, 1))

    assert times == [utc(2027, 10, 31, 1, 30)]


@pytest.mark.parametrize("earlier", [900, 940, 970, 990, 1010])
async def test_a_page_that_ends_in_the_repeated_hour_is_continued_as_if_it_had_not_ended(client, earlier):
    spec = cron("* * * * *", "Europe/Berlin")
    start = BERLIN_FOLD - timedelta(minutes=earlier)

    cut = await fires_of(client, spec, start, BERLIN_FOLD + timedelta(hours=4))
    whole = await fires_of(client, spec, BERLIN_FOLD - timedelta(hours=3), BERLIN_FOLD + timedelta(hours=4))

    assert [at for at in cut if at >= whole[0]] == whole


SAVED: set[str] = set()
ZONES = ("Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")
CRONS = ("30 2 * * *", "0 * * * *", "*/30 1-3 * * *", "15 2 * * *", "*/7 * * * *", "0 0 * * *", "45 1 * * 0")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    zone=st.sampled_from(ZONES),
    text=st.sampled_from(CRONS),
    jitter=st.sampled_from([None, timedelta(minutes=20), timedelta(hours=3)]),
    pick=st.integers(0, 400),
    cuts=st.lists(st.integers(-300, 300), max_size=6),
)
async def test_windows_add_up_to_the_whole_wherever_they_are_cut(client, *, zone, text, jitter, pick, cuts):
    changes = list(offset_changes(ZoneInfo(zone), utc(2026, 1, 1), utc(2029, 1, 1)))
    around = changes[pick % len(changes)].at if changes else utc(2027, 10, 31, 1)
    bounds = sorted(
        [around - timedelta(minutes=2000), around + timedelta(minutes=2000)]
        + [around + timedelta(minutes=cut, seconds=cut % 3) for cut in cuts]
    )
    schedule_id = f"cut-{zone}-{text}-{jitter}"
    if schedule_id not in SAVED:
        await save(client, schedule_id, cron(text, zone, jitter=jitter))
        SAVED.add(schedule_id)

    whole = await matching_times(client, schedule_id, bounds[0], bounds[-1])
    parts = [at for left, right in pairwise(bounds) for at in await matching_times(client, schedule_id, left, right)]

    assert parts == whole


async def test_a_date_that_a_zone_left_out_does_not_hold_the_list_up(client):
    spec = cron("30 9 * * *", "Pacific/Apia")

    times = await fires_of(client, spec, utc(2011, 12, 28), utc(2012, 1, 2))

    # 30 December did not exist there; the 29th ends where the 31st begins.
    assert times == [utc(2011, 12, day, 19, 30) for day in (28, 29, 30, 31)] + [utc(2012, 1, 1, 19, 30)]


async def test_nothing_is_left_behind_and_nothing_can_fire(client):
    now = datetime.now(UTC)

    fires = await fires_of(client, cron("* * * * * * *"), now, now + timedelta(minutes=1))

    assert len(fires) >= 59
    await left_behind(client, 0)
    assert (await client.count_workflows('WorkflowType = "trenova-preview"')).count == 0


async def test_whoever_stops_asking_leaves_nothing_behind(client):
    every_second = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])
    asking = asyncio.create_task(fires_of(client, every_second, utc(2027, 1, 1), utc(2028, 1, 1), limit=1_000_000))
    await left_behind(client, 1)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    await left_behind(client, 0)


async def test_every_kind_of_specification_is_understood_and_jitter_is_left_out(client):
    wire = WireSpec(cron_string=["0 4 * * *"], timezone_name="Europe/Berlin")
    wire.jitter.seconds = 3000
    defined = ScheduleDefinition(
        id="a",
        workflow="W",
        task_queue="q",
        cron="0 4 * * *",
        time_zone="Europe/Berlin",
        jitter=timedelta(minutes=50),
        catchup_window=timedelta(hours=1),
        owner="me",
    )
    calendar = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(4)])], time_zone_name="Europe/Berlin")

    for spec in (wire, defined, cron("0 4 * * *", "Europe/Berlin"), calendar):
        assert await fires_of(client, spec, utc(2027, 1, 1), utc(2027, 1, 3)) == [
            utc(2027, 1, 1, 3),
            utc(2027, 1, 2, 3),
        ]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (cron("61 * * * *"), "Minute is not in range"),
        (cron("0 0 * * *", "Mars/Base"), "unknown time zone"),
        (ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(milliseconds=5))]), "interval is too small"),
        (WireSpec(cron_string=["nonsense"]), "CronString"),
    ],
)
async def test_what_the_server_refuses_is_said_in_its_words(client, spec, said):
    with pytest.raises(InvalidInputError, match=said):
        await fires_of(client, spec, utc(2027, 1, 1), utc(2027, 1, 3))


@pytest.mark.parametrize(
    ("start", "end", "limit", "said"),
    [
        (utc(2027, 1, 2), utc(2027, 1, 1), 10, "before it begins"),
        (utc(2027, 1, 2), utc(2087, 1, 1), 10, "longer than 50 years"),
        (utc(2027, 1, 2), utc(2028, 1, 1), 10_000_000, "from 1 to 1,000,000"),
        (datetime(2027, 1, 2), utc(2028, 1, 1), 10, "no time zone"),  # noqa: DTZ001 (what is refused)
        (utc(2027, 1, 2), utc(2028, 1, 1), 1_500, "more than 1,500 times"),
    ],
)
async def test_windows_out_of_all_measure_are_refused(client, start, end, limit, said):
    with pytest.raises(InvalidInputError, match=said):
        await fires_of(client, cron("* * * * *"), start, end, limit=limit)


async def test_a_schedule_that_is_not_there_is_named(client):
    with pytest.raises(ResourceNotFoundError, match="'nope'"):
        await matching_times(client, "nope", utc(2027, 1, 1), utc(2027, 1, 2))


async def test_what_a_killed_process_left_is_swept_and_what_is_young_or_foreign_stays(client):
    action = ScheduleActionStartWorkflow("Nothing", id="x", task_queue="nobody")
    old, young = f"{PREVIEW_PREFIX}1700000000-a", f"{PREVIEW_PREFIX}4000000000-b"
    foreign = f"{PREVIEW_PREFIX}1700000000-c"
    for schedule_id, owner in ((old, PREVIEW_OWNER), (young, PREVIEW_OWNER), (foreign, "somebody")):
        await client.create_schedule(
            schedule_id, Schedule(action=action, spec=cron("0 0 1 1 *")), memo={OWNER_MEMO: owner}
        )
    await left_behind(client, 3)

    assert await sweep(client) == 1
    listed = await left_behind(client, 2)

    assert sorted(listed) == sorted([young, foreign])
    for schedule_id in listed:
        await client.get_schedule_handle(schedule_id).delete()


async def test_a_difference_tells_moved_from_added_and_removed(client):
    saved = await save(client, "diff", cron("0 2 * * *", "Europe/Berlin", jitter=timedelta(minutes=5)))

    diff = await fire_diff(client, saved, cron("30 3 * * 1-5", "Europe/Berlin"), days=7, start=utc(2027, 6, 7))

    assert [(pair.before.hour, pair.after.hour, pair.after.minute) for pair in diff.moved] == [(0, 1, 30)] * 5
    assert diff.removed == (utc(2027, 6, 12), utc(2027, 6, 13))
    assert diff.added == ()
    assert (diff.unchanged, diff.truncated, diff.empty) == (0, False, False)
    assert (diff.runs_per_day_before, diff.runs_per_day_after) == (1.0, 5 / 7)


async def test_a_change_of_zone_moves_runs_and_the_same_again_changes_nothing(client):
    berlin, york = cron("0 0 * * *", "Europe/Berlin"), cron("0 0 * * *", "America/New_York")

    moved = await fire_diff(client, berlin, york, days=3, start=utc(2027, 6, 7, 12))
    same = await fire_diff(client, berlin, berlin, days=3, start=utc(2027, 6, 7, 12))

    assert [pair.after - pair.before for pair in moved.moved] == [timedelta(hours=6)] * 3
    assert same.empty
    assert same.unchanged == 3


async def test_a_difference_of_what_fires_every_second_ends_early_and_says_so(client):
    diff = await fire_diff(client, None, ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))]))

    assert diff.truncated
    assert diff.end - diff.start == timedelta(seconds=50_000)
    assert diff.runs_per_day_after == pytest.approx(86_400)


async def test_no_window_begins_in_a_fold():
    berlin = ZoneInfo("Europe/Berlin")

    assert clear_of_folds(berlin, BERLIN_FOLD) == utc(2027, 10, 30, 23, 59, 59)
    assert clear_of_folds(berlin, utc(2027, 10, 31, 2)) == utc(2027, 10, 31, 2)
    assert clear_of_folds(berlin, utc(2027, 10, 30, 23)) == utc(2027, 10, 30, 23)
