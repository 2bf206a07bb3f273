"""The row of ticks by keyboard and by mouse, and a range chosen on it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import EVERY_CLASS, plant

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def hourly(site):
    """A schedule with ticks of every class, the last of which runs."""
    schedule_id = site.new(cron="0 * * * *", timeZone="Europe/Berlin", paused=False)["id"]
    return schedule_id, plant(site, schedule_id, [*EVERY_CLASS, "on_time:RUNNING"])


def opened_at(site, page, schedule_id, query=""):
    page.goto(f"{site.url}/schedules/{schedule_id}{query}")
    page.locator("#backfill input[name=start]").wait_for()
    return page.locator(".strip a.mark:not(.ahead)")


def typed(at):
    """A time of the form, in the zone of the schedule, which is Berlin's."""
    return at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")


def test_arrow_keys_go_from_mark_to_mark_and_its_words_are_shown_in_both_zones(site, page, hourly):
    schedule_id, made = hourly
    marks = opened_at(site, page, schedule_id)
    assert page.locator('.strip a.mark[tabindex="0"]').count() == 1
    marks.last.focus()
    words = page.locator("#mark-words")
    assert "running" in words.inner_text()
    assert "in Europe/Berlin" in words.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "on time" in words.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "failed" in words.inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")  # nothing is before the first
    assert page.evaluate("document.activeElement.dataset.at") == made[0].at.isoformat().replace("+00:00", "Z")
    page.keyboard.press("Enter")
    page.wait_for_url("**#t*")
    assert page.locator(":target").locator("td").first.inner_text() == "on time"
    page.keyboard.press("End")


def test_now_stands_between_what_was_and_what_comes(site, page, hourly):
    opened_at(site, page, hourly[0])
    order = page.locator(".strip li:not(.day)").evaluate_all(
        "all => all.map(one => one.className || (one.firstElementChild.matches('.ahead') ? 'ahead' : 'past'))"
    )
    at = order.index("now")
    assert set(order[:at]) == {"past"}
    assert set(order[at + 1 :]) == {"ahead"}


@pytest.mark.parametrize("by", [pytest.param("mouse", marks=pytest.mark.slow), "keyboard"])
def test_two_marks_are_a_range_to_backfill(site, page, hourly, by, pictures):
    schedule_id, made = hourly
    marks = opened_at(site, page, schedule_id)
    button = page.get_by_role("button", name="Choose a range to backfill")
    if by == "mouse":
        button.click()
        marks.nth(6).click()
        pictured(page, pictures, "range")
        page.set_viewport_size({"width": 1440, "height": 900})
        marks.nth(3).click()
    else:
        button.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Home")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    field = page.locator("#backfill input[name=start]")
    page.wait_for_function(
        "value => document.querySelector('#backfill input[name=start]')?.value.startsWith(value)", arg=typed(made[3].at)
    )
    last = made[6].at + timedelta(seconds=1)
    assert page.locator("#backfill input[name=end]").input_value() == f"{typed(last)}:01"
    assert field.evaluate("one => one === document.activeElement")
    page.locator("#backfill-preview").get_by_text("4 ticks").wait_for()


def test_escape_gives_a_range_up_and_marks_open_again(site, page, hourly):
    marks = opened_at(site, page, hourly[0])
    before = page.locator("#backfill input[name=start]").input_value()
    page.get_by_role("button", name="Choose a range to backfill").click()
    marks.first.click()
    page.keyboard.press("Escape")
    assert page.get_by_text("No range was chosen.").is_visible()
    marks.first.click()
    page.wait_for_url("**#t*")
    assert page.locator("#backfill input[name=start]").input_value() == before


def test_a_choice_outlasts_a_refresh(site, page, hourly):
    marks = opened_at(site, page, hourly[0])
    page.get_by_role("button", name="Choose a range to backfill").click()
    marks.nth(2).click()
    with page.expect_response(lambda one: one.url.endswith(f"/schedules/{hourly[0]}")):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('schedules:changed'))")
    page.locator(".strip a.mark[data-chosen]").wait_for()
    assert page.get_by_role("button", name="Choose a range to backfill").get_attribute("aria-pressed") == "true"


def test_all_of_the_time_that_is_shown_can_be_backfilled(site, page, hourly):
    schedule_id, made = hourly
    start, end = made[2].at, made[5].at
    query = f"?start={start:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
    opened_at(site, page, schedule_id, query)
    page.locator("#backfill input[name=start]").fill("2026-01-01T00:00")
    page.get_by_role("button", name="Backfill all of this time").click()
    page.wait_for_function(
        "value => document.querySelector('#backfill input[name=start]')?.value.startsWith(value)", arg=typed(start)
    )


def test_who_may_only_look_is_offered_no_backfill(site, hourly):
    with site.call("viewer-all") as api:
        looked = api.get(f"{site.url}/schedules/{hourly[0]}").text
    assert "choose-range" not in looked
    assert 'class="strip"' in looked


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_while_a_range_is_chosen(browser, site, hourly, theme):
    with opened(browser, theme=theme) as page:
        signed_in(page, site)
        marks = opened_at(site, page, hourly[0])
        page.get_by_role("button", name="Choose a range to backfill").click()
        marks.nth(2).click()
        assert violations(page) == []


def test_a_pause_says_since_when(site, page):
    schedule_id = site.new(cron="0 * * * *", paused=False)["id"]
    with site.call() as api:
        assert api.post(f"/schedules/{schedule_id}/pause", json={"reason": "The carrier is closed"}).is_success
    page.goto(f"{site.url}/schedules/{schedule_id}")
    notice = page.locator(".notice.calm").first
    assert "Paused since" in notice.inner_text()
    assert "by admin-all: The carrier is closed" in notice.inner_text()
    at = datetime.fromisoformat(notice.locator("time").get_attribute("datetime"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=2)
