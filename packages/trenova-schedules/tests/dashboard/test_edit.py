"""A schedule is changed by its form: typed, previewed, mended, reviewed, saved, and merged with what others did."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import keep
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)

pytestmark = pytest.mark.integration

NIGHTLY = {"cron": "30 2 * * *", "timeZone": "Europe/Berlin", "paused": False}


def now(site, schedule_id):
    with site.call() as api:
        return api.get(f"/schedules/{schedule_id}").json()


def meanwhile(site, schedule_id, **fields):
    """Let somebody else change it."""
    with site.call() as api:
        address = f"/schedules/{schedule_id}?reason=Moved+by+dispatch"
        assert api.patch(address, json=fields, headers={"If-Match": "*"}).is_success


def edit(page, site, schedule_id):
    page.goto(f"{site.url}/schedules/{schedule_id}/edit")
    page.locator("#edit-preview tbody tr").first.wait_for()


def review(page):
    page.get_by_role("button", name="Review the change").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("h2").wait_for()
    return dialog


def save(page, reason):
    page.locator("dialog[open] input[name=reason]").fill(reason)
    page.keyboard.press("Enter")
    page.locator("#said").get_by_text("Saved.").wait_for()


def words(locator):
    return re.sub(r"\s+", " ", locator.inner_text())


def test_a_schedule_is_changed_with_the_fix_of_its_hazard_and_seen_before(site, page, pictures):
    schedule_id = site.new(id="nightly-invoices", **NIGHTLY, note="Ask billing first")["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.get_by_role("link", name="Edit").click()
    preview = page.locator("#edit-preview")
    preview.get_by_text("At 02:30").wait_for()
    assert preview.locator("tbody tr").count() == 10
    assert words(page.locator("#edit-status .fine")) == "Nothing is changed yet."
    preview.get_by_text("Spring lost.").wait_for()
    assert page.locator(".notice").filter(has_text="Defined in code").count() == 0
    pictured(page, pictures, "edit")
    page.set_viewport_size({"width": 1440, "height": 900})

    preview.get_by_role("button", name="Move it to 03 hours local time").focus()
    page.keyboard.press("Enter")
    preview.get_by_text("At 03:30").wait_for()
    assert page.locator("#f-cron").input_value() == "30 3 * * *"
    assert page.evaluate("document.activeElement.id") == "f-cron"
    assert page.locator("#said").inner_text() == "Cron expression is 30 3 * * * now."
    assert preview.locator(".notice").count() == 0
    page.locator("#edit-status").get_by_text("1 field is changed.").wait_for()
    assert preview.locator("tbody .badge").all_inner_texts() == ["new"] * 10

    page.locator("#f-cron").fill("30 2 * * 1")
    preview.get_by_text("only on monday").wait_for()
    assert preview.locator("tbody .badge").count() == 0  # it fires then already
    page.locator("#f-cron").fill("30 3 * * *")
    page.locator("#f-catchup").fill("2 h")
    page.locator("#f-note").fill("")
    dialog = review(page)
    dialog.get_by_text(re.compile("[67] moved,.* none kept")).wait_for()  # between both hours one is added as well
    assert words(dialog.locator(".diff")) == (
        "Fires 30 2 * * * → 30 3 * * * Catch-up window 1 h → 2 h Note Ask billing first → nothing"
    )
    page.wait_for_function("document.activeElement.name === 'reason'")
    pictured(page, pictures, "edit-review")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.id === 'edit-review'")
    page.keyboard.press("Enter")
    dialog.locator("h2").wait_for()
    dialog.get_by_role("button", name="Save").click()  # without a reason
    assert dialog.is_visible()
    save(page, "Berlin has no 02:30 in March")
    assert page.url == f"{site.url}/schedules/{schedule_id}"
    saved = now(site, schedule_id)
    assert (saved["cron"], saved["catchupWindow"], saved.get("note", "")) == ("30 3 * * *", "PT2H", "")
    entry = next(one for one in keep(site, site.store.audit.read()).entries if one.schedule_id == schedule_id)
    assert (entry.action, entry.reason, entry.outcome) == ("update", "Berlin has no 02:30 in March", "done")


def test_what_is_wrong_stands_beside_its_field_and_the_last_good_preview_says_that_it_is_old(site, page, pictures):
    schedule_id = site.new(cron="0 12 * * *", owner="billing-worker")["id"]
    edit(page, site, schedule_id)
    page.locator(".notice").get_by_text("Defined in code by billing-worker.").wait_for()
    cron = page.locator("#f-cron")
    cron.focus()
    page.keyboard.press("End")
    page.keyboard.type(" x", delay=20)
    page.locator("#f-cron-told").get_by_text("has 6 fields; give five").wait_for()
    assert cron.get_attribute("aria-invalid") == "true"
    assert cron.get_attribute("aria-describedby") == "f-cron-hint f-cron-told"
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["f-cron", 12]
    page.get_by_text("of the last that made sense").wait_for()
    assert "At 12:00" in page.locator("#edit-preview").inner_text()
    page.locator("#f-catchup").fill("3")
    page.locator("#f-time_zone").fill("Mars/Olympus")
    page.locator("#f-task_queue").fill("nobody-polls-this")
    page.locator("#f-start").fill("2027-05-01T10:00:00")
    page.locator("#f-end").fill("2027-05-01T09:00:00")
    page.locator("#f-remaining").fill("few")
    for name, told in (
        ("catchup", "no duration; write numbers with units"),
        ("time_zone", "is not an IANA name"),
        ("task_queue", "Nobody polls task queue 'nobody-polls-this'"),
        ("remaining", "is no number"),
    ):
        page.locator(f"#f-{name}-told").get_by_text(told).wait_for()
    page.locator("#edit-status").get_by_text("6 fields need something else:").wait_for()
    pictured(page, pictures, "edit-wrong")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Review the change").click()
    page.locator("#f-cron:focus").wait_for()
    assert page.locator("dialog[open]").count() == 0

    page.locator("#f-end-told").get_by_text("ends before it begins").wait_for()
    page.locator("#f-end").fill("")
    page.locator("#f-start").fill("")
    page.locator("#f-time_zone").fill("berlin")
    cron.fill("0 12 * * *")
    page.locator("#edit-status").get_by_role("button", name="Europe/Berlin").click()
    page.locator("#edit-preview .words").get_by_text("in Europe/Berlin").wait_for()
    page.locator("#f-time_zone").fill("UTC")
    cron.fill("0 25 * * *")
    page.locator("#f-cron-told").get_by_text("Hour is not in range").wait_for()
    cron.fill("0 0 31 2 *")
    page.locator("#f-cron-told").get_by_text("It would never fire").wait_for()
    cron.fill("0 13 * * *")
    page.locator("#f-catchup").fill("1 h")
    page.locator("#f-task_queue").fill("orders")
    page.locator("#f-remaining").fill("")
    page.locator("#edit-preview").get_by_text("At 13:00").wait_for()
    page.locator("[aria-invalid]").wait_for(state="detached")
    assert page.get_by_text("of the last that made sense").is_hidden()
    cron.fill("0 12 * * *")
    dialog = review(page)
    assert "There is nothing to save" in dialog.inner_text()
    assert dialog.locator("input[name=reason]").count() == 0


@pytest.fixture
def contested(site, page):
    """A form in which two fields are typed, of a schedule that somebody else changed after it was reviewed."""
    schedule_id = site.new(**NIGHTLY, note="As agreed")["id"]
    edit(page, site, schedule_id)
    page.locator("#f-cron").fill("30 4 * * *")
    page.locator("#f-catchup").fill("3 h")
    review(page)
    meanwhile(site, schedule_id, cron="15 5 * * *", overlap="buffer_one")
    page.locator("dialog[open] input[name=reason]").fill("Mine")
    page.keyboard.press("Enter")
    page.locator("dialog .three").wait_for()
    return schedule_id


def test_who_is_second_sees_what_it_was_what_it_is_and_what_they_want_and_keeps_theirs_on_top(
    site, page, contested, pictures
):
    dialog = page.locator("dialog[open]")
    told = words(dialog)
    assert "admin-all did (update)" in told
    assert "Moved by dispatch" in told
    assert [[cell.strip() for cell in row.split("\t")] for row in dialog.locator("tbody tr").all_inner_texts()] == [
        ["Fires", "30 2 * * *", "15 5 * * *", "30 4 * * *", "both changed it"],
        ["If a run is under way", "skip", "buffer one", "as it was", "theirs"],
        ["Catch-up window", "1 h", "1 h", "3 h", "yours"],
    ]
    pictured(page, pictures, "edit-conflict")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    assert now(site, contested)["cron"] == "15 5 * * *"
    page.keyboard.press("Enter")  # keep mine on top of theirs
    notice = page.locator("#edit > .notice").filter(has_text="Yours, on top of what it is now.")
    notice.wait_for()
    page.locator("#edit > .notice:focus").wait_for()
    page.locator("#edit-preview").get_by_text("At 04:30").wait_for()
    assert "theirs, buffer one" in notice.inner_text()
    pictured(page, pictures, "edit-merged")
    page.set_viewport_size({"width": 1440, "height": 900})
    dialog = review(page)
    assert words(dialog.locator(".diff")) == "Fires 15 5 * * * → 30 4 * * * Catch-up window 1 h → 3 h"
    save(page, "Both")
    saved = now(site, contested)
    assert (saved["cron"], saved["overlap"], saved["catchupWindow"]) == ("30 4 * * *", "buffer_one", "PT3H")
    assert saved["note"] == "As agreed"


@pytest.mark.slow
def test_who_is_second_takes_what_it_is_and_gets_back_what_was_typed(site, page, contested):
    page.get_by_role("button", name="Take theirs").click()
    page.locator("#edit-preview").get_by_text("At 05:15").wait_for()
    assert page.locator("#f-catchup").input_value() == "1 h"
    assert words(page.locator("#edit-status .fine")) == "Nothing is changed yet."
    page.get_by_role("button", name="Put mine on top after all").click()
    page.locator("#edit-preview").get_by_text("At 04:30").wait_for()
    assert page.locator("#f-catchup").input_value() == "3 h"
    assert page.locator("#f-overlap").input_value() == "buffer_one"


@pytest.mark.slow
def test_a_change_of_somebody_else_is_told_while_one_types_and_nothing_typed_is_lost(site, page):
    schedule_id = site.new(**NIGHTLY)["id"]
    edit(page, site, schedule_id)
    page.locator("#live[data-state=live]").wait_for()
    page.locator("#f-catchup").fill("2 h 3")
    meanwhile(site, schedule_id, note="Only after billing")
    page.locator("#edit-status").get_by_text("Changed meanwhile by admin-all").wait_for()
    assert page.evaluate("[document.activeElement.id, document.activeElement.value]") == ["f-catchup", "2 h 3"]
    page.keyboard.type("0 min")
    asked = []
    page.once("dialog", lambda one: (asked.append(one.type), one.dismiss()))
    page.get_by_role("link", name="Leave it").click()
    page.locator("#edit-status").get_by_text("1 field is changed.").wait_for()
    assert (asked, page.url) == (["beforeunload"], f"{site.url}/schedules/{schedule_id}/edit")
    dialog = review(page)
    assert "Both go together" in dialog.inner_text()


@pytest.mark.slow
def test_an_interval_calendars_zone_and_times_are_typed_too(site, page):
    schedule_id = site.new(**NIGHTLY)["id"]
    edit(page, site, schedule_id)
    page.get_by_label("Again and again, whatever the clock says").check()
    page.locator("#f-every").fill("1 h 30 min")
    page.locator("#edit-preview").get_by_text("Every 1 h 30 min").wait_for()
    page.get_by_label("By calendars, for what cron cannot say").check()
    page.locator("#f-calendars").fill("0 6 * * 1-5  # early\n15 30 12 1 * * 2027-2030")
    page.locator("#f-time_zone").fill("America/Chicago")
    page.locator("#f-start").fill("2026-12-24T08:00:00")
    page.locator("#f-jitter").fill("90s")
    page.locator("#f-pause_on_failure").check()
    page.locator("#f-remaining").fill("12")
    page.locator("#edit-preview").get_by_text("At 06:00, monday through friday").wait_for()
    dialog = review(page)
    assert "Not before nothing → 2026-12-24 08:00:00" in words(dialog.locator(".diff"))
    save(page, "r")
    saved = now(site, schedule_id)
    assert [(one["comment"], one["hour"], one["year"]) for one in saved["calendars"]] == [
        ("early", "6", "*"),
        ("", "12", "2027-2030"),
    ]
    assert (saved["timeZone"], saved["startAt"], saved["jitter"]) == (
        "America/Chicago",
        "2026-12-24T07:00:00Z",  # typed in the zone that it had
        "PT1M30S",
    )
    assert (saved["pauseOnFailure"], saved["remainingActions"]) == (True, 12)
    edit(page, site, schedule_id)
    assert page.locator("#f-calendars").input_value() == "0 6 * * 1-5  # early\n15 30 12 1 * * 2027-2030"
    assert page.locator("#f-start").input_value().startswith("2026-12-24T01:00")
    assert words(page.locator("#edit-status .fine")) == "Nothing is changed yet."


def test_what_no_form_can_write_stays_and_a_schedule_of_nobody_says_so(site, page):
    async def foreign(client):
        action = ScheduleActionStartWorkflow("Ship", id="foreign-run", task_queue="orders")
        both = [ScheduleIntervalSpec(every=timedelta(hours=hours)) for hours in (5, 7)]
        state = ScheduleState(paused=True, note="By hand")
        await client.create_schedule("foreign", Schedule(action, spec=ScheduleSpec(intervals=both), state=state))

    site.do(foreign)
    edit(page, site, "foreign")
    page.get_by_text("Nobody's of ours.").wait_for()
    assert page.get_by_label("As it is: 2 intervals").is_checked()
    page.locator("#f-note").fill("By hand, for customs")
    dialog = review(page)
    assert "stay as they are" in dialog.inner_text()
    save(page, "r")
    saved = now(site, "foreign")
    assert [one["every"] for one in saved["intervals"]] == ["PT5H", "PT7H"]
    assert saved["note"] == "By hand, for customs"


def form_of(answer):
    """What the form of a page would send, untouched."""
    found = {}
    for name in ("csrf_token", "began"):
        value = answer.text.partition(f'name="{name}" value="')[2].partition('"')[0]
        found[name] = value.replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")
    return found


def test_roles_tokens_and_a_browser_without_scripts(site):
    schedule_id = site.new(cron="0 12 * * *", labels={"organization": "acme"})["id"]
    address = f"{site.url}/schedules/{schedule_id}"
    page_of = {"Accept": "text/html"}
    with site.call("operator-acme", headers=page_of) as operator, site.call("admin-blue", headers=page_of) as stranger:
        for one, status in ((operator, 403), (stranger, 404)):
            assert one.get(f"{address}/edit").status_code == status
            assert one.get(f"{address}/delete").status_code == status
            began = {"began": "{}", "draft": "{}", "reason": "r", "keep": "mine", "etag": "e"}
            for path in ("edit", "edit/preview", "edit/save", "edit/merge", "delete"):
                assert one.post(f"{address}/{path}", data=began).status_code == status, path
        assert "/edit" not in operator.get(address).text
        assert operator.get(f"{site.url}/new").status_code == 403
        assert "New schedule" not in operator.get(f"{site.url}/").text
    with site.call("admin-acme", headers=page_of) as admin:
        form = form_of(admin.get(f"{address}/edit"))
        wrong = admin.post(f"{address}/edit", data=form | {"when": "cron", "cron": "nonsense", "catchup": "2 h"})
        assert wrong.status_code == 422
        assert "has 1 fields" in wrong.text
        assert 'value="nonsense"' in wrong.text
        gone = site.new(labels={"organization": "acme"})["id"]
        told = form_of(admin.get(f"{site.url}/schedules/{gone}/edit")) | {"cron": "0 1 * * *", "catchup": "1 h"}
        with site.call() as api:
            assert api.delete(f"/schedules/{gone}?reason=r").is_success
        assert admin.post(f"{site.url}/schedules/{gone}/edit/preview", data=told).status_code == 404
        damaged = admin.post(f"{address}/edit/save", data={"began": "{", "draft": "{}", "reason": "r"})
        assert (damaged.status_code, "Open it again" in damaged.text) == (400, True)


def test_a_write_without_the_token_of_its_session_is_refused(site, page):
    schedule_id = site.new(cron="0 12 * * *")["id"]
    edit(page, site, schedule_id)
    answer = page.evaluate(
        """async (address) => {
            const form = new URLSearchParams(new FormData(document.getElementById("edit-form")));
            form.set("csrf_token", "made-up");
            return (await fetch(address, {method: "POST", body: form})).status;
        }""",
        f"/schedules/{schedule_id}/edit",
    )
    assert answer == 403


def test_hostile_text_is_text_and_arguments_are_not_shown(site, page):
    hostile = "<img src=x onerror=alert(1)>\"'&amp;"
    schedule_id = site.new(
        id=f"{hostile}/100%",
        cron="0 12 * * *",
        note=f"{hostile}\n</textarea><script>alert(1)</script>",
        args=["a-secret-argument"],
        owner=hostile,
    )["id"]
    with site.call() as api:
        assert api.get(f"/schedules/{quote(schedule_id, safe='')}").json()["id"] == schedule_id
    edit(page, site, quote(schedule_id, safe=""))
    assert page.locator("img, #edit script").count() == 0
    assert page.locator("#f-note").input_value() == f"{hostile}\n</textarea><script>alert(1)</script>"
    assert words(page.locator("#edit-status .fine")) == "Nothing is changed yet."
    page.locator("#f-cron").fill(hostile)
    page.locator("#f-cron-told").get_by_text("sets its own time zone").wait_for()
    page.locator("#f-cron").fill("0 13 * * *")
    page.locator("#f-note").fill(f"{hostile}2")
    dialog = review(page)
    assert hostile in dialog.locator(".diff").inner_text()
    assert "a-secret-argument" not in page.content()
    save(page, hostile)
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_in_the_form(browser, site, theme):
    schedule_id = site.new(**NIGHTLY, owner="billing-worker")["id"]
    with opened(browser, theme=theme) as page:
        signed_in(page, site)
        edit(page, site, schedule_id)
        assert violations(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page) == []
