"""The first page: what needs somebody, and every schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import fail, plant

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def fleet(site):
    """Some schedules, and trouble with four of them."""
    for n in range(24):
        name = f"fleet-{n:02}"
        site.new(id=name, paused=n % 6 == 5, owner=f"owner-{n % 3}", note="<i>Nobody</i> works" if n == 5 else "")
        plant(site, name, ["on_time"] * 12, every=MINUTE, last=datetime.now(UTC).replace(microsecond=0) - MINUTE)
    missed = plant(site, "fleet-07", ["on_time", "real_miss", "real_miss"])
    plant(site, "fleet-09", ["missed_catchup"])
    fail(site, "fleet-11", missed[0].at)
    site.wait_for("fleet-", 24)
    return missed


@pytest.fixture
def overview(site, page, fleet):
    page.goto(f"{site.url}/")
    page.locator(".schedules tbody tr").first.wait_for()
    return page


def shown(page):
    return page.locator(".schedules tbody th").all_inner_texts()


def test_what_needs_somebody_is_first_and_leads_to_exactly_that(site, overview, fleet, pictures):
    concerns = overview.locator(".concerns li").all_inner_texts()
    assert "fleet-07 2 ticks missed, since" in concerns[0]
    assert "fleet-09 1 tick missed, too late to catch up, since" in " ".join(concerns)
    assert "fleet-11 misses its objective" in concerns[2]
    assert "paused\nfleet-05 <i>Nobody</i> works" in concerns[3]
    assert "The ledger is behind" not in overview.locator("main").inner_text()
    pictured(overview, pictures, "overview")
    overview.set_viewport_size({"width": 1440, "height": 900})
    overview.get_by_role("link", name="fleet-07").first.click()
    overview.wait_for_url("**/schedules/fleet-07?start=**")
    overview.locator("#ticks tbody tr").first.wait_for()
    assert overview.locator("#ticks tbody tr").count() == 2


def test_search_filters_and_states_are_in_the_address(site, overview):
    assert len(shown(overview)) == 24
    overview.keyboard.press("/")
    overview.keyboard.type("fleet-1")
    overview.wait_for_url("**q=fleet-1**")
    overview.get_by_role("heading", name="10 schedules").wait_for()
    overview.locator("#owner").select_option("owner-1")
    overview.get_by_role("heading", name="4 schedules").wait_for()
    assert shown(overview) == ["fleet-10", "fleet-13", "fleet-16", "fleet-19"]
    address = overview.url
    overview.goto(f"{site.url}/?state=paused")
    assert shown(overview) == ["fleet-05", "fleet-11", "fleet-17", "fleet-23"]
    overview.goto(address)
    assert overview.locator("#q").input_value() == "fleet-1"
    assert len(shown(overview)) == 4
    overview.get_by_role("link", name="paused 0").click()
    overview.get_by_text("No schedule is paused.").wait_for()
    overview.get_by_role("link", name="Show all that match").click()
    overview.locator("#q").fill("no such thing")
    overview.get_by_text("No schedule matches.").wait_for()
    overview.go_back()


def test_hostile_text_is_text(overview):
    row = overview.locator("tr", has_text="fleet-05")
    assert "<i>Nobody</i> works" in row.inner_text()
    assert overview.locator("main i").count() == 0


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found(browser, site, fleet, theme):
    for width in ("wide", "narrow"):
        with opened(browser, theme=theme, width=width) as page:
            signed_in(page, site)
            page.locator(".schedules tbody tr").first.wait_for()
            assert violations(page) == []


def test_what_happens_elsewhere_shows_and_what_is_typed_stays(site, overview):
    overview.locator("#live[data-state=live]").wait_for()
    overview.locator("#q").fill("fleet-02")
    overview.get_by_role("heading", name="1 schedule", exact=True).wait_for()
    with site.call() as api:
        assert api.post("/schedules/fleet-02/pause", json={"reason": "From elsewhere"}).is_success
    overview.locator("#s-fleet-02", has_text="From elsewhere").wait_for()
    assert overview.locator("#q").input_value() == "fleet-02"
    assert overview.evaluate("document.activeElement.id") == "q"
    with site.call() as api:
        assert api.post("/schedules/fleet-02/resume", json={"reason": "Back"}).is_success


def test_who_sees_some_schedules_sees_only_those(site, fleet):
    site.new(id="of-acme", labels={"organization": "acme"})
    site.wait_for("of-acme", 1)
    with site.call("viewer-acme") as api:
        page = api.get(f"{site.url}/").text
    assert "of-acme" in page
    assert "fleet-" not in page
    with site.call("nobody") as api:
        answer = api.get(f"{site.url}/")
    assert answer.status_code == 403
    assert "of-acme" not in answer.text
