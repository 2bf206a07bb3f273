"""The rows of the first page: what each says, what can be done with it, and the keys that do it."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from browser import opened, signed_in
from seeded import plant

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
NAMES = ("r-alpha", "r-bravo", "r-charlie", "r-delta")
UI = "https://temporal.example.com"


@pytest.fixture(scope="module")
def rows(site):
    """Four schedules: one runs, one was half on time, one has a label, one is paused with a reason."""
    for number, name in enumerate(NAMES):
        more = {"workflow": "Unknown"} if name == "r-alpha" else {}
        labels = {"team": "dispatch"} if name == "r-charlie" else {}
        site.new(id=name, paused=False, owner=f"owner-{9 - number}", labels=labels, **more)
    last = datetime.now(UTC).replace(microsecond=0) - MINUTE
    plant(site, "r-bravo", ["on_time", "late"] * 3, every=MINUTE, last=last)
    with site.call() as api:
        assert api.post("/schedules/r-delta/pause", json={"reason": "Month end"}).is_success
        assert api.post("/schedules/r-alpha/trigger", json={"reason": "For the test"}).is_success
        site.wait_for("r-", len(NAMES))
        deadline = time.monotonic() + 20
        while api.get("/schedules", params={"paused": True}).json()["total"] != 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    return site


@pytest.fixture
def overview(rows, page):
    page.goto(f"{rows.url}/")
    page.locator("#s-r-alpha").wait_for()
    return page


def shown(page):
    return page.locator(".schedules tbody th").all_inner_texts()


def test_a_row_says_how_it_stands(overview):
    deadline = time.monotonic() + 20
    while "running" not in overview.locator("#s-r-alpha").inner_text():
        assert time.monotonic() < deadline
        overview.reload()
    assert "began" in overview.locator("#s-r-alpha").inner_text()
    assert "50%" in overview.locator("#s-r-bravo").inner_text()
    assert overview.locator("#s-r-bravo .tiny svg").count() == 6
    paused = overview.locator("#s-r-delta").inner_text()
    assert "Paused by admin-all: Month end" in paused
    assert "ago" in paused
    assert "not before it is resumed" in paused
    assert "Ship on orders" in paused


def test_headings_sort_and_the_back_button_goes_back(rows, overview):
    assert shown(overview) == list(NAMES)
    overview.get_by_role("link", name="Owner", exact=True).click()
    overview.wait_for_url("**sort=owner**")
    assert shown(overview) == list(NAMES)[::-1]
    assert overview.locator("[aria-sort=ascending]").inner_text() == "Owner"
    overview.get_by_role("link", name="Owner", exact=True).click()
    overview.wait_for_url("**descending=true**")
    assert shown(overview) == list(NAMES)
    overview.locator("#label").select_option("team=dispatch")
    overview.wait_for_url("**label=team%3Ddispatch**")
    overview.get_by_role("heading", name="1 schedule", exact=True).wait_for()
    assert "sort=owner" in overview.url
    overview.go_back()
    overview.get_by_role("heading", name="4 schedules").wait_for()
    assert overview.locator("#label").input_value() == ""
    overview.go_back()
    overview.locator("[aria-sort=ascending]").wait_for()
    assert shown(overview) == list(NAMES)[::-1]


@pytest.mark.slow
def test_keys_go_along_the_rows_and_do_things(rows, overview):
    press = overview.keyboard.press
    press("j")
    press("j")
    press("ArrowDown")
    assert overview.evaluate("document.activeElement.textContent") == "r-charlie"
    press("k")
    press("End")
    assert overview.evaluate("document.activeElement.textContent") == "r-delta"
    press("Home")
    press("ArrowDown")
    press("p")
    overview.get_by_role("heading", name="Pause r-bravo").wait_for()
    overview.keyboard.type("By keys")
    press("Enter")
    overview.locator("#s-r-bravo", has_text="By keys").wait_for()
    overview.locator("#s-r-bravo :focus").wait_for()  # it comes back to where the dialog was asked for
    press("p")
    overview.get_by_role("heading", name="Resume r-bravo").wait_for()
    overview.keyboard.type("By keys again")
    press("Enter")
    overview.locator("#s-r-bravo").get_by_text("late", exact=True).wait_for()
    overview.locator("#s-r-bravo :focus").wait_for()
    press("j")
    press("r")
    overview.get_by_role("heading", name="Run r-charlie now").wait_for()
    press("Escape")
    overview.locator("#s-r-charlie :focus").wait_for()
    press("b")
    overview.wait_for_url("**/schedules/r-charlie#backfill-title")


def test_keys_are_listed_and_can_be_turned_off(overview):
    overview.keyboard.press("?")
    overview.get_by_role("heading", name="Keys").wait_for()
    overview.locator("#keys-on:focus").wait_for()
    overview.keyboard.press("Space")
    overview.keyboard.press("Escape")
    overview.reload()
    overview.locator("#s-r-alpha th a").focus()
    overview.keyboard.press("j")
    overview.keyboard.press("/")
    assert overview.evaluate("document.activeElement.textContent") == "r-alpha"
    overview.keyboard.press("ArrowDown")
    assert overview.evaluate("document.activeElement.textContent") == "r-bravo"
    overview.locator("#keys").click()
    overview.locator("#keys-on:focus").wait_for()
    assert not overview.locator("#keys-on").is_checked()
    overview.keyboard.press("Space")
    overview.keyboard.press("Escape")
    overview.keyboard.press("/")
    assert overview.evaluate("document.activeElement.id") == "q"


def test_a_key_pressed_before_a_dialog_is_quite_gone_keeps_the_focus_it_took(overview):
    overview.locator("#keys").click()
    overview.locator("#keys-on:focus").wait_for()
    overview.evaluate(
        """() => new Promise((done) => {
            const dialog = document.getElementById("dialog");
            dialog.addEventListener("close", () => setTimeout(done));
            dialog.close();
            document.getElementById("q").focus(); // as "/" does
        })"""
    )
    assert overview.evaluate("document.activeElement.id") == "q"


def test_who_may_change_some_sees_buttons_on_those(rows, browser):
    with rows.call("operator-dispatch") as api:
        page = api.get(f"{rows.url}/").text
    assert "r-charlie" in page
    assert "r-alpha" not in page
    assert 'data-act="pause"' in page
    with rows.call("viewer-dispatch") as api:
        assert "data-act" not in api.get(f"{rows.url}/").text


def test_an_address_that_is_none_is_a_page_that_says_so(rows, browser):
    with opened(browser) as page:
        signed_in(page, rows)
        page.goto(f"{rows.url}/?kind=nonsense&fires_from=never")
        assert "kind" in page.locator("main").inner_text()
        page.get_by_role("link", name="All schedules").click()
        page.locator("#s-r-alpha").wait_for()
