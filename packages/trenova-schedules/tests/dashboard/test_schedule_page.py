"""The page of one schedule: what it was, is and will be, and the dialogs that change it."""

from datetime import timedelta

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import EVERY_CLASS, fail, keep, plant

from trenova_schedules.store import AuditEntry

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def nightly(site):
    """A schedule with a past of every kind."""
    made = site.new(
        cron="30 2 * * *",
        timeZone="Europe/Berlin",
        paused=False,
        labels={"team": "billing"},
        description="Sends the invoices of the day.",
        runbook="https://runbooks.example/{id}",
        slo={"margin": "PT2M", "maxRunTime": "PT2M"},
        owner="report-worker",
    )
    told = plant(site, made["id"], EVERY_CLASS)
    fail(site, made["id"], told[-1].at)
    entry = AuditEntry(
        actor="ann",
        action="update",
        schedule_id=made["id"],
        reason="Berlin asked for it",
        before={"cron": "0 2 * * *", "etag": "a"},
        after={"cron": "30 2 * * *", "etag": "b"},
    )
    keep(site, site.store.audit.record(entry))
    return made["id"]


def test_it_says_what_the_schedule_is_and_what_became_of_its_ticks(site, page, nightly, pictures):
    page.goto(f"{site.url}/schedules/{nightly}")
    main = page.locator("main")
    main.get_by_text("active").first.wait_for()
    assert "failing since" in main.inner_text()
    assert f"{len(EVERY_CLASS)} expected" in main.inner_text()
    assert page.locator(".strip a.mark:not(.ahead)").count() == len(EVERY_CLASS)
    assert page.locator(".strip .mark.ahead").count() == 10
    words = page.locator(".strip .hidden").all_inner_texts()
    assert any("missed" in one for one in words)
    assert any("failed" in one for one in words)
    assert page.locator("#ticks tbody tr").count() == len(EVERY_CLASS)
    assert "too long" in page.locator("#ticks").inner_text()
    assert page.get_by_role("link", name="Runbook").get_attribute("href") == f"https://runbooks.example/{nightly}"
    page.get_by_role("heading", name="Next fires").wait_for()
    page.get_by_text("Berlin asked for it").wait_for()
    diff = page.locator(".diff").first
    assert "0 2 * * *" in diff.inner_text()
    assert "etag" not in diff.inner_text()
    page.locator("section table").last.wait_for()
    pictured(page, pictures, "schedule")


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_on_the_page_and_its_dialogs(browser, site, nightly, theme):
    with opened(browser, theme=theme) as page:
        signed_in(page, site, f"/schedules/{nightly}")
        page.get_by_text("Berlin asked for it").wait_for()
        assert violations(page) == []
        for name in ("Pause", "Run now"):
            page.get_by_role("button", name=name).first.click()
            page.locator("dialog[open] h2").wait_for()
            assert violations(page) == []
            page.keyboard.press("Escape")


def test_it_is_paused_and_resumed_by_keyboard_with_a_reason(site, page, pictures):
    schedule_id = site.new(cron="*/5 * * * *", paused=False)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open] input[name=reason]").wait_for()
    pictured(page, pictures, "pause")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.type("The carrier is <b>closed</b>")
    page.keyboard.press("Enter")
    page.get_by_text("Paused.", exact=True).first.wait_for()
    assert page.locator("dialog[open]").count() == 0
    page.get_by_text("The carrier is <b>closed</b>").first.wait_for()
    assert page.locator("main b").count() == 0
    page.get_by_role("button", name="Resume").click()
    page.locator("dialog[open]").get_by_text("missed").wait_for()
    page.locator("dialog[open] input[name=reason]").fill("Open again")
    page.locator("dialog[open]").get_by_role("button", name="Resume").click()
    page.get_by_text("Resumed.", exact=True).first.wait_for()
    page.get_by_role("button", name="Pause").wait_for()
    with site.call() as api:
        assert not api.get(f"/schedules/{schedule_id}").json()["paused"]
        entries = api.get(f"/schedules/{schedule_id}/audit").json()["entries"]
    assert [(one["action"], one["reason"]) for one in entries][:2] == [
        ("resume", "Open again"),
        ("pause", "The carrier is <b>closed</b>"),
    ]


def test_a_second_click_starts_no_second_run(site, page):
    schedule_id = site.new()["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.get_by_role("button", name="Run now").click()
    page.locator("dialog[open] input[name=reason]").fill("Once more")
    sent = page.evaluate(
        """async () => {
          const form = document.querySelector("dialog form");
          const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
          const send = () => fetch(form.getAttribute("hx-post"), {method: "POST", body: new FormData(form), headers});
          return (await Promise.all([send(), send()])).map((answer) => answer.status);
        }"""
    )
    assert 204 in sent
    with site.call() as api:
        assert api.get(f"/schedules/{schedule_id}").json()["counts"]["actions"] == 1


@pytest.mark.slow
def test_somebody_who_was_first_is_said_in_the_dialog_and_nothing_typed_is_lost(site, page):
    schedule_id = site.new(paused=False)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.get_by_role("button", name="Pause").click()
    page.locator("dialog[open] input[name=reason]").fill("Mine")
    with site.call() as api:
        assert api.patch(f"/schedules/{schedule_id}", json={"note": "theirs"}, headers={"If-Match": "*"}).is_success
    page.locator("dialog[open]").get_by_role("button", name="Pause").click()
    page.locator("dialog[open] .notice.bad").get_by_text("was changed by somebody else").wait_for()
    assert page.locator("dialog[open] input[name=reason]").input_value() == "Mine"


@pytest.mark.slow
def test_dense_ticks_are_put_together_and_open_to_a_shorter_time(site, page, pictures):
    schedule_id = site.new(cron="* * * * *")["id"]
    plant(site, schedule_id, ["on_time"] * 700 + ["real_miss"] + ["on_time"] * 500, every=timedelta(minutes=1))
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.locator(".strip").wait_for()
    assert page.locator(".strip a.mark:not(.ahead)").count() <= 125
    bad = page.locator(".strip a.mark.bad")
    assert bad.count() == 1
    pictured(page, pictures, "dense")
    page.set_viewport_size({"width": 1440, "height": 900})
    bad.click()
    page.wait_for_url("**start=**")
    assert page.locator(".strip a.mark.bad").count() == 1
    assert page.locator("#ticks").get_by_text("missed").count() == 1


def test_who_may_only_look_sees_no_buttons_and_is_refused(browser, site, nightly):
    for caller, status in (("viewer-all", 403), ("operator-all", 403)):
        # Without the token of a page's form nobody changes anything by a page, whatever their role.
        with site.call(caller) as api:
            answer = api.post(f"{site.url}/schedules/{nightly}/pause", data={"reason": "r", "etag": "*"})
            looked = api.get(f"{site.url}/schedules/{nightly}")
        assert (caller, looked.status_code) == (caller, 200)
        assert ("Run now" in looked.text) == caller.startswith("operator")
        if caller == "viewer-all":
            assert answer.status_code == status


def test_a_form_without_the_token_of_its_session_is_refused(site, page):
    schedule_id = site.new(paused=False)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    for token in ("", "forged"):
        status = page.evaluate(
            """async ([address, token]) => (await fetch(address, {
              method: "POST", body: new URLSearchParams({reason: "r", etag: "*", csrf_token: token}),
            })).status""",
            [f"/schedules/{schedule_id}/pause", token],
        )
        assert status == 403
    with site.call() as api:
        assert not api.get(f"/schedules/{schedule_id}").json()["paused"]


def test_what_happens_elsewhere_shows_without_a_reload(site, page):
    schedule_id = site.new(paused=False)["id"]
    page.goto(f"{site.url}/schedules/{schedule_id}")
    page.locator("#live[data-state=live]").wait_for()
    with site.call() as api:
        assert api.post(f"/schedules/{schedule_id}/pause", json={"reason": "From elsewhere"}).is_success
    page.get_by_text("From elsewhere").first.wait_for()


def test_its_objective_counts_every_class_and_each_count_leads_to_its_ticks(site, page, nightly):
    page.goto(f"{site.url}/schedules/{nightly}")
    objective = page.locator("section[aria-labelledby=objective-title]")
    week = objective.get_by_role("row").filter(has_text="7 days")
    week.wait_for()
    assert "33.3%" in week.inner_text()  # 3 of 9: neither paused nor what is not known is expected
    assert "within 2 min" in objective.inner_text()
    assert "bad tick in a row" in objective.inner_text()
    week.get_by_role("link", name="1 missed, too late").click()
    page.wait_for_url("**only=missed_catchup**")
    assert page.locator("#ticks tbody tr").count() == 1
    assert f"{len(EVERY_CLASS)} expected" in page.locator("main").inner_text()
    page.get_by_role("link", name="List all").click()
    page.wait_for_url(lambda address: "only" not in address)
    assert page.locator("#ticks tbody tr").count() == len(EVERY_CLASS)
