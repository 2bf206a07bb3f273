"""A schedule is created by a form and deleted by a dialog."""

import re

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import keep

from trenova_schedules.dashboard.edit._draft import Draft, draft_of
from trenova_schedules.dashboard.edit._typed_calendars import calendars_of, typed_calendars
from trenova_schedules.dashboard.edit._typed_lengths import length_of, typed_length

pytestmark = pytest.mark.integration


def words(locator):
    return re.sub(r"\s+", " ", locator.inner_text())


def test_a_schedule_is_created_paused_with_what_is_wrong_beside_each_field(site, page, pictures):
    page.get_by_role("link", name="New schedule").click()
    page.wait_for_url(f"{site.url}/new")
    page.get_by_text("Say when it fires, and its next fires stand here.").wait_for()
    assert page.locator("[aria-invalid]").count() == 0
    page.get_by_role("button", name="Create").click()
    page.locator("#f-id:focus").wait_for()
    assert "Id, Cron expression, Workflow, Task queue" in words(page.locator("#edit-status"))

    page.keyboard.type("nightly-settlement")
    page.get_by_label("What it is for").fill("Settles what was delivered")
    page.locator("#f-cron").fill("30 2 * * *")
    page.locator("#f-time_zone").fill("Europe/Berlin")
    page.locator("#f-workflow").fill("Ship")
    page.locator("#f-task_queue").fill("nobody-polls-this")
    page.locator("#f-args").fill('{"days": 7}')
    page.locator("#f-labels").fill("organization=acme\nnight")
    page.locator("#f-task_queue-told").get_by_text("Nobody polls task queue 'nobody-polls-this'").wait_for()
    page.locator("#f-args-told").get_by_text("Write a list, an element for each argument").wait_for()
    page.locator("#f-labels-told").get_by_text("Label 2 is no name=value: 'night'.").wait_for()
    preview = page.locator("#edit-preview")
    preview.get_by_text("At 02:30").wait_for()
    assert page.get_by_text("of the last that made sense").is_hidden()
    pictured(page, pictures, "new")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    preview.get_by_role("button", name="Move it to 03 hours local time").click()
    preview.get_by_text("At 03:30").wait_for()
    page.locator("#f-task_queue").fill("orders")
    page.locator("#f-args").fill('[{"days": 7}, "x"')
    page.locator("#f-args-told").get_by_text("It is no JSON").wait_for()
    page.locator("#f-args").fill('[{"days": 7}, "x"]')
    page.locator("#f-labels").fill("organization=acme\nteam = night")
    page.get_by_label("Reason").fill("Billing asked for it")
    page.locator("#f-reason").press("Enter")
    page.wait_for_url(f"{site.url}/schedules/nightly-settlement")
    assert page.locator("#said").inner_text() == "Created, paused; resume it when you have looked at it."
    with site.call() as api:
        made = api.get("/schedules/nightly-settlement").json()
    assert (made["cron"], made["timeZone"], made["paused"], made["labels"], made["catchupWindow"]) == (
        "30 3 * * *",
        "Europe/Berlin",
        True,
        {"organization": "acme", "team": "night"},
        "PT1H",
    )
    entry = next(one for one in keep(site, site.store.audit.read()).entries if one.schedule_id == made["id"])
    assert (entry.action, entry.reason) == ("create", "Billing asked for it")


def test_an_id_that_is_taken_is_said_and_one_may_be_called_as_the_page(site, page):
    site.new(id="nightly-settlements")
    page.goto(f"{site.url}/new")
    page.locator("#f-id").fill("nightly-settlements")
    page.get_by_label("Again and again, whatever the clock says").check()
    page.locator("#f-every").fill("15 min")
    page.locator("#f-workflow").fill("Ship")
    page.locator("#f-task_queue").fill("orders")
    page.get_by_label("Active: it fires at the next of its times").check()
    page.get_by_role("button", name="Create").click()
    page.locator("#f-id-told").get_by_text("A schedule 'nightly-settlements' exists.").wait_for()
    page.locator("#f-id").fill("new")  # has a page of its own all the same
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(f"{site.url}/schedules/new")
    assert page.locator("#said").inner_text() == "Created, active."
    page.get_by_role("heading", name="new", exact=True).wait_for()


def test_a_schedule_is_deleted_by_its_id_and_a_reason(site, page, pictures):
    schedule_id = site.new(id="carrier-rates", owner="billing-worker", paused=False)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.get_by_text("It is defined in code by billing-worker").wait_for()
    assert page.evaluate("document.activeElement.name") == "typed"
    pictured(page, pictures, "delete")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.type("carrier-rate")
    page.keyboard.press("Tab")
    page.keyboard.type("Carriers send them now")
    page.keyboard.press("Enter")
    page.locator("#dialog-error").get_by_text("not the id of this schedule").wait_for()
    with site.call() as api:
        etag = {"If-Match": "*"}
        assert api.patch(f"/schedules/{schedule_id}", json={"note": "Ask the carriers"}, headers=etag).is_success
    page.locator("input[name=typed]").fill(schedule_id)
    page.keyboard.press("Enter")
    page.locator("#dialog-error").get_by_text("changed by somebody else meanwhile").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Ask the carriers").first.wait_for()
    page.get_by_role("button", name="Delete").click()
    page.locator("input[name=typed]").fill(schedule_id)
    page.locator("dialog input[name=reason]").fill("Carriers send them now")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")
    assert page.locator("#said").inner_text() == "Deleted carrier-rates."
    with site.call() as api:
        assert api.get(f"/schedules/{schedule_id}").status_code == 404
    entry = next(one for one in keep(site, site.store.audit.read()).entries if one.schedule_id == schedule_id)
    assert (entry.action, entry.reason, entry.outcome) == ("delete", "Carriers send them now", "done")


def test_who_may_create_for_one_organization_creates_for_no_other(site):
    address, told = f"{site.url}/new", {"when": "cron", "cron": "0 1 * * *", "time_zone": "UTC", "catchup": "1 h"}
    told |= {"workflow": "Ship", "task_queue": "orders", "labels": "organization=blue", "id": "of-blue"}
    with site.call("admin-acme", headers={"Accept": "text/html"}) as acme:
        assert 'href="/new"' in acme.get(f"{site.url}/").text
        assert acme.get(address).status_code == 200
        assert acme.post(address, data=told).status_code == 403
        mine = acme.post(address, data=told | {"labels": "organization=acme", "id": "of-acme"})
        assert (mine.status_code, mine.headers["location"]) == (303, "/schedules/of-acme")
        wrong = acme.post(address, data=told | {"labels": "a b=c", "runbook": "javascript:alert(1)"})
        assert (wrong.status_code, "may hold ASCII letters" in wrong.text) == (422, True)
    with site.call("operator-acme", headers={"Accept": "text/html"}) as operator:
        assert [operator.post(f"{address}{part}", data=told).status_code for part in ("", "/preview")] == [403, 403]


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_in_the_form_of_a_new_one(browser, site, theme):
    with opened(browser, theme=theme, width="narrow") as page:
        signed_in(page, site, "/new")
        page.locator("#f-cron").fill("0 12 * * *")
        page.locator("#edit-preview").get_by_text("At 12:00").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("1h30m", 5400),
        ("1 h, 30 min", 5400),
        ("2 days", 172_800),
        ("1.5 h", 5400),
        ("PT2H", 7200),
        ("p1d", 86_400),
        ("1 w 1 s", 604_801),
    ],
)
def test_durations_are_typed_as_people_say_them(text, seconds):
    assert length_of(text).total_seconds() == seconds
    assert length_of(typed_length(length_of(text))) == length_of(text)


@pytest.mark.parametrize("text", ["", "90", "1 fortnight", "-1 h", "h", "1 h x", "PXY", "9" * 12 + " d"])
def test_what_is_no_duration_says_what_to_write(text):
    with pytest.raises(ValueError, match=r"duration|longer than"):
        length_of(text)


def test_calendars_come_back_as_they_were_typed():
    text = "0 6 * * 1-5  # early\n15 30 12 1 */2 * 2027-2030"
    assert typed_calendars(calendars_of(text)) == text
    for wrong, told in (
        ("", "at least one"),
        ("0 6 * *", "line 1 has 4 fields"),
        ("0 6 * * *\n0 25 * * *", "line 2: hour"),
    ):
        with pytest.raises(ValueError, match=told):
            calendars_of(wrong)


def test_a_schedule_that_no_form_can_write_is_left_as_it_is(site):
    from trenova_schedules._reading import ScheduleDocument

    made = site.new(cron=None, interval="PT1H")
    document = ScheduleDocument.model_validate(made)
    two = document.model_copy(update={"intervals": document.intervals * 2})
    assert draft_of(document, "UTC").when == "interval"
    assert draft_of(two, "UTC").when == "keep"
    assert draft_of(two, "UTC").fires == ("keep", "")
    assert Draft(note="a\r\nb", start="2027-01-01T10:00").model_dump(include={"note", "start"}) == {
        "note": "a\nb",
        "start": "2027-01-01T10:00:00",
    }
