"""The table of what Server 1.32 does when clocks change: every zone of it, all changes of 2027."""

import sysconfig
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec
from temporalio.testing import WorkflowEnvironment

from trenova_schedules import ScheduleDefinition
from trenova_schedules._previewing import HazardKind, fires_of, fixed, lint, preview

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Wall clock minutes inside the gap and the fold of 2027, and whether a daily run in the fold comes once or twice.
ZONES = {
    "Europe/Berlin": ("30 2", "30 2", HazardKind.AUTUMN_ONCE),
    "Europe/London": ("30 1", "30 1", HazardKind.AUTUMN_ONCE),
    "Australia/Sydney": ("30 2", "30 2", HazardKind.AUTUMN_ONCE),
    "Asia/Jerusalem": ("30 2", "30 1", HazardKind.AUTUMN_ONCE),
    "Africa/Casablanca": ("30 2", "30 2", HazardKind.AUTUMN_ONCE),
    "America/New_York": ("30 2", "30 1", HazardKind.AUTUMN_DOUBLED),
    "America/Los_Angeles": ("30 2", "30 1", HazardKind.AUTUMN_DOUBLED),
    "America/Santiago": ("30 0", "30 23", HazardKind.AUTUMN_DOUBLED),
}
LOSES_AN_HOUR = [zone for zone, (_, _, fold) in ZONES.items() if fold is HazardKind.AUTUMN_ONCE]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client():
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def cron(text: str, zone: str) -> ScheduleSpec:
    return ScheduleSpec(cron_expressions=[text], time_zone_name=zone)


def define(**when: object) -> ScheduleDefinition:
    fields = {"id": "a", "workflow": "W", "task_queue": "q", "catchup_window": timedelta(hours=1), "owner": "me"}
    return ScheduleDefinition.model_validate({**fields, **when})


async def hazards_of(client: Client, spec: ScheduleSpec, start: datetime, end: datetime) -> Counter[HazardKind]:
    shown = await preview(client, spec, n=50_000, start=start, end=end)
    return Counter(one.kind for one in (*shown.hazards, *(each for fire in shown.fires for each in fire.hazards)))


async def in_2027(client: Client, text: str, zone: str) -> Counter[HazardKind]:
    return await hazards_of(client, cron(text, zone), utc(2027, 1, 1), utc(2028, 1, 1))


@pytest.mark.parametrize("zone", ZONES)
async def test_a_daily_run_in_the_hour_that_spring_leaves_out_is_lost(client, zone):
    assert (await in_2027(client, f"{ZONES[zone][0]} * * *", zone))[HazardKind.SPRING_LOST] == 1


@pytest.mark.parametrize("zone", ZONES)
async def test_a_daily_run_in_the_hour_that_autumn_repeats_comes_once_or_twice(client, zone):
    _, fold, kind = ZONES[zone]

    found = await in_2027(client, f"{fold} * * *", zone)

    assert {one: found[one] for one in found if one.startswith("autumn")} == {kind: 1}


@pytest.mark.parametrize("zone", LOSES_AN_HOUR)
async def test_the_one_run_of_a_repeated_hour_is_the_second(client, zone):
    shown = await preview(
        client, cron(f"{ZONES[zone][1]} * * *", zone), n=400, start=utc(2027, 1, 1), end=utc(2028, 1, 1)
    )

    (once,) = [one for fire in shown.fires for one in fire.hazards if one.kind is HazardKind.AUTUMN_ONCE]
    assert "one run, the second time" in once.message


@pytest.mark.parametrize("zone", ZONES)
async def test_an_hourly_run_is_lost_in_autumn_in_some_zones_and_never_in_spring(client, zone):
    expected = {HazardKind.AUTUMN_LOST: 1} if zone in LOSES_AN_HOUR else {}

    assert dict(await in_2027(client, "0 * * * *", zone)) == expected


async def test_the_table_for_people_is_what_was_measured():
    page = Path(__file__).parents[3] / "docs/schedules-and-daylight-saving.md"
    told = {
        HazardKind.AUTUMN_ONCE: ("one run, the second time", "one run missing"),
        HazardKind.AUTUMN_DOUBLED: ("two runs", "none missing"),
    }
    rows = [
        f"| {zone} | `{gap}`: no run | `{fold}`: {told[kind][0]} | {told[kind][1]} |"
        for zone, (gap, fold, kind) in ZONES.items()
    ]

    lines = page.read_text().splitlines()

    assert [line for line in lines if line.startswith("| ") and "/" in line.split("|")[1]] == rows


@pytest.mark.parametrize("zone", ZONES)
async def test_an_interval_knows_no_clocks(client, zone):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))], time_zone_name=zone)

    assert not await hazards_of(client, spec, utc(2027, 1, 1), utc(2028, 1, 1))
    assert len(await fires_of(client, spec, utc(2027, 1, 1), utc(2028, 1, 1))) == 365 * 24


@pytest.mark.parametrize(
    ("text", "zone", "kinds"),
    [
        ("0 1,2 * * *", "America/New_York", {HazardKind.SPRING_LOST: 1, HazardKind.AUTUMN_DOUBLED: 1}),
        ("0 0,1 * * *", "America/New_York", {HazardKind.AUTUMN_DOUBLED: 1}),
        ("0 1-3 * * *", "America/New_York", {HazardKind.AUTUMN_DOUBLED: 1}),
        ("0 0-2 * * *", "America/New_York", {HazardKind.SPRING_LOST: 1}),
        ("0 0-3 * * *", "America/New_York", {}),
        ("0 */2 * * *", "America/New_York", {HazardKind.SPRING_LOST: 1}),
    ],
)
async def test_only_runs_that_follow_each_other_through_the_change_are_meant_to_come_twice_or_not(
    client, text, zone, kinds
):
    assert dict(await in_2027(client, text, zone)) == kinds


async def test_half_hourly_runs_around_the_repeated_hour_lose_two_of_eight(client):
    spec = cron("*/30 1-3 * * *", "Europe/Berlin")

    shown = await preview(client, spec, n=100, start=utc(2026, 10, 24, 22), end=utc(2026, 10, 25, 22))

    assert len(shown.fires) == 6
    assert [one.at for one in shown.hazards] == [utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1)]
    assert {one.kind for one in shown.hazards} == {HazardKind.AUTUMN_LOST}


async def test_a_half_hour_of_daylight_saving_shifts_a_run(client):
    spec = cron("15 2 * * *", "Australia/Lord_Howe")

    shown = await preview(client, spec, start=utc(2026, 10, 3), n=2)

    (shifted,) = [fire for fire in shown.fires if fire.hazards]
    assert f"{shifted.local:%d %H:%M}" == "04 02:45"
    assert shifted.hazards[0].kind is HazardKind.SPRING_SHIFTED


async def test_a_date_that_a_zone_leaves_out_is_told(client):
    found = await hazards_of(client, cron("30 9 * * *", "Pacific/Apia"), utc(2011, 12, 28), utc(2012, 1, 3))

    assert found == {HazardKind.DATE_LINE: 1}


async def test_a_zone_that_changes_for_good_is_told(client):
    found = await hazards_of(client, cron("30 9 * * *", "Asia/Almaty"), utc(2024, 2, 28), utc(2024, 3, 4))

    assert found == {HazardKind.ZONE_CHANGE: 1}


@pytest.mark.parametrize(
    ("text", "kind", "better"),
    [
        ("0 9 29 2 *", HazardKind.LEAP_DAY, "0 9 28 2 *"),
        ("0 9 31 * *", HazardKind.SHORT_MONTH, "0 9 28 * *"),
        ("0 9 30 * *", HazardKind.SHORT_MONTH, "0 9 28 * *"),
        ("0 9 31 1 *", None, None),
    ],
)
async def test_days_that_do_not_come_every_time_are_told_with_a_day_that_does(client, text, kind, better):
    findings = await lint(client, [define(cron=text)], start=utc(2027, 1, 1))

    assert [(one.kind, one.fix.changes["cron"]) for one in findings] == ([(kind, better)] if kind else [])


async def test_a_day_of_month_with_a_day_of_week_is_told(client):
    friday_13 = ScheduleCalendarSpec(day_of_month=[ScheduleRange(13)], day_of_week=[ScheduleRange(5)])

    findings = await lint(client, [define(calendar=friday_13)], start=utc(2027, 1, 1))

    assert [one.kind for one in findings] == [HazardKind.DAY_AND_WEEKDAY]


async def test_what_never_fires_and_what_is_refused_are_errors(client):
    ended = define(id="b", cron="0 9 * * *", end_at=utc(2026, 1, 1))

    findings = await lint(client, [define(cron="0 0 31 2 *"), ended, define(id="c", cron="61 9 * * *")])

    assert [(one.schedule_id, one.kind) for one in findings if one.severity == "error"] == [
        ("a", HazardKind.NEVER),
        ("b", HazardKind.NEVER),
        ("c", HazardKind.REFUSED),
    ]


@pytest.mark.parametrize(
    ("text", "zone"),
    [(f"{minute} * * *", zone) for zone, (gap, fold, _) in ZONES.items() for minute in sorted({gap, fold})]
    + [("0 * * * *", zone) for zone in LOSES_AN_HOUR]
    + [("*/10 * * * *", "Europe/Berlin"), ("@daily", "Asia/Beirut"), ("15 2 * * *", "Australia/Lord_Howe")],
)
async def test_a_suggested_fix_that_a_program_can_apply_leaves_nothing_to_find(client, text, zone):
    definition = define(cron=text, time_zone=zone)
    findings = await lint(client, [definition], start=utc(2027, 1, 1))
    assert findings

    better = fixed(definition, findings[0].fix)

    assert better != definition
    assert await lint(client, [better], start=utc(2027, 1, 1)) == []


async def test_a_preview_shows_three_zones_and_whether_there_is_more(client):
    shown = await preview(
        client, cron("0 9 * * *", "Europe/Berlin"), n=2, start=utc(2027, 6, 1), viewer_zone="America/New_York"
    )

    fire = shown.fires[0]
    assert (fire.at.isoformat(), fire.local.isoformat(), fire.viewer.isoformat()) == (
        "2027-06-01T07:00:00+00:00",
        "2027-06-01T09:00:00+02:00",
        "2027-06-01T03:00:00-04:00",
    )
    assert (len(shown.fires), shown.more, shown.hazards) == (2, True, ())
