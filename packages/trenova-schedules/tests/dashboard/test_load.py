"""The load of the time ahead: counted from what the server says, by task queue, with a way to the schedules."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from browser import opened, pictured, signed_in, violations
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec, ScheduleState

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import find_schedules
from trenova_schedules.dashboard.overview._described import Descriptions
from trenova_schedules.dashboard.overview._expected import ExpectedFires
from trenova_schedules.dashboard.overview._load import OTHERS, load_of
from trenova_schedules.dashboard.overview._load_chart import HEIGHT, bars_of
from trenova_schedules.dashboard.overview._wanted import Span

pytestmark = pytest.mark.integration

QUEUES = ("orders", "billing", "rates", "telematics", "documents", "audit", "search")


@pytest.fixture(scope="module")
def loaded(site):
    """Seven hourly schedules on a queue each, three at midnight, one that is paused, one that may run twice."""

    async def seed(client):
        def new(name, cron, queue, **state):
            action = ScheduleActionStartWorkflow("Ship", id=name, task_queue=queue)
            spec = ScheduleSpec(cron_expressions=[cron])
            return client.create_schedule(name, Schedule(action=action, spec=spec, state=ScheduleState(**state)))

        for number, queue in enumerate(QUEUES):
            await new(f"hourly-{queue}", f"{5 * number} * * * *", queue)
        for number in range(3):
            await new(f"midnight-{number}", "0 0 * * *", "orders")
        await new("paused", "* * * * *", "orders", paused=True)
        await new("twice", "59 * * * *", "billing", limited_actions=True, remaining_actions=2)

    site.do(seed)
    site.wait_for("", len(QUEUES) + 5)
    return site


@pytest.fixture(scope="module")
def counted(loaded):
    """What is known of them, asked of the server as the page does."""

    async def ask(client):
        lines = await find_schedules(client, ScheduleFilter(), registry=None, live=True, at_once=4)
        known = await Descriptions(client).of(lines, within=20)
        expected = ExpectedFires(client)
        await expected.count(known.looks.values(), within=20)
        return list(known.looks.values()), expected

    return loaded.do(ask)


def test_each_fire_is_counted_once_on_its_queue(counted):
    looks, expected = counted
    now = datetime.now(UTC).replace(minute=59, second=30, microsecond=0) - timedelta(hours=1)
    load = load_of(looks, expected, Span.DAY, now, unknown=0)
    assert [slot.end - slot.start for slot in load.slots[:-1]] == [timedelta(hours=1)] * 24
    assert load.slots[-1].end == now + timedelta(days=1)
    # The first hour has passed but for half a minute; the one that may run twice has its two.
    assert load.slots[0].total == 0
    assert sum(slot.total for slot in load.slots) == load.total == 24 * 7 + 3 + 2
    assert load.queues["orders"] == 24 + 3
    assert load.queues["billing"] == 24 + 2
    assert list(load.queues)[-1] == OTHERS
    assert load.queues[OTHERS] == 2 * 24
    assert load.busiest.start.hour == 0
    assert load.crowded == load.busiest.start
    assert load.crowd == 4
    assert (load.paused, load.uncounted, load.dense) == (1, 0, [])
    assert bars_of(load)[load.slots.index(load.busiest)].pieces[-1].y == 0.0
    assert all(piece.y + piece.height <= HEIGHT + 0.5 for bar in bars_of(load) for piece in bar.pieces)


def test_a_week_has_slots_of_six_hours(counted):
    looks, expected = counted
    now = datetime.now(UTC)
    load = load_of(looks, expected, Span.WEEK, now, unknown=2)
    assert {slot.end - slot.start for slot in load.slots[:-1]} == {timedelta(hours=6)}
    assert load.slots[-1].end == now + timedelta(days=7)
    assert sum(slot.counts.get("orders", 0) for slot in load.slots) == load.queues["orders"]
    assert load.queues["orders"] == 7 * 24 + 7 * 3
    assert load.uncounted == 2


@pytest.mark.slow
def test_the_chart_says_in_words_what_it_shows_and_leads_to_the_schedules(loaded, page, pictures):
    page.goto(f"{loaded.url}/")
    page.locator("#load .legend").wait_for()
    said = page.locator("#load").inner_text()
    assert "of 11 schedules on more than 5 task queues" in said
    assert "Most at once: 4 schedules at" in said
    assert "(00:00 UTC)" in said
    assert "1 paused schedule left out" in said
    page.get_by_text("As a table").click()
    rows = page.locator("#load tbody tr")
    assert rows.count() == page.locator(".bars a").count() == 25
    numbers = [int(text) for text in page.locator("#load tbody td:nth-child(2)").all_inner_texts()]
    assert page.locator(".bars a").nth(5).get_attribute("aria-label").endswith(f" {numbers[5]} runs")
    page.get_by_text("As a table").click()
    pictured(page, pictures, "overview-load")
    page.set_viewport_size({"width": 1440, "height": 900})
    # In the first hour after midnight, the next one is the last.
    starts = page.locator("#load tbody time").evaluate_all("all => all.map((one) => one.dateTime)")
    midnight = max(number for number, start in enumerate(starts) if start.endswith("T00:00:00Z"))
    page.locator(".bars a").nth(midnight).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?fires_from=*fires_to=*")
    page.get_by_text("that fire from").wait_for()
    names = page.locator(".schedules tbody th").all_inner_texts()
    assert {"midnight-0", "midnight-1", "midnight-2", "hourly-orders"} <= set(names)
    assert "paused" not in names
    page.go_back()
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**/?span=week#load-title")
    page.get_by_text("in the next 7 days").wait_for()
    assert page.locator(".bars a").count() == 29


@pytest.mark.slow
def test_a_change_of_times_changes_the_load(loaded, page):
    page.goto(f"{loaded.url}/?span=week")
    page.locator("#load .legend").wait_for()
    page.locator("#live[data-state=live]").wait_for()
    before = page.locator("#load p strong").first.inner_text()
    with loaded.call() as api:
        etag = api.get("/schedules/midnight-2").headers["etag"]
        answer = api.patch("/schedules/midnight-2", json={"cron": "0 */2 * * *"}, headers={"If-Match": etag})
        assert answer.is_success, answer.text
    deadline = time.monotonic() + 20
    while page.locator("#load p strong").first.inner_text() == before:
        assert time.monotonic() < deadline, "the chart is as it was"
        page.wait_for_timeout(200)


def test_a_load_that_does_not_come_is_said(loaded, browser):
    with opened(browser, width="narrow") as page:
        page.route("**/overview/load*", lambda route: route.abort())
        signed_in(page, loaded)
        page.locator("#load").get_by_text("The server does not answer").wait_for()
        page.unroute("**/overview/load*")
        page.evaluate("document.body.dispatchEvent(new CustomEvent('schedules:changed'))")
        page.locator("#load .legend").wait_for()
        assert violations(page) == []
