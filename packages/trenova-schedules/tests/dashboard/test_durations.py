"""Run times and waits: what is measured, and what the page makes of it."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import plant, ticks

from trenova_schedules import ScheduleDefinition
from trenova_schedules.dashboard.schedule._chart import HIGH, chart_of
from trenova_schedules.dashboard.schedule._durations import durations_of

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)


def measured(states, *, limit=None, **more):
    return durations_of(ticks("s", states, **more), limit)


def test_run_time_and_lateness_are_two_numbers():
    found = measured(["on_time", "late", "on_time"], took=3 * MINUTE)
    assert found.took.longest == 3 * MINUTE
    assert found.waited.half == timedelta(seconds=1)
    assert found.waited.longest == 4 * MINUTE
    assert found.interval == timedelta(hours=1)


def test_a_run_that_goes_on_counts_with_what_it_took_so_far_and_not_among_those_that_ended():
    found = measured(["on_time", "on_time:RUNNING"], took=3 * MINUTE, limit=3 * MINUTE)
    assert [one.open for one in found.timed] == [False, True]
    assert found.over == 0
    assert found.took.longest == 3 * MINUTE


def test_skips_after_every_run_are_the_real_cadence():
    found = measured(["on_time", "skipped_overlap"] * 5, every=15 * MINUTE, took=20 * MINUTE)
    assert found.cadence.configured == 15 * MINUTE
    assert found.cadence.effective == 30 * MINUTE
    assert found.outlasts


@pytest.mark.parametrize(
    "states",
    [
        ["on_time"] * 10,
        ["on_time", "paused"] * 5,  # nobody expected runs
        ["on_time", "skipped_overlap"] * 4 + ["on_time", "on_time"],  # now and then is no cadence
        ["on_time", "real_miss", "on_time"],  # too few to tell
    ],
)
def test_a_pause_and_a_single_gap_are_no_cadence(states):
    assert measured(states).cadence is None


def test_a_run_of_a_backfill_tells_nothing_about_waiting():
    tick = ticks("s", ["on_time"])[0]
    filled = tick.model_copy(
        update={"state": "real_miss", "started_at": tick.at + timedelta(days=2), "closed_at": None}
    )
    assert durations_of([filled], None).waited is None


def test_the_limit_is_drawn_where_it_is_and_left_out_where_runs_would_be_flat():
    end = datetime.now(UTC)
    near = chart_of(measured(["on_time"] * 3, took=3 * MINUTE, limit=2 * MINUTE), end - timedelta(days=1), end)
    assert 0 < near.limit < HIGH
    assert {bar.tone for bar in near.bars} == {"over"}
    far = chart_of(measured(["on_time"] * 3, took=MINUTE, limit=timedelta(hours=5)), end - timedelta(days=1), end)
    assert far.limit is None
    assert max(bar.height for bar in far.bars) > HIGH / 2


def test_the_chart_begins_with_the_first_run_that_is_known():
    end = datetime.now(UTC)
    found = measured(["on_time"] * 3)
    chart = chart_of(found, end - timedelta(days=30), end)
    assert chart.start == found.timed[0].tick.at
    assert chart.bars[0].x == 0
    assert chart.bars[-1].x > 300
    assert chart_of(measured([]), end - timedelta(days=1), end) is None


def test_ten_thousand_runs_share_bars():
    end = datetime.now(UTC)
    states = ["on_time"] * 10_080
    chart = chart_of(measured(states, every=MINUTE, took=MINUTE / 2), end - timedelta(days=7), end)
    assert len(chart.bars) <= 150
    assert "runs, the longest took 30 s" in chart.bars[0].words


@pytest.fixture(scope="module")
def slow(site):
    """A schedule of every quarter of an hour whose runs take 20 minutes."""
    made = site.new(cron="*/15 * * * *", slo={"margin": "PT1M", "maxRunTime": "PT18M"})
    states = ["on_time", "skipped_overlap"] * 12 + ["late", "skipped_overlap", "on_time:FAILED", "skipped_overlap"]
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    plant(site, made["id"], [*states, "on_time:RUNNING"], every=15 * MINUTE, last=last, took=20 * MINUTE)
    return made["id"]


@pytest.mark.slow
def test_the_page_says_that_runs_come_less_often_than_the_schedule_says(site, page, slow, pictures):
    page.goto(f"{site.url}/schedules/{slow}")
    section = page.locator("section[aria-labelledby=durations-title]")
    section.get_by_text("every 30 min instead of every 15 min").wait_for()
    assert "14 runs took longer than 18 min" in section.inner_text()
    section.get_by_text("The 10 runs that took longest").click()
    assert section.get_by_role("region", name="Table of the longest runs").locator("tbody tr").count() == 10
    assert section.locator("rect.took.over").count() > 5
    pictured(page, pictures, "durations")


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_in_charts(browser, site, slow, theme):
    with opened(browser, theme=theme) as page:
        signed_in(page, site, f"/schedules/{slow}")
        page.get_by_text("instead of every 15 min").wait_for()
        page.get_by_text("It has not run yet").wait_for()
        assert violations(page) == []


def test_a_worker_that_is_not_there_is_told_apart_from_a_long_run(site, page):
    quick, alone = site.new()["id"], f"alone-{time.time_ns()}"
    definition = ScheduleDefinition(
        id=alone,
        workflow="Ship",
        task_queue="nobody-polls",
        cron="0 0 1 1 *",
        catchup_window=timedelta(hours=1),
        owner="tests",
    )
    # The API refuses a queue that nobody polls; a worker may still be gone later.
    site.do(lambda client: client.create_schedule(alone, definition.to_schedule(), memo=definition.memo))
    with site.call() as api:
        for one in (quick, alone):
            assert api.post(f"/schedules/{one}/trigger", json={"reason": "look"}).is_success
        deadline = time.monotonic() + 20
        while not all(api.get(f"/schedules/{one}").json()["recentRuns"] for one in (quick, alone)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    page.goto(f"{site.url}/schedules/{alone}")
    page.get_by_text("no worker for").wait_for()
    page.goto(f"{site.url}/schedules/{quick}")
    page.get_by_text("Measured from the last 1 run").wait_for()
    assert page.get_by_text("no worker for").count() == 0
