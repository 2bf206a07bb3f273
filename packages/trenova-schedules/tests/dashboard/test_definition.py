"""What a schedule is told, in words, and which specifications were in force when."""

from datetime import UTC, datetime, timedelta

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import keep
from temporalio.api.common.v1 import Payload
from temporalio.api.schedule.v1 import Schedule

from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._reading._document import CalendarDocument
from trenova_schedules.dashboard._arguments import arguments_in_words
from trenova_schedules.dashboard.schedule._cron_words import calendar_as_cron, calendar_in_words, cron_in_words
from trenova_schedules.dashboard.schedule._runbook import commands_of, runbook_of
from trenova_schedules.store import Observation

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 2 * * *", "at 02:30"),
        ("*/5 * * * *", "every 5 minutes"),
        ("15 6 * * 1-5", "at 06:15, monday through friday"),
        ("@weekly", "at 00:00, only on sunday"),
        ("0 0 13 * 5", None),  # Temporal wants both days, other crons either
        ("nonsense", None),
        ("61 2 * * x", None),
    ],
)
def test_a_cron_is_told_in_words_where_they_are_right(cron, words):
    assert cron_in_words(cron) == words


def test_a_calendar_is_told_in_words_where_five_fields_can(site):
    whole = {"minute": "30", "hour": "2"}
    plain, late = (
        site.new(cron=None, calendar=one)["calendars"][0] for one in (whole, {**whole, "second": "5", "year": "2030"})
    )
    assert calendar_in_words(CalendarDocument.model_validate(plain)) == "at 02:30"
    assert calendar_in_words(CalendarDocument.model_validate(late)) is None
    assert calendar_as_cron(CalendarDocument.model_validate(late)) == "5 s 30 2 * * * in 2030"


def test_commands_and_runbook_carry_an_id_that_no_shell_and_no_address_mistakes(site):
    made = site.new(id="it's $(id)/1", runbook="https://runbooks.example/{id}#top")
    document = ScheduleDocument.model_validate(made)
    assert runbook_of(document) == "https://runbooks.example/it%27s%20%24%28id%29%2F1#top"
    assert commands_of(document)[0][0] == """trenova-schedules show 'it'"'"'s $(id)/1'"""
    assert commands_of(document.model_copy(update={"id": "-x"}))[0][0] == "trenova-schedules show -- -x"


def test_arguments_are_counted_and_never_shown():
    schedule = Schedule()
    assert arguments_in_words(schedule) == "none"
    payloads = schedule.action.start_workflow.input.payloads
    payloads.append(Payload(metadata={"encoding": b"json/plain"}, data=b'"secret"'))
    assert arguments_in_words(schedule) == "1 argument"
    payloads.append(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"))
    assert arguments_in_words(schedule) == "2 arguments, encrypted"


def seen(site, schedule_id, at, cron_hour, *, token, overlap="SCHEDULE_OVERLAP_POLICY_SKIP"):
    """Let the ledger see a schedule as it was at a time."""
    calendar = {"second": [{}], "minute": [{}], "hour": [{"start": cron_hour}], "dayOfMonth": [{"start": 1, "end": 31}]}
    calendar |= {"month": [{"start": 1, "end": 12}], "dayOfWeek": [{"end": 6}]}
    look = Observation(
        schedule_id=schedule_id,
        at=at,
        specification={"structuredCalendar": [calendar], "timezoneName": "UTC"},
        policy={"overlapPolicy": overlap, "catchupWindow": "3600s"},
        token=token,
        created_at=at,
        updated_at=at,
    )
    keep(site, site.store.versions.observed(look))


@pytest.fixture(scope="module")
def changed(site):
    """A schedule that a dozen versions are known of."""
    schedule_id = site.new(cron="0 12 * * *", jitter=30, labels={"a": "b"})["id"]
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
    for number in range(12):
        at = begin + timedelta(days=number)
        overlap = "SCHEDULE_OVERLAP_POLICY_SKIP" if number < 11 else "SCHEDULE_OVERLAP_POLICY_BUFFER_ONE"
        seen(site, schedule_id, at, number + 1, token=f"{number:02x}", overlap=overlap)
    return schedule_id


def test_the_definition_is_told_in_words(site, page, changed):
    page.goto(f"{site.url}/schedules/{changed}")
    section = page.locator("section[aria-labelledby=definition-title]")
    section.get_by_text("at 12:00").wait_for()
    text = section.inner_text()
    assert "a tick that finds a run under way starts none" in text
    assert "how late a missed tick may still start" in text


def test_versions_are_read_when_they_are_opened_and_paged(site, page, changed, pictures):
    asked = []
    page.on("request", lambda one: asked.append(one.url) if "/versions" in one.url else None)
    page.goto(f"{site.url}/schedules/{changed}")
    section = page.locator("section[aria-labelledby=definition-title]")
    section.get_by_text("at 12:00").wait_for()
    assert not asked
    section.get_by_text("What was in force when").click()
    section.locator(".history li").nth(9).wait_for()
    newest = section.locator(".history li").first.inner_text()
    assert "in force" in newest
    assert "buffer_one" in newest
    assert section.locator(".history li").first.locator("del").first.inner_text() == "0 11 * * *"
    assert section.locator(".history li").first.locator("ins").first.inner_text() == "0 12 * * *"
    pictured(page, pictures, "versions")
    page.set_viewport_size({"width": 1440, "height": 900})
    # A refresh closes nothing that somebody reads.
    with page.expect_response(lambda one: one.url.endswith("/definition")):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('schedules:changed'))")
    assert section.locator(".history li").count() == 10
    section.get_by_role("button", name="Older versions").click()
    section.locator(".history li").nth(11).wait_for()
    assert section.locator(".history li").count() == 12
    assert section.locator(".history li").last.locator("del").count() == 0


def test_first_commands_stay_open_through_a_refresh(site, page, changed):
    page.goto(f"{site.url}/schedules/{changed}")
    page.get_by_text("First commands").click()
    command = page.get_by_text(f"trenova-schedules show {changed}")
    assert command.is_visible()
    with page.expect_response(lambda one: one.url.endswith(f"/schedules/{changed}")):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('schedules:changed'))")
    page.wait_for_timeout(300)
    assert command.is_visible()


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_in_the_definition(browser, site, changed, theme):
    with opened(browser, theme=theme) as page:
        signed_in(page, site, f"/schedules/{changed}")
        page.get_by_text("First commands").click()
        page.get_by_text("What was in force when").click()
        page.get_by_role("button", name="Older versions").wait_for()
        assert violations(page) == []
