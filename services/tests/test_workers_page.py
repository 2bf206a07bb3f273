"""The page of workers of a real `up`: its own pool manager, its own console, a browser."""

import json
import re
import shutil
import signal
import sqlite3
from contextlib import contextmanager
from importlib.util import find_spec

import psutil
import pytest
from service_processes import eventually
from up_process import Up

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("playwright") is None, reason="Playwright is in the root environment only"),
    pytest.mark.slow,
    pytest.mark.timeout(400),
]

ME = "Zoë O'Neil"
SERVER = {
    "access": {
        "sign_in": {"cookie": "trenova-schedules", "subject": ME, "grants": [{"resource": "*", "role": "operator"}]}
    }
}
POOLS = {
    "pools": {
        "system": {
            "process": {"service": "system-worker"},
            "policy": {"minWorkers": 1, "maxWorkers": 3, "waitTargetS": 20, "pollS": 5},
        }
    }
}


@contextmanager
def chromium():
    """A page of somebody new."""
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if binary is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=binary, args=flags)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        try:
            yield page
        finally:
            browser.close()


def audit(folder):
    """What the pools' own audit trail says of orders."""
    with sqlite3.connect(folder / "pools.db") as database:
        query = "SELECT actor, action, reason, detail FROM trenova_jobs_worker_pool_audit WHERE source = 'rest'"
        return [(*row[:3], json.loads(row[3] or "{}")) for row in database.execute(query)]


def manager_of(up):
    """The process of the pool manager."""
    return next(
        (one for one in up.family() if one.status() != psutil.STATUS_ZOMBIE and "--serve" in one.cmdline()), None
    )


@pytest.fixture
def up(tmp_path):
    """An `up` with a pool of one to three system-workers."""
    file = tmp_path / "pools.yaml"
    file.write_text(json.dumps(POOLS))
    server = tmp_path / "schedules-server.yaml"
    server.write_text(json.dumps(SERVER))
    options = ["--pools", str(file), "--only", "system-worker"]
    made = Up(tmp_path / "data", *options, TRENOVA_SCHEDULES_SERVER_CONFIG=str(server))
    try:
        made.until("^Ready after", 240)
        yield made
        assert made.end(signal.SIGTERM, 120) == 0, made.printed  # a killed `up` would leave its workers behind
    finally:
        made.close()


@pytest.mark.slow
def test_up_with_pools_shows_them_and_orders_are_the_persons(up):
    link = json.loads((up.folder / "consoles" / "dashboard.json").read_text())["sign_in"]
    with chromium() as page:
        page.goto(link)
        page.get_by_role("link", name="Workers").click()
        _shows_the_pool(page)
        _overrides(page, up)
        _survives_its_manager(page, up)
        page.get_by_role("button", name="Let load decide about system").click()
        page.get_by_label("Reason").fill("Done")
        page.locator("#dialog").get_by_role("button", name="Let load decide").click()
        page.get_by_text("Override:").wait_for(state="detached")
    assert [(one[0], one[1]) for one in audit(up.folder)] == [(ME, "override"), (ME, "resume")]


def _shows_the_pool(page):
    pool = page.get_by_role("region", name="system")
    pool.get_by_text("1 of 1 running").wait_for()
    assert "1 to 3 allowed" in pool.inner_text()
    assert "target 20 s" in pool.inner_text()
    page.get_by_role("link", name="system", exact=True).click()
    row = page.locator("table.workers tbody tr")
    row.get_by_text("workflows", exact=False).wait_for()
    pid = int(re.search(r"process (\d+)", row.inner_text())[1])
    assert "system_worker" in " ".join(psutil.Process(pid).cmdline())
    assert "temporal-python" in row.inner_text()
    assert " ago" in row.inner_text()
    assert page.locator(".decisions > li").count() >= 1
    assert page.locator("figure.past svg g").count() >= 1


def _overrides(page, up):
    page.get_by_role("button", name="Override system").click()
    page.locator("#dialog").get_by_label("Workers").fill("2")
    page.get_by_text("1 more would be started").wait_for()
    page.get_by_label("For how many minutes").fill("30")
    page.get_by_label("Reason").fill("Month end")
    page.get_by_role("button", name="Fix the number").click()
    page.get_by_text("Override: 2 workers until").wait_for()
    page.get_by_text("2 of 2 running").wait_for(timeout=90_000)
    [(actor, action, reason, detail)] = audit(up.folder)
    assert (actor, action, reason) == (ME, "override", "Month end")
    assert detail["count"] == 2
    assert detail["through"] == "local", "the program that asked is there as well"


def _survives_its_manager(page, up):
    killed = manager_of(up)
    killed.suspend()  # first, since another may be there before anybody has looked
    page.get_by_text("Not current since").wait_for()
    killed.kill()
    assert page.locator(".seen[data-old]").count() == 1
    eventually(lambda: (again := manager_of(up)) and again.pid != killed.pid, seconds=60)
    page.get_by_text("Not current since").wait_for(state="detached")
    page.get_by_text("2 of 2 running").wait_for(timeout=90_000)
