"""What to run, what that would do, how far it is: in the page of a schedule and in one of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import keep, plant
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from trenova_errors import InvalidInputError
from trenova_schedules.backfill import BackfillRequest, list_backfills, start_backfill
from trenova_schedules.dashboard._local_time import instant_of

pytestmark = pytest.mark.integration

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
    page.locator("dialog[open] input[name=reason]").fill("They are done")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause the backfill").wait_for()
    page.get_by_role("button", name="Change its limits").click()
    page.locator("dialog[open]").get_by_label("Starts per second").fill("2")
    page.locator("dialog[open] input[name=reason]").fill("Faster")
    pictured(page, pictures, "backfill-limits")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Enter")
    page.locator("#backfill").get_by_text("Limits: 2 starts per second").wait_for()
    page.get_by_role("button", name="Cancel the backfill").click()
    page.locator("dialog[open] input[name=reason]").fill("Wrong range")
    page.locator("dialog[open]").get_by_role("button", name="Cancel the backfill").click()
    page.get_by_text("canceled", exact=True).first.wait_for(timeout=40_000)
    page.goto(f"{site.url}/schedules/{slow}/backfill")
    page.locator(".backfills").get_by_text("canceled").wait_for()
    entries = [one for one in keep(site, site.store.audit.read()).entries if one.schedule_id == slow]
    assert [(one.action, one.reason) for one in entries if one.action.startswith("backfill.")] == [
        ("backfill.cancel", "Wrong range"),
        ("backfill.limits", "Faster"),
        ("backfill.resume", "They are done"),
        ("backfill.pause", "They complain"),
        ("backfill.start", "Once more"),
    ]


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_has_changed_since_it_was_shown_is_refused(site, page):
    schedule_id = site.new(interval="PT1H", cron=None)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(6, 1)}")
    page.get_by_text("5 to run").wait_for()
    page.get_by_label("Reason, for whoever looks at it later").fill("r")
    with site.call() as api:
        assert api.patch(f"/schedules/{schedule_id}", json={"interval": "PT30M"}, headers={"If-Match": "*"}).is_success
    page.get_by_role("button", name="Start 5 runs").click()
    page.locator(".notice.bad").get_by_text("It was 5 to run of 5 ticks, and is 10 of 10 now").wait_for()
    assert site.do(lambda client: backfills_of(client, schedule_id)) == []
    assert page.get_by_label("Reason, for whoever looks at it later").input_value() == "r"
    page.get_by_role("button", name="Start 10 runs").click()  # what is shown now
    page.get_by_text("Every tick is accounted for.").wait_for(timeout=40_000)


def test_each_tick_says_what_became_of_it_and_what_will_page_by_page(site, page, pictures):
    schedule_id = site.new(interval="PT20M", cron=None)["id"]
    third = timedelta(minutes=20)
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - third
    plant(site, schedule_id, ["on_time", "real_miss", "paused", "skipped_overlap"], every=third, last=last)
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(20, 0)}")
    page.get_by_text("59 to run, 1 left alone for the run they have").wait_for()
    page.get_by_text("The ticks, 50 at a time").click()
    page.get_by_text("What follows from it").click()
    assert "does not resume it" in page.locator(".follows").inner_text()
    assert page.locator("#backfill-ticks tbody tr").count() == 50
    page.get_by_role("button", name="Later ticks").click()
    page.get_by_text("51 to 60 of 60").wait_for()
    rows = page.locator("#backfill-ticks tbody tr").all_inner_texts()
    assert [[cell.strip() for cell in row.split("\t")[1:]] for row in rows[-4:]] == [
        ["on time", "left alone: it has a run"],
        ["missed", "is run"],
        ["paused", "is run"],
        ["skipped, the run before went on", "is run"],
    ]
    pictured(page, pictures, "backfill-ticks")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Earlier ticks").click()
    page.get_by_text("1 to 50 of 60").wait_for()
    page.get_by_label("Reason, for whoever looks at it later").fill("typed")
    page.get_by_role("radio", name="All").check()
    page.get_by_text("60 to run").wait_for()
    page.get_by_text("Ticks whose run completed are run a second time.").wait_for()
    assert page.get_by_label("Reason, for whoever looks at it later").input_value() == "typed"


def test_a_schedule_whose_owner_lets_no_backfill_run_says_so(site, page):
    schedule_id = site.new(interval="PT1H", cron=None, backfill="never")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill")
    page.get_by_text("its owner says so (backfill: never)").wait_for()
    assert page.locator("form").count() == 0


@pytest.mark.slow
def test_what_no_worker_answers_for_says_since_when(site, page):
    schedule_id = site.new(interval="PT1H", cron=None)["id"]
    told = {"policy": "all", "reason": "r", "by": "b", "schedule_id": schedule_id}
    told |= {"start_at": datetime(2026, 1, 1, tzinfo=UTC), "end_at": datetime(2026, 1, 2, tzinfo=UTC)}
    request = BackfillRequest.model_validate(told)
    site.do(lambda client: start_backfill(client, request, key="orphan", task_queue="nobody-polls-this"))
    page.goto(f"{site.url}/schedules/{schedule_id}/backfills/orphan")
    notice = page.locator(".notice.warn")
    notice.get_by_text("nobody-polls-this").wait_for()
    first = notice.locator("time").get_attribute("datetime")
    with page.expect_response(lambda one: "silent=" in one.url):
        pass
    page.wait_for_timeout(500)
    assert notice.locator("time").get_attribute("datetime") == first


def test_an_end_of_the_range_that_comes_twice_is_named(site, page):
    schedule_id = site.new(interval="PT1H", cron=None, timeZone="Europe/Berlin")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill")
    page.get_by_text("in this range").wait_for()
    page.get_by_text("Limits").click()
    page.locator("select[name=older]").select_option("run")
    page.get_by_label("From").fill("2026-10-25T02:30:00")
    page.get_by_label("Until").fill("2026-10-25T02:30:00")
    page.get_by_label("Until").blur()
    page.get_by_text("the range begins at the first, 00:30 UTC").wait_for()
    page.get_by_text("the range ends at the second, 01:30 UTC").wait_for()
    assert "1 tick in this range" in page.locator("#backfill-preview").inner_text()


@pytest.mark.slow
def test_the_holes_that_are_left_are_named_and_only_these_are_run(site, page, pictures):
    schedule_id = site.new(interval="PT1H", cron=None, overlap="allow_all")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(28, 20)}")  # runs are kept for 24 hours here
    page.locator(".notice.bad").get_by_text("older than the namespace keeps runs").wait_for()
    page.get_by_text("Limits").click()
    page.locator("select[name=older]").select_option("skip")
    page.get_by_label("Reason, for whoever looks at it later").fill("Outage")
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Ticks are still without a run.").wait_for(timeout=40_000)
    holes = page.locator(".times li").count()
    assert holes in {4, 5}
    pictured(page, pictures, "backfill-holes")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Backfill only the holes").click()
    page.get_by_text("Only the holes that the backfill before left.").wait_for()
    page.get_by_text("Limits").click()
    page.locator("select[name=older]").select_option("run")
    page.get_by_label("Reason, for whoever looks at it later").fill("The rest")
    page.get_by_role("button", name=f"Start {holes} runs").click()
    page.get_by_text("Every tick is accounted for.").wait_for(timeout=40_000)
    assert f"{holes} of {holes}" in page.locator("#backfill").inner_text()


def test_one_form_starts_one_backfill_however_often_it_is_sent(site):
    schedule_id = site.new(interval="PT1H", cron=None, overlap="allow_all")["id"]
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    form = {"start": (now - 5 * HOUR).isoformat(), "end": now.isoformat()}
    address = f"{site.url}/schedules/{schedule_id}/backfill"
    with site.call("operator-all") as api:
        shown = api.post(f"{address}/preview", data=form).text.partition('name="shown" value="')[2].partition('"')[0]
        told = form | {"reason": "r", "key": "f" * 32, "shown": shown}
        with ThreadPoolExecutor(4) as many:
            answers = list(many.map(lambda _: api.post(address, data=told), range(4)))
        later = api.post(address, data=told)
        other = api.post(address, data=told | {"policy": "all"})
    assert {(one.status_code, one.headers["location"]) for one in [*answers, later]} == {
        (303, f"/schedules/{schedule_id}/backfills/{'f' * 32}")
    }
    assert (other.status_code, "which differs in policy" in other.text) == (409, True)
    assert len(site.do(lambda client: backfills_of(client, schedule_id))) == 1


@pytest.mark.slow
def test_runs_that_failed_are_named_and_can_be_made_up_for(site, page):
    schedule_id = site.new(interval="PT1H", cron=None, overlap="allow_all")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}/backfill?{hours(6, 1)}")
    page.get_by_label("Reason, for whoever looks at it later").fill("r")

    async def one_that_was_terminated(client):
        at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 3 * HOUR
        known = {SearchAttributeKey.for_keyword("TemporalScheduledById"): schedule_id}
        known |= {SearchAttributeKey.for_datetime("TemporalScheduledStartTime"): at}
        pairs = TypedSearchAttributes([SearchAttributePair(key, value) for key, value in known.items()])
        run = await client.start_workflow(
            "Ship", id=f"{schedule_id}-by-hand", task_queue="nobody-polls-this", search_attributes=pairs
        )
        await run.terminate("by hand")

    site.do(one_that_was_terminated)
    deadline = time.monotonic() + 20
    query = f"TemporalScheduledById = '{schedule_id}' AND ExecutionStatus = 'Terminated'"
    while not site.do(lambda client: client.count_workflows(query)).count:
        assert time.monotonic() < deadline
    page.reload()
    page.get_by_text("4 to run, 1 left alone").wait_for()
    page.get_by_label("Reason, for whoever looks at it later").fill("r")
    page.get_by_role("button", name="Start 4 runs").click()
    page.locator(".failed").get_by_text(f"{schedule_id}-by-hand").wait_for(timeout=40_000)
    assert "terminated" in page.locator(".failed").inner_text()
    page.get_by_role("link", name="Backfill what failed").click()
    page.get_by_text("1 to run, 4 left alone").wait_for()
    assert page.get_by_role("radio", name="Missing and failed").is_checked()


def test_who_may_only_look_sees_how_far_it_is_and_steers_nothing(site):
    schedule_id = site.new(id="<b onclick=x>bold</b>", interval="PT1H", cron=None)["id"]
    told = {"policy": "all", "reason": "<i>r</i>", "by": "b", "schedule_id": schedule_id}
    told |= {"start_at": datetime(2026, 1, 1, tzinfo=UTC), "end_at": datetime(2026, 1, 2, tzinfo=UTC)}
    request = BackfillRequest.model_validate(told)
    site.do(lambda client: start_backfill(client, request, key="seen", task_queue="nobody-polls-this"))
    address = f"{site.url}/schedules/{quote(schedule_id, safe='')}/backfills"
    with site.call("viewer-all") as api:
        seen = api.get(f"{address}/seen")
        verbs = ("pause", "resume", "limits", "cancel")
        asked = [api.get(f"{address}/seen/{verb}").status_code for verb in verbs]
        steered = [api.post(f"{address}/seen/{verb}", data={"reason": "r"}).status_code for verb in verbs]
    with site.call("operator-all") as api:
        dialog = api.get(f"{address}/seen/limits")
        empty = api.post(f"{address}/seen/limits", data={"reason": "r"})
    assert (seen.status_code, asked, steered) == (200, [403] * 4, [403] * 4)
    assert "No worker answers" in seen.text
    assert 'hx-target="#dialog"' not in seen.text
    assert "<b onclick" not in seen.text + dialog.text
    assert (empty.status_code, "No limit is given" in empty.text) == (400, True)


@pytest.mark.parametrize("theme", EACH_THEME)
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
        told = asked | {"reason": "r", "key": "0" * 32, "shown": f"{'0' * 64}.{'0' * 64}.1.1"}
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
