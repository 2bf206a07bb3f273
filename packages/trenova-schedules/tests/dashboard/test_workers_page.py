"""The page of workers, fed from memory: what is shown, what is ordered and as whom, and what is shown of failures."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from api_site import ApiSite
from browser import opened, pictured, signed_in, violations
from pools_in_memory import AWAY, HOSTILE, PoolsInMemory

from trenova_errors import AmbiguousOutcomeError, PermissionDeniedError
from trenova_schedules.dashboard.workers import _sights
from trenova_schedules.worker_pools import NoPoolManagerError, PoolOverride

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An application with three pools."""
    with ApiSite(tmp_path_factory.mktemp("workers"), pools=PoolsInMemory()) as made:
        yield made


@pytest.fixture(autouse=True)
def _anew(site):
    """Every test has the pools as they are at first, and what was seen before is not shown as fresh."""
    site.pools.__init__()
    app = site.app
    while not hasattr(app, "state"):
        app = next(value for name, value in vars(app).items() if name in {"_app", "app"})
    app.state.sights = _sights.Sights(site.pools)


def raw(site, caller, method, path, **more):
    headers = {"Authorization": f"Bearer {site.tokens[caller]}"}
    return httpx.request(method, f"{site.url}{path}", headers=headers, trust_env=False, timeout=30, **more)


def test_all_pools_are_shown_with_what_was_decided_and_why(page, site):
    page.get_by_role("link", name="Workers").click()
    pool = page.get_by_role("region", name="shipments")
    pool.wait_for()
    for said in ("changing", "3 of 6 running, 3 starting", "1 to 8 allowed", "140", "oldest 21 s", "target 20 s"):
        assert said in " ".join(pool.inner_text().split()), said
    for said in ("12.4, 9.1", "24 of 30", "3 more workers start", "trigger age", "no more at once"):
        assert said in " ".join(pool.inner_text().split()), said
    assert "contended: another writer" in page.get_by_role("region", name="notifications").inner_text()
    assert "2 not its own" in page.get_by_role("region", name="notifications").inner_text()
    assert "lease 7" in page.locator("#pools").inner_text()
    assert "bounds not known" in page.locator(".pool").nth(2).inner_text()


def test_hostile_names_are_text_and_have_a_page(page, site):
    page.goto(f"{site.url}/workers")
    page.get_by_role("link", name=HOSTILE).click()
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    page.get_by_role("button", name="Pause").click()
    assert HOSTILE in page.locator("#dialog h2").inner_text()
    page.get_by_label("Reason").fill(HOSTILE)
    page.locator("#dialog").get_by_role("button", name="Pause").click()
    page.get_by_text("Paused by", exact=False).wait_for()
    assert page.locator("img").count() == 0
    assert site.pools.orders[0]["reason"] == HOSTILE


def test_one_pool_is_shown_with_workers_past_and_decisions(page, site):
    page.goto(f"{site.url}/workers/shipments")
    rows = page.locator("table.workers tbody tr")
    assert rows.count() == 6
    first = " ".join(rows.first.inner_text().split())
    for said in ("shipments-worker@yard-1:4300#0a0b0c00", "yard-1, process 4300", "3 s ago", "workflows 3 of 20"):
        assert said in first, said
    assert "activities 5" in first
    stale = " ".join(rows.nth(2).inner_text().split())
    assert "stale" in stale
    assert "more than 15 s" in stale
    assert "Ada: it leaks" in stale
    assert "no heartbeat yet" in rows.nth(3).inner_text()
    assert page.locator("figure.past svg g").count() == 109
    assert page.locator(".decisions > li").count() == 20
    one = page.locator(".decisions > li").first
    one.locator("summary").click()
    told = " ".join(one.locator(".inputs").inner_text().split())
    assert "observation.workers.running3" in told
    assert "observation.upcomingtasks 3.5" in told
    assert "clamp" not in told
    page.get_by_role("link", name="Older").click()
    page.locator("#decision-480").wait_for()
    page.get_by_role("link", name="Newest").click()
    page.get_by_role("link", name="Those that changed the number").click()
    page.locator("#decision-490").wait_for()
    assert page.locator("#decision-499").count() == 0


def test_the_page_follows_and_keeps_what_is_open(page, site):
    page.goto(f"{site.url}/workers/shipments")
    page.locator(".decisions > li").first.locator("summary").click()
    site.pools.change("shipments", running=6, starting=0, phase="steady", why="The number fits.")
    page.get_by_role("region", name="Now").get_by_text("The number fits.").wait_for()
    assert page.locator(".decisions > li").first.locator("details").get_attribute("open") is not None


def test_an_override_is_told_before_it_is_done_and_is_the_persons(page, site):
    page.goto(f"{site.url}/workers")
    page.get_by_role("button", name="Override shipments").press("Enter")
    page.get_by_label("Workers").fill("9")
    page.get_by_text("Its policy allows no more than 8").wait_for()
    page.get_by_label("Workers").fill("")
    page.get_by_text("Workers are a number from 0").wait_for()
    page.get_by_label("Workers").fill("2")
    page.get_by_label("For how many minutes").fill("90")
    page.get_by_text("4 would be drained").wait_for()
    page.get_by_text("stay so for 1 h 30 min").wait_for()
    dialog = page.locator("#dialog")
    dialog.get_by_role("button", name="Fix the number").click()
    assert site.pools.orders == [], "without a reason nothing is done"
    page.get_by_label("Reason").fill("The yard closes early")
    dialog.get_by_role("button", name="Fix the number").click()
    pool = page.get_by_role("region", name="shipments")
    pool.get_by_text("Override: 2 workers until").wait_for()
    [order] = site.pools.orders
    assert (order["what"], order["pool"], order["count"]) == ("override", "shipments", 2)
    assert order["by"] == page.locator(".me").inner_text()
    assert timedelta(minutes=89) < order["until"] - datetime.now(UTC) <= timedelta(minutes=90)

    page.get_by_role("button", name="Let load decide about shipments").click()
    page.get_by_text("Ends the override to 2").wait_for()
    page.get_by_label("Reason").fill("It opened again")
    dialog.get_by_role("button", name="Let load decide").click()
    pool.get_by_text("Override:").wait_for(state="detached")
    assert [one["what"] for one in site.pools.orders] == ["override", "resume"]


def test_what_the_manager_refuses_is_said_in_the_dialog(page, site):
    page.goto(f"{site.url}/workers/shipments")
    for refused in (
        PermissionDeniedError("The pool manager does not let this program do that."),
        AmbiguousOutcomeError("The order was sent, and nobody knows whether it took effect."),
    ):
        site.pools.refuses = refused
        page.get_by_role("button", name="Pause shipments").click()
        page.get_by_label("Reason").fill("x")
        page.locator("#dialog").get_by_role("button", name="Pause").click()
        page.locator("#dialog-error").get_by_text(refused.message).wait_for()
        page.keyboard.press("Escape")


@pytest.mark.slow
def test_a_manager_out_of_reach_is_said_since_when_and_the_last_figures_are_marked_as_old(page, site):
    page.goto(f"{site.url}/workers")
    page.get_by_role("region", name="shipments").wait_for()
    site.pools.away = AWAY
    page.get_by_text("Not current since").wait_for()
    assert AWAY in page.locator(".notice").inner_text()
    assert "old" in page.locator(".notice").inner_text()
    assert page.locator(".seen[data-old]").count() == 1
    assert "3 of 6 running" in " ".join(page.get_by_role("region", name="shipments").inner_text().split())
    assert page.get_by_role("button", name="Override shipments").count() == 0
    since = page.locator(".notice time").first.get_attribute("datetime")
    page.wait_for_timeout(6000)
    assert page.locator(".notice time").first.get_attribute("datetime") == since, "since the first failure"
    site.pools.away = None
    page.get_by_text("Not current since").wait_for(state="detached")
    assert page.locator(".seen[data-old]").count() == 0


def test_a_manager_that_was_never_reached_is_no_failure_of_the_page(site):
    site.pools.away = AWAY
    for path in ("/workers", "/workers/shipments"):
        answer = raw(site, "admin-all", "GET", path)
        assert answer.status_code == 200
        assert AWAY in answer.text
        assert "Nothing has been seen yet" in answer.text
    assert raw(site, "admin-all", "GET", "/workers/shipments/override").status_code == 503


def test_a_pool_that_there_is_not_is_said(site):
    answer = raw(site, "admin-all", "GET", "/workers/none")
    assert answer.status_code == 404
    assert "No pool with id" in answer.text


def test_whoever_has_a_role_on_some_schedules_only_sees_no_pools_and_a_viewer_orders_nothing(site):
    for caller in ("admin-acme", "nobody"):
        assert raw(site, caller, "GET", "/workers").status_code == 403
    home = raw(site, "admin-acme", "GET", "/")
    assert home.status_code == 200
    assert 'href="/workers"' not in home.text
    page = raw(site, "viewer-all", "GET", "/workers/shipments")
    assert page.status_code == 200
    assert "<button" not in re.sub(r"(?s)<dialog.*", "", page.text)
    order = {"count": "2", "minutes": "5", "reason": "x"}
    assert raw(site, "viewer-all", "POST", "/workers/shipments/override", data=order).status_code == 403
    for action in ("pause", "resume"):
        assert raw(site, "viewer-all", "POST", f"/workers/shipments/{action}", data={"reason": "x"}).status_code == 403
        assert raw(site, "viewer-all", "GET", f"/workers/shipments/{action}").status_code == 403
    assert site.pools.orders == []


def test_an_order_needs_the_token_of_the_page_and_a_reason(browser, site):
    with opened(browser) as page:
        signed_in(page, site, "/workers")
        sent = page.request.post(
            f"{site.url}/workers/shipments/pause", form={"reason": "x"}, headers={"Origin": site.url}
        )
        assert sent.status == 403
    for wrong in ({"reason": " "}, {}, {"reason": "x" * 501}):
        assert raw(site, "operator-all", "POST", "/workers/shipments/pause", data=wrong).status_code == 422
    for count, minutes in (("-1", "5"), ("2", "0"), ("2", "99999"), ("x", "5"), ("1e3", "5")):
        wrong = {"count": count, "minutes": minutes, "reason": "x"}
        assert raw(site, "operator-all", "POST", "/workers/shipments/override", data=wrong).status_code == 422
    assert site.pools.orders == []


def test_a_hundred_people_are_one_question_to_the_manager(site):
    for _ in range(10):
        assert raw(site, "viewer-all", "GET", "/workers").status_code == 200
    assert site.pools.asked <= 4


def test_without_a_manager_the_page_says_how_to_get_one(site):
    async def none(*_, **__):
        raise NoPoolManagerError("none")

    site.pools.pools = site.pools.pool = none
    try:
        for path in ("/workers", "/workers/shipments"):
            answer = raw(site, "viewer-all", "GET", path)
            assert answer.status_code == 200
            assert "trenova-workers up --pools 4" in answer.text
    finally:
        del site.pools.pools, site.pools.pool
    with opened_without(site) as client:
        assert "trenova-workers pool run" in client.get("/workers").text


def opened_without(site):
    from trenova_schedules.server import create_app

    return site.also(lambda: create_app(site.options, site.client), caller="viewer-all")


def test_nothing_that_acts_is_shown_where_nobody_leads(site):
    manager = site.pools.manager.model_copy(update={"acting": False})
    site.pools.manager = manager
    site.pools.change("shipments", managed=False)
    text = raw(site, "viewer-all", "GET", "/workers").text
    assert "No manager acts." in text
    assert "crashed ones are not made up for" in text


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/workers", "/workers/shipments"])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(browser, site, pictures, path):
    site.pools.change("notifications", phase="paused")
    with opened(browser) as page:
        signed_in(page, site, path)
        page.locator("#live[data-state=live]").wait_for()
        if path.endswith("shipments"):
            page.locator("summary").first.click()
            page.locator(".decisions summary").first.click()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert violations(page) == []
        pictured(page, pictures, "workers" if path == "/workers" else "pool")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Override shipments").click()
        page.get_by_text("Fix the number").wait_for()
        assert violations(page) == []
        page.screenshot(path=pictures / f"override-{len(path)}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_axe_finds_nothing_in_what_is_old_or_missing(browser, site, pictures):
    with opened(browser) as page:
        signed_in(page, site, f"/workers/{quote(HOSTILE, safe='')}")
        site.pools.away = AWAY
        page.get_by_text("Not current since").wait_for()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert violations(page) == []
        pictured(page, pictures, "pool-old")


@pytest.mark.slow
def test_picture_of_the_guide(browser, site, pictures):
    del site.pools.known[HOSTILE]
    until = datetime.now(UTC) + timedelta(minutes=40)
    override = {"count": 2, "until": until, "by": "Ada", "reason": "The mail provider lets 2 through until its upgrade"}
    why = "Held at 2 workers until the override by Ada ends."
    told = {"phase": "steady", "why": why, "desired": 2, "running": 2, "foreign": 0}
    site.pools.change("notifications", override=PoolOverride(**override), **told)
    with opened(browser, zone="America/Chicago") as page:
        signed_in(page, site, "/workers")
        page.locator("#live[data-state=live]").wait_for()
        page.get_by_text("Override: 2 workers until").wait_for()
        page.set_viewport_size({"width": 1280, "height": 760})
        page.screenshot(path=pictures / "dashboard-workers.png")
    assert (pictures / "dashboard-workers.png").stat().st_size > 10_000
