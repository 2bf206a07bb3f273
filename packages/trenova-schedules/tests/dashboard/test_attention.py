"""What needs attention: every kind of trouble, how bad it is, and the step that mends it."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from browser import EACH_THEME, opened, pictured, signed_in, violations
from seeded import HOUR, fail, plant
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
RUNBOOK = "https://runbooks.example.com/{id}"
KINDS = {
    "missed": "t-missed",
    "failing": "t-failing",
    "last run failed": "t-failed",
    "no worker": "nowhere",
    "runs too long": "t-stuck",
    "behind": "t-behind",
    "late": "t-late",
    "paused": "t-paused",
}


async def _foreign(client):
    """One on a queue that nobody polls."""
    action = ScheduleActionStartWorkflow("Ship", id="t-unserved", task_queue="nowhere")
    await client.create_schedule(
        "t-unserved", Schedule(action=action, spec=ScheduleSpec(cron_expressions=["0 0 1 1 *"]))
    )


async def _terminate(client):
    async for run in client.list_workflows("WorkflowType = 'Unknown' AND WorkflowId STARTS_WITH 't-failed'"):
        await client.get_workflow_handle(run.id, run_id=run.run_id).terminate("planted")


def _until(what, holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def troubled(site):
    """One schedule of each kind of trouble, and one that is well."""
    for name in ("t-missed", "t-late", "t-behind", "t-failing", "t-well", "t-paused"):
        runbook = RUNBOOK if name == "t-missed" else None
        site.new(id=name, paused=False, runbook=runbook, cron="17 * * * *" if name == "t-well" else "0 0 1 1 *")
    # Nobody registers this workflow, so that its runs go on; its queue is polled.
    for name, limit in (("t-stuck", "PT1S"), ("t-failed", None)):
        site.new(id=name, paused=False, workflow="Unknown", slo={"maxRunTime": limit} if limit else None)
    last = datetime.now(UTC).replace(microsecond=0) - HOUR
    plant(site, "t-well", ["on_time"] * 9, every=MINUTE, last=last)
    missed = plant(site, "t-missed", ["on_time", "real_miss", "missed_catchup", "on_time"], last=last)
    plant(site, "t-late", ["late", "late"], last=last)
    plant(site, "t-behind", ["on_time", "skipped_overlap"] * 5, every=10 * MINUTE, last=last, took=15 * MINUTE)
    fail(site, "t-failing", last)
    site.do(_foreign)
    with site.call() as api:
        assert api.post("/schedules/t-paused/pause", json={"reason": "The ERP is <b>down</b>"}).is_success
        for name in ("t-stuck", "t-failed"):
            assert api.post(f"/schedules/{name}/trigger", json={"reason": "For the test"}).is_success
        site.wait_for("t-", 9)
        runs = lambda name: api.get(f"/schedules/{name}").json()["recentRuns"]  # noqa: E731
        _until("no run of t-failed", lambda: runs("t-failed"))
        site.do(_terminate)
        _until("it was not terminated", lambda: runs("t-failed")[-1]["status"] == "terminated")
        _until("t-stuck does not run", lambda: runs("t-stuck")[-1]["status"] == "running")
    return missed


@pytest.fixture
def overview(site, page, troubled):
    page.goto(f"{site.url}/")
    # The list of the server is late by a moment.
    _until("not every kind is there", lambda: page.reload() and page.locator(".kinds li").count() == len(KINDS))
    return page


def line(page, text):
    return page.locator(".concerns li", has_text=text)


@pytest.mark.slow
def test_every_kind_is_named_and_the_worst_come_first(overview, pictures):
    assert [one.strip() for one in overview.locator(".concerns .badge").all_inner_texts()] == list(KINDS)
    for kind, name in KINDS.items():
        assert name in overview.locator(".concerns li", has=overview.get_by_text(kind, exact=True)).inner_text()
    assert overview.locator(".level h3").all_inner_texts() == [
        "Broken work is not done",
        "Slipping work is late, or soon will be",
        "Held nothing starts by itself",
    ]
    assert "2 ticks" not in line(overview, "t-missed").inner_text()
    assert "1 tick missed, 1 tick missed, too late to catch up, since" in line(overview, "t-missed").inner_text()
    assert "up to 4 min" in line(overview, "t-late").inner_text()
    assert (
        "runs every 20 min instead of every 10 min; half of its runs take 15 min"
        in line(overview, "t-behind").inner_text()
    )
    assert "its limit is 1 s" in line(overview, "t-stuck").inner_text()
    assert "nobody polls task queue 'nowhere'" in line(overview, "nowhere").inner_text()
    assert "Paused by admin-all: The ERP is <b>down</b>, since" in line(overview, "t-paused").inner_text()
    assert "t-well" not in overview.locator("#attention").inner_text()
    assert "9 schedules looked at, the oldest look" in overview.locator("#attention .asof").inner_text()
    overview.locator("#live[data-state=live]").wait_for()
    overview.locator("#load .legend").wait_for()
    pictured(overview, pictures, "overview-attention")


def test_each_has_its_next_step(site, overview, troubled):
    steps = {
        "t-failing": "/schedules/t-failing",
        "t-behind": "#durations-title",
        "t-late": "&only=late",
        "nowhere": "/?kind=unserved&queue=nowhere#list-title",
    }
    for name, address in steps.items():
        assert address in line(overview, name).locator("[data-step]").get_attribute("href")
    runbook = line(overview, "t-missed").get_by_role("link", name="Runbook of t-missed")
    assert runbook.get_attribute("href") == "https://runbooks.example.com/t-missed"
    line(overview, "t-paused").get_by_role("button", name="Resume").click()
    overview.get_by_role("heading", name="Resume t-paused").wait_for()
    overview.get_by_role("button", name="Cancel").click()
    line(overview, "t-failed").get_by_role("button", name="Run now").click()
    overview.get_by_role("heading", name="Run t-failed now").wait_for()


@pytest.mark.slow
def test_a_kind_narrows_the_list(overview):
    overview.locator(".kinds").get_by_role("link", name="late").click()
    overview.wait_for_url("**/?kind=late#list-title")
    assert overview.locator(".schedules tbody th").all_inner_texts() == ["t-late"]
    overview.get_by_role("link", name="List the others too").click()
    overview.get_by_role("heading", name="9 schedules").wait_for()
    overview.get_by_role("link", name="need attention").click()
    overview.get_by_role("heading", name="7 schedules").wait_for()
    assert {"t-paused", "t-well"}.isdisjoint(overview.locator(".schedules tbody th").all_inner_texts())


def test_who_may_only_look_gets_no_buttons(site, troubled):
    with site.call("viewer-all") as api:
        page = api.get(f"{site.url}/").text
    assert "t-missed" in page
    assert ">Resume" not in page
    assert 'data-act="pause"' not in page
    assert "/overview/backfill/t-missed" not in page
    with site.call("viewer-all") as api:
        assert api.get(f"{site.url}/overview/backfill/t-missed").status_code == 403


@pytest.mark.parametrize("theme", EACH_THEME)
def test_no_barrier_is_found(browser, site, troubled, theme):
    for width in ("wide", "narrow"):
        with opened(browser, theme=theme, width=width) as page:
            signed_in(page, site)
            page.locator("#load .legend").wait_for()
            assert violations(page) == []
            if width == "wide":
                page.locator("#keys").click()
                page.get_by_role("heading", name="Keys").wait_for()
                assert violations(page) == []


def test_a_missed_window_is_backfilled_without_leaving_and_says_so(site, overview, troubled, pictures):
    line(overview, "t-missed").get_by_role("button", name="Backfill").click()
    overview.locator("#backfill-reason:focus").wait_for()
    overview.get_by_text("There is nothing to run.").or_(overview.get_by_role("button", name="Start")).wait_for()
    assert overview.locator("#backfill input[name=start]").input_value() == f"{troubled[1].at:%Y-%m-%dT%H:%M:%S}"
    pictured(overview, pictures, "overview-backfill")
    assert violations(overview) == []
    overview.get_by_role("button", name="Close").click()
    assert overview.locator("#mend").inner_text() == ""
    assert overview.evaluate("document.activeElement.textContent") == "Backfill t-missed"
