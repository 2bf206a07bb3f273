"""What to run, what that would do, how far it is: in the page of a schedule and in one of its own."""

from datetime import UTC, datetime, timedelta

import pytest
from browser import THEMES, opened, pictured, signed_in, violations
from seeded import keep, plant

from trenova_errors import InvalidInputError
from trenova_schedules.backfill import list_backfills
from trenova_schedules.dashboard._local_time import instant_of

HOUR = timedelta(hours=1)


def hours(begin, end):
    """A window of so many hours ago, on the hour, as it stands in an address."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return "&".join(
        f"{name}={(now - back * HOUR).isoformat().replace('+00:00', 'Z')}"
        for name, back in (("start", begin), ("end", end))
    )


async def backfills_of(client, schedule_id):
    return [one async for one in list_backfills(client, schedule_id=schedule_id)]


def test_the_one_missed_schedule_is_found_and_backfilled_in_five_interactions(site, page, pictures):
    for n in range(20):
        site.new(id=f"many-{n:02}", interval="PT1H", cron=None, paused=False)
    plant(site, "many-13", ["on_time", "real_miss", "real_miss"])
    site.wait_for("many-", 20)
    page.goto(f"{site.url}/")

    page.locator(".concerns").get_by_role("link", name="many-13").click()  # 1
    page.get_by_text("2 to run").wait_for()
    assert "2 ticks in this range" in page.locator("#backfill").inner_text()
    pictured(page, pictures, "backfill")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("Reason, for whoever looks at it later").fill("The server was down")  # 2
    page.get_by_role("button", name="Start 2 runs").click()  # 3

    page.get_by_text("Every tick is accounted for.").wait_for(timeout=40_000)
    assert "2 were started" in page.locator("#backfill").inner_text()
    pictured(page, pictures, "backfilled")
    entries = keep(site, site.store.audit.read()).entries
    assert next((one.action, one.reason, one.outcome) for one in entries if one.schedule_id == "many-13") == (
        "backfill.start",
        "The server was down",
        "done",
    )
    assert len(site.do(lambda client: backfills_of(client, "many-13"))) == 1


@pytest.fixture
def slow(site, page):
    """A backfill under way, one run a second, in its own page."""
    schedule_id = site.new(interval="PT1M", cron=None)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(3, 2)}")
    page.get_by_text("60 to run").wait_for()
    page.get_by_text("Limits").click()
    page.get_by_label("Starts per second").fill("1")
    page.get_by_label("Starts per second").blur()
    page.get_by_text("takes 60 seconds at least").wait_for()
    page.get_by_label("Reason, for whoever looks at it later").fill("Once more")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause the backfill").wait_for()
    return schedule_id


def test_it_is_paused_resumed_and_canceled_with_reasons(site, page, slow, pictures):
    page.get_by_role("button", name="Pause the backfill").click()
    page.locator("dialog[open] input[name=reason]").fill("They complain")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Resume the backfill").wait_for()
    page.locator("#backfill").get_by_text("paused", exact=False).first.wait_for()
    pictured(page, pictures, "backfill-paused")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Resume the backfill").click()
    page.get_by_role("button", name="Pause the backfill").wait_for()
    page.get_by_role("button", name="Cancel the backfill").click()
    page.locator("dialog[open] input[name=reason]").fill("Wrong range")
    page.locator("dialog[open]").get_by_role("button", name="Cancel the backfill").click()
    page.get_by_text("canceled", exact=True).first.wait_for(timeout=40_000)
    page.goto(f"{site.url}/schedules/{slow}/backfill")
    page.locator(".backfills").get_by_text("canceled").wait_for()


def test_a_reload_and_the_form_again_start_no_second_one(site, page, slow):
    page.reload()
    page.get_by_role("button", name="Pause the backfill").wait_for()
    assert len(site.do(lambda client: backfills_of(client, slow))) == 1
    page.get_by_role("button", name="Cancel the backfill").click()
    page.locator("dialog[open] input[name=reason]").fill("Enough")
    page.keyboard.press("Enter")
    page.get_by_text("canceled", exact=True).first.wait_for(timeout=40_000)


def test_a_range_that_does_not_hold_is_said_and_nothing_typed_is_lost(site, page):
    schedule_id = site.new(interval="PT1H", cron=None, timeZone="Europe/Berlin")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill")
    page.get_by_text("in this range").wait_for()
    page.get_by_label("From").fill("2026-11-20T10:00:00")
    page.get_by_label("Until").fill("2026-11-20T09:00:00")
    page.get_by_label("Until").blur()
    page.locator("#backfill-preview .notice.bad").get_by_text("exchange the two").wait_for()
    assert page.get_by_label("From").input_value() == "2026-11-20T10:00"
    page.get_by_label("From").fill("2026-03-29T02:30:00")
    page.get_by_label("From").blur()
    page.locator("#backfill-preview .notice.bad").get_by_text("put forward").wait_for()


def test_what_has_changed_since_it_was_shown_is_refused(site, page):
    schedule_id = site.new(interval="PT1H", cron=None)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(6, 1)}")
    page.get_by_text("5 to run").wait_for()
    page.get_by_label("Reason, for whoever looks at it later").fill("r")
    with site.call() as api:
        assert api.patch(f"/schedules/{schedule_id}", json={"interval": "PT30M"}, headers={"If-Match": "*"}).is_success
    page.get_by_role("button", name="Start 5 runs").click()
    page.locator(".notice.bad").wait_for()
    assert site.do(lambda client: backfills_of(client, schedule_id)) == []


@pytest.mark.parametrize("theme", THEMES)
def test_no_barrier_is_found(browser, site, theme):
    schedule_id = site.new(interval="PT1H", cron=None)["id"]
    with opened(browser, theme=theme) as page:
        signed_in(page, site, f"/schedules/{schedule_id}/backfill?{hours(6, 1)}")
        page.get_by_text("5 to run").wait_for()
        assert violations(page) == []


def test_who_may_only_look_may_preview_and_not_start(site):
    schedule_id = site.new(interval="PT1H", cron=None)["id"]
    with site.call("viewer-all") as api:
        form = api.get(f"{site.url}/schedules/{schedule_id}/backfill")
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        asked = {"start": (now - 3 * HOUR).isoformat(), "end": now.isoformat()}
        seen = api.post(f"{site.url}/schedules/{schedule_id}/backfill/preview", data=asked)
        told = asked | {"reason": "r", "key": "0" * 32, "digest": "x"}
        refused = api.post(f"{site.url}/schedules/{schedule_id}/backfill", data=told)
    assert (form.status_code, seen.status_code, refused.status_code) == (200, 200, 403)
    assert "needs the role operator" in seen.text


def test_times_are_read_in_the_schedules_zone_and_a_doubled_hour_is_whole():
    assert instant_of("2026-10-25T02:30", "Europe/Berlin", edge="start") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant_of("2026-10-25T02:30", "Europe/Berlin", edge="end") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    with pytest.raises(InvalidInputError, match="put forward"):
        instant_of("2026-03-29T02:30", "Europe/Berlin", edge="start")
    with pytest.raises(InvalidInputError, match="has no time"):
        instant_of("", "Europe/Berlin", edge="end")
