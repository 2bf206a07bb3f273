"""Many schedules at once: selected, tried, done, told one by one, and undone."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from api_site import schedule
from browser import EACH_THEME, opened, pictured, signed_in, violations

from trenova_access import Access, Grant
from trenova_schedules.dashboard.bulk._bulk_form import MOST
from trenova_schedules.server import ROLES, create_app

pytestmark = pytest.mark.integration

HOSTILE = "bulk-<b onclick=alert(1)>&'\"x"


@pytest.fixture(scope="module")
def fleet(site):
    """Twenty active schedules, one of them of another organization and one with a hostile id."""
    names = [f"bulk-{n:02}" for n in range(19)] + [HOSTILE]
    for n, name in enumerate(names):
        site.new(id=name, paused=False, labels={"organization": "blue" if n == 5 else "acme"})
    site.wait_for("bulk-", 20)
    return sorted(names)


@pytest.fixture(scope="module")
def dispatcher(site):
    """The same pages for somebody who may look at everything and operate what is acme's."""
    grants = (Grant(resource="*", role="viewer"), Grant(resource="organization=acme", role="operator"))
    sign_in = site.options.access.sign_in.model_copy(update={"grants": grants, "cookie": "dispatcher"})
    options = site.options.model_copy(update={"access": site.options.access.model_copy(update={"sign_in": sign_in})})
    access = Access(options.access, ROLES)
    with site.also(lambda: create_app(options, site.client, store=site.store, access=access)) as api:
        yield SimpleNamespace(url=str(api.base_url).rstrip("/"), app_access=access)


def listed(page, site, query=""):
    page.goto(f"{site.url}/{query}")
    page.locator(".schedules tbody tr").first.wait_for()


def box(page, name):
    return page.get_by_label(f"Select {name}", exact=True)


def bar(page):
    return page.locator("form#bulk")


def rows(page):
    """Schedule and what is said of it, for each row of the dialog."""
    items = page.locator("#dialog .bulk-rows li")
    return {item.locator("strong").inner_text(): item.locator("span").inner_text() for item in items.all()}


def tried(page):
    page.locator("#bulk-preview .bulk-counts").wait_for()
    return page.locator("#bulk-preview .bulk-counts .badge").all_inner_texts()


def done(page):
    page.locator("#dialog button", has_text="Close").last.wait_for()
    page.locator("#dialog h2", has_text=" of ").wait_for()
    return page.locator("#dialog h2").inner_text()


def shot(page, pictures, name):
    """Take pictures, and leave the page as it was."""
    pictured(page, pictures, name)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def resume(api, *names):
    body = {"action": "resume", "filter": {"ids": names}, "reason": "back", "dryRun": False}
    assert api.post("/bulk", json=body).is_success


def paused(site, name):
    with site.call() as api:
        return api.get(f"/schedules/{name}").json()["paused"]


@pytest.mark.slow
def test_a_dozen_are_paused_with_one_forbidden_and_one_that_somebody_changed_meanwhile(
    browser, site, fleet, dispatcher, pictures
):
    with opened(browser) as page, site.call() as api:
        signed_in(page, dispatcher, "/?q=bulk-")
        assert not bar(page).is_visible()
        assert bar(page).get_by_text("Delete").count() == 0, "an operator changes and deletes nothing"
        box(page, "bulk-00").click()
        box(page, "bulk-11").click(modifiers=["Shift"])
        assert page.locator("#bulk-count").inner_text() == "12 schedules selected"
        bar(page).get_by_role("button", name="Pause").click()
        assert tried(page) == ["1 not allowed", "11 to do"]
        assert rows(page)["bulk-05"] == "not allowed: needs the role operator on it"
        assert not any(paused(site, name) for name in ("bulk-00", "bulk-05")), "it is only tried"
        assert violations(page) == []
        shot(page, pictures, "bulk-dialog")
        api.patch("/schedules/bulk-07", json={"note": "mine"}, headers={"If-Match": "*"})
        page.get_by_label("Reason").fill("Carrier <b>closed</b>")
        page.keyboard.press("Enter")
        assert done(page) == "Paused 10 of 12"
        result = rows(page)
        assert result["bulk-07"].startswith("conflict: somebody has changed it meanwhile")
        assert result["bulk-05"].startswith("not allowed")
        assert result["bulk-00"] == "done"
        assert {name: paused(site, name) for name in ("bulk-00", "bulk-05", "bulk-07")} == {
            "bulk-00": True,
            "bulk-05": False,
            "bulk-07": False,
        }
        assert violations(page) == []
        shot(page, pictures, "bulk-result")
        page.get_by_role("button", name="Try 1 schedule again").click()
        assert tried(page) == ["1 to do"]
        page.get_by_label("Reason").fill("Carrier closed")
        page.get_by_role("button", name="Pause 1 schedule").click()
        assert done(page) == "Paused 1 of 1"
        page.locator("#dialog button", has_text="Close").last.click()
        assert page.locator("#bulk-count").inner_text() == "12 schedules selected", "it is dropped by whoever selected"
        resume(api, *fleet)


def test_a_receipt_is_undone_and_what_somebody_changed_since_is_left_alone(browser, site, fleet, dispatcher, pictures):
    names = ["bulk-00", "bulk-01", "bulk-02", HOSTILE]
    with site.call("operator-acme") as api:
        body = {"action": "pause", "filter": {"ids": names}, "reason": "Holiday <b>there</b>", "dryRun": False}
        assert api.post("/bulk", json=body).json()["counts"] == {"done": 4}
    with opened(browser) as page, site.call() as api:
        signed_in(page, dispatcher, "/?q=bulk-")
        api.patch("/schedules/bulk-02", json={"note": "mine"}, headers={"If-Match": "*"})
        page.get_by_role("link", name="Recent bulk actions").click()
        page.get_by_role("heading", name="Bulk actions").wait_for()
        shot(page, pictures, "receipts")
        row = page.locator("tr", has_text="Holiday <b>there</b>")
        assert "pause of 4 schedules" in row.inner_text()
        row.get_by_role("link").click()
        page.get_by_role("heading", name="Pause of 4 schedules").wait_for()
        assert page.locator("tbody th").all_inner_texts() == sorted(names)
        assert violations(page) == []
        page.locator("#undo").click()
        assert tried(page) == ["1 conflict", "3 to do"]
        assert rows(page)[HOSTILE] == "to do: would be resumed"
        assert violations(page) == []
        shot(page, pictures, "undo-dialog")
        page.get_by_label("Reason").fill("Open again")
        page.keyboard.press("Enter")
        assert done(page) == "Undone for 3 of 4"
        assert rows(page)["bulk-02"].startswith("conflict: somebody has changed it since")
        page.locator("#dialog button", has_text="Close").last.click()
        page.get_by_text("It was undone,").wait_for()
        assert page.locator("#undo").count() == 0
        shot(page, pictures, "receipt")
        left = api.get("/schedules/bulk-02").json()
        assert (left["paused"], left["note"]) == (True, "mine"), "nothing of anybody is overwritten"
        assert not paused(site, "bulk-00")
        resume(api, *fleet)


@pytest.mark.slow
def test_rows_are_selected_and_changed_by_keyboard_alone(site, page, fleet):
    listed(page, site, "?q=bulk-&sort=workflow")
    box(page, "bulk-00").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+X")
    assert page.locator("#bulk-count").inner_text() == "4 schedules selected"
    page.keyboard.press("x")
    assert page.locator("#bulk-count").inner_text() == "3 schedules selected"
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.textContent") == "Pause"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Change 3 schedules").wait_for()
    page.get_by_text("Fill in what shall be another way").wait_for()
    page.get_by_label("Overlap policy").focus()
    page.keyboard.type("buffer one")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("nonsense")
    page.keyboard.press("Tab")
    page.get_by_text("The jitter in seconds is a whole number, not 'nonsense'").wait_for()
    page.get_by_label("Jitter").fill("90")
    page.get_by_role("textbox", name="Note").fill("<i>slow</i>")
    page.keyboard.press("Tab")
    assert tried(page) == ["3 to do"]
    page.get_by_label("Reason").fill("Calmer")
    page.keyboard.press("Enter")
    assert done(page) == "Changed 3 of 3"
    page.keyboard.press("Enter")  # on Close, which has the focus
    page.locator("#dialog").wait_for(state="hidden")
    with site.call() as api:
        found = api.get("/schedules/bulk-01").json()
    assert (found["overlap"], found["jitter"], found["note"]) == ("buffer_one", "PT1M30S", "<i>slow</i>")
    assert page.evaluate("document.activeElement.textContent") == "Change", "the focus is where it was"
    assert page.locator("main i").count() == 0


@pytest.mark.slow
def test_what_is_selected_stays_selected_whatever_happens_to_the_list(site, page, fleet):
    listed(page, site, "?q=bulk-&state=active")
    page.locator("#live[data-state=live]").wait_for()
    box(page, "bulk-12").click()
    box(page, "bulk-13").click()
    with site.call() as api:
        api.post("/schedules/bulk-12/pause", json={"reason": "From elsewhere"})
    page.locator("#said", has_text="bulk-12 is not in this list any more; it stays selected.").wait_for()
    assert page.locator("#bulk-count").inner_text() == "2 schedules selected"
    assert box(page, "bulk-13").is_checked()
    page.reload()
    page.locator("#bulk-elsewhere summary", has_text="1 of them not in view").wait_for()
    assert box(page, "bulk-13").is_checked()
    bar(page).get_by_role("button", name="Resume").click()
    assert tried(page) == ["1 to do", "1 unchanged"]
    page.keyboard.press("Escape")
    page.locator("#bulk-elsewhere summary").click()
    page.get_by_role("button", name="Take out bulk-12").click()
    assert page.locator("#bulk-count").inner_text() == "1 schedule selected"
    page.get_by_role("button", name="Clear").click()
    page.locator("#said", has_text="1 schedule no longer selected.").wait_for()
    assert not bar(page).is_visible()
    with site.call() as api:
        api.post("/schedules/bulk-12/resume", json={"reason": "Back"})


@pytest.mark.slow
def test_all_that_match_are_one_click_and_a_typed_word_away(site, page):
    with site.call() as api, ThreadPoolExecutor(8) as pool:
        bodies = [schedule(id=f"crowd-{n:03}", paused=False) for n in range(103)]
        assert all(one.is_success for one in pool.map(lambda body: api.post("/schedules", json=body), bodies))
    site.wait_for("crowd-", 103)
    listed(page, site, "?q=crowd-")
    page.get_by_label("Select all on this page").click()
    assert page.locator("#bulk-count").inner_text() == "100 schedules selected"
    page.get_by_role("button", name="Select all 103 that match").click()
    page.locator("#bulk-count", has_text="103 schedules selected").wait_for()
    bar(page).get_by_role("button", name="Pause").click()
    assert tried(page) == ["103 to do"]
    page.get_by_label("Reason").fill("Holidays")
    page.get_by_label("Type pause 103").fill("pause 100")
    page.get_by_role("button", name="Pause 103 schedules").click()
    page.get_by_text("Type 'pause 103' to confirm it; nothing was changed.").wait_for()
    assert not paused(site, "crowd-000")
    page.get_by_label("Type pause 103").fill("Pause 103")
    page.get_by_role("button", name="Pause 103 schedules").click()
    page.locator("form[aria-busy=true]").wait_for()
    assert done(page) == "Paused 103 of 103"
    page.get_by_role("button", name="Undo", exact=True).click()
    assert tried(page) == ["103 to do"]
    page.get_by_label("Reason").fill("Over")
    page.get_by_role("button", name="Undo for 103 schedules").click()
    assert done(page) == "Undone for 103 of 103"
    assert not paused(site, "crowd-102")


@pytest.mark.slow
def test_a_resume_says_how_many_missed_ticks_it_starts(site, page):
    for name in ("missing-a", "missing-b"):
        site.new(id=name, cron=None, interval="PT1S", overlap="allow_all", paused=False)
        with site.call() as api:
            api.post(f"/schedules/{name}/pause", json={"reason": "Stop"})
    site.wait_for("missing-", 2)
    listed(page, site, "?q=missing-")
    page.get_by_label("Select all on this page").click()
    bar(page).get_by_role("button", name="Resume").click()
    assert tried(page) == ["2 to do"]
    page.get_by_label("Start the last one of each").check()
    page.get_by_text("2 missed ticks would be started.").wait_for()
    page.get_by_label("Reason").fill("Go on")
    page.get_by_role("button", name="Resume 2 schedules").click()
    assert done(page) == "Resumed 2 of 2"
    assert rows(page) == dict.fromkeys(("missing-a", "missing-b"), "done: 1 missed tick started")
    with site.call() as api:
        for name in ("missing-a", "missing-b"):
            api.post(f"/schedules/{name}/pause", json={"reason": "Stop"})


def test_a_deletion_is_typed_and_what_is_gone_is_not_selected_any_more(site, page, fleet):
    site.new(id="doomed-<b>", paused=True)
    site.wait_for("doomed-", 1)
    listed(page, site, "?q=doomed-")
    box(page, "doomed-<b>").click()
    bar(page).get_by_role("button", name="Delete").click()
    assert tried(page) == ["1 to do"]
    page.get_by_label("Reason").fill("Over")
    page.get_by_role("button", name="Delete 1 schedule").click()
    assert page.locator("#dialog h2").inner_text() == "Delete 1 schedule", "the browser asks for what is to be typed"
    page.get_by_label("Type delete 1").fill("delete 1")
    page.get_by_role("button", name="Delete 1 schedule").click()
    assert done(page) == "Deleted 1 of 1"
    assert page.get_by_role("button", name="Undo").count() == 0
    page.locator("#dialog button", has_text="Close").last.click()
    page.get_by_text("No schedule matches.").wait_for()
    assert not bar(page).is_visible()
    with site.call() as api:
        assert api.get("/schedules/doomed-%3Cb%3E").status_code == 404


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found_beside_the_bar_and_on_receipts(browser, site, fleet, theme, pictures):
    with opened(browser, theme=theme) as page:
        signed_in(page, site, "/?q=bulk-")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            listed(page, site, "?q=bulk-")
            page.get_by_label("Select all on this page").check()
            assert violations(page) == []
        shot(page, pictures, "bulk-bar")
        bar(page).get_by_role("button", name="Change").click()
        page.get_by_text("Fill in what shall be another way").wait_for()
        assert violations(page) == []
        shot(page, pictures, "bulk-change")
        for address in ("receipts", "receipts?action=update&undone=true"):
            page.goto(f"{site.url}/{address}")
            page.get_by_role("heading", name="Bulk actions").wait_for()
            assert violations(page) == []


def test_who_may_only_look_sees_nothing_of_it_and_is_refused(site, fleet):
    with site.call("operator-all") as api:
        body = {"action": "pause", "filter": {"ids": ["bulk-18"]}, "reason": "r", "dryRun": False}
        receipt = api.post("/bulk", json=body).json()["receipt"]["id"]
    form = {"id": "bulk-17", "seen": json.dumps({"bulk-17": "*"}), "reason": "r", "key": "viewer"}
    with site.call("viewer-all") as api:
        shown = api.get(f"{site.url}/").text
        assert "bulk-17" in shown
        assert 'type="checkbox"' not in shown
        assert "Recent bulk actions" in shown
        for path in ("pause", "pause/preview", "pause/do"):
            assert api.post(f"{site.url}/bulk/{path}", data=form).status_code == 403, path
        assert api.get(f"{site.url}/bulk/ids").status_code == 403
        page = api.get(f"{site.url}/receipts/{receipt}")
        assert (page.status_code, "Undo</button>" in page.text) == (200, False)
        assert api.get(f"{site.url}/receipts/{receipt}/undo").status_code == 403
        for path in ("undo", "undo/preview"):
            assert api.post(f"{site.url}/receipts/{receipt}/{path}", data=form).status_code == 403, path
    with site.call("operator-all") as api:
        for action in ("update", "delete"):
            assert api.post(f"{site.url}/bulk/{action}", data=form).status_code == 403
    with site.call("viewer-blue") as api:
        assert api.get(f"{site.url}/receipts/{receipt}").status_code == 404
        assert receipt not in api.get(f"{site.url}/receipts").text
    assert not paused(site, "bulk-17")
    with site.call() as api:
        assert api.post(f"/receipts/{receipt}/undo", json={"reason": "r"}).is_success


def test_nothing_is_sent_without_the_token_of_the_page(site, fleet):
    form = {"id": "bulk-17", "seen": json.dumps({"bulk-17": "*"}), "reason": "r", "key": "no-token"}
    with httpx.Client(base_url=site.url, trust_env=False, headers={"Origin": site.url}) as browser:
        browser.post("/sign-in", data={"token": site.app_access.sign_in.new_link()})
        token = re.search(r'"X-CSRF-Token": "([^"]+)"', browser.get("/").text)[1]
        for path in (
            "/bulk/pause",
            "/bulk/pause/preview",
            "/bulk/pause/do",
            "/receipts/r/undo",
            "/receipts/r/undo/preview",
        ):
            assert browser.post(path, data=form).status_code == 403, path
            assert browser.post(path, data={**form, "csrf_token": "made up"}).status_code == 403, path
        assert browser.post("/bulk/pause/preview", data={**form, "csrf_token": token}).status_code == 200
    assert not paused(site, "bulk-17")


def test_a_form_that_is_sent_twice_is_done_once(site, fleet):
    form = {"id": "bulk-16", "seen": json.dumps({"bulk-16": "*"}), "reason": "Once", "key": "the-same"}
    with site.call() as api:
        answers = [api.post(f"{site.url}/bulk/trigger/do", data=form) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        assert api.get("/schedules/bulk-16").json()["counts"]["actions"] == 1
        other = api.post(f"{site.url}/bulk/trigger/do", data={**form, "reason": "Another"})
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"id": [f"x-{n}" for n in range(MOST + 1)], "seen": json.dumps({"x-1": "*"})},
            f"{MOST + 1} schedules are selected",
        ),
        ({"id": "bulk-15", "seen": json.dumps({"bulk-14": "*"})}, "what was shown is not what is sent"),
        ({"id": "bulk-15", "seen": "{}"}, "at least 1 item"),
        ({"id": "bulk-15", "seen": "nonsense"}, "Invalid JSON"),
        ({"id": "bulk-15", "reason": " "}, "A reason of 1 to 500"),
        ({"id": "bulk-15", "catch_up": "some"}, "none"),
    ],
)
def test_a_form_that_no_dialog_sends_is_refused_in_a_sentence(site, fleet, fields, said):
    form = {"seen": json.dumps({"bulk-15": "*"}), "reason": "r", "key": "odd", **fields}
    with site.call() as api:
        answer = api.post(f"{site.url}/bulk/pause/do", data=form, headers={"HX-Request": "true"})
    assert answer.status_code in {400, 422}
    assert said in answer.text
    assert not paused(site, "bulk-15")


def test_the_bar_and_the_server_agree_on_how_many_go_at_once(site):
    with site.call() as api:
        assert f'data-most="{MOST}"' in api.get(f"{site.url}/").text


def test_without_a_database_it_is_done_and_said_that_it_cannot_be_undone(site, fleet):
    with site.also(lambda: create_app(site.options, site.client), "operator-all") as api:
        assert "Recent bulk actions" not in api.get("/").text
        form = {"id": "bulk-14", "seen": json.dumps({"bulk-14": "*"}), "reason": "r", "key": "k"}
        page = api.post("/bulk/pause/do", data=form).text
        assert "It cannot be undone from here:" in page
        assert api.get("/receipts").status_code == 400
        form = {"id": "bulk-14", "seen": json.dumps({"bulk-14": "*"}), "reason": "r", "key": "k"}
        assert "Resumed 1 of 1" in api.post("/bulk/resume/do", data=form).text
