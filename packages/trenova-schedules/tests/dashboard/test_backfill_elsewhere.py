"""The backfill component in a page of somebody else, and beside a server that is killed."""

import re
import socket

import pytest
from browser import opened, violations
from fastapi import FastAPI
from starlette.responses import HTMLResponse
from test_backfill_component import hours
from test_serve import Process

from trenova_access import Access
from trenova_schedules.server import ROLES, create_app

pytestmark = pytest.mark.integration

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
PAGE = """<!doctype html>
<html lang="en">
<head>
  <title>Dispatch</title>
  <link rel="stylesheet" href="/jobs/static/vendor/pico.min.css">
  <link rel="stylesheet" href="/jobs/static/page.css">
  <link rel="stylesheet" href="/jobs/static/backfill.css">
  <meta name="htmx-config" content='{"includeIndicatorCSS": false}'>
  <script src="/jobs/static/vendor/htmx.min.js" defer></script>
  <script src="/jobs/static/times.js" defer></script>
  <script src="/jobs/static/dialog.js" defer></script>
  <script src="/jobs/static/backfill.js" defer></script>
</head>
<body>
  <main><h1>Dispatch</h1>
  <div hx-get="/jobs/schedules/%s/backfill?embed=true&amp;%s" hx-trigger="load"></div></main>
</body>
</html>
"""


@pytest.mark.slow
def test_a_page_of_somebody_else_has_all_of_it_by_one_line(browser, site):
    schedule_id = site.new(interval="PT1M", cron=None)["id"]
    access = Access(site.options.access, ROLES)

    def outer():
        app = FastAPI()
        app.mount("/jobs", create_app(site.options, site.client, store=site.store, access=access))

        @app.get("/dispatch")
        async def dispatch():
            html = PAGE % (schedule_id, hours(3, 2).replace("&", "&amp;"))
            return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})

        return app

    with site.also(outer) as client, opened(browser) as page:
        address = str(client.base_url).rstrip("/")
        page.goto(f"{address}/jobs/sign-in#{access.sign_in.new_link()}")
        page.wait_for_url(f"{address}/jobs/")
        page.goto(f"{address}/dispatch")
        page.get_by_text("60 to run").wait_for()
        page.get_by_text("Limits").click()
        page.get_by_label("Starts per second").fill("1")
        page.get_by_text("takes 60 seconds at least").wait_for()
        assert violations(page) == []
        page.get_by_label("Reason, for whoever looks at it later").fill("From dispatch")
        page.get_by_role("button", name="Start 60 runs").click()
        page.get_by_role("button", name="Pause the backfill").click()
        page.locator("dialog[open] input[name=reason]").fill("Wait")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Resume the backfill").wait_for()
        assert page.url == f"{address}/dispatch"
        page.get_by_role("button", name="Cancel the backfill").click()
        page.locator("dialog[open] input[name=reason]").fill("Enough")
        page.keyboard.press("Enter")
        page.get_by_text("canceled", exact=True).first.wait_for(timeout=40_000)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_server_that_is_killed_is_missed_and_its_successor_tells_the_truth(browser, site, tmp_path):
    schedule_id = site.new(interval="PT1M", cron=None)["id"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with opened(browser) as page:
        with Process(site, tmp_path, "--no-sign-in", "--port", port) as running:
            page.goto(f"{running.told['url']}/schedules/{schedule_id}/backfill?{hours(3, 2)}")
            page.get_by_text("60 to run").wait_for()
            page.get_by_text("Limits").click()
            page.get_by_label("Starts per second").fill("1")
            page.get_by_text("takes 60 seconds at least").wait_for()
            page.get_by_label("Reason, for whoever looks at it later").fill("Outage")
            page.get_by_role("button", name="Start 60 runs").click()
            page.get_by_role("button", name="Pause the backfill").wait_for()
            running.process.kill()
            notice = page.locator("[data-not-current]")
            notice.wait_for()
            assert "has not answered since" in notice.inner_text()
        (tmp_path / "schedules-server.json").unlink()
        with Process(site, tmp_path, "--no-sign-in", "--port", port):
            notice.wait_for(state="hidden", timeout=40_000)
            page.get_by_role("button", name="Cancel the backfill").click()
            page.locator("dialog[open] input[name=reason]").fill("Enough")
            page.keyboard.press("Enter")
            page.get_by_text("canceled", exact=True).first.wait_for(timeout=40_000)
            told = re.search(r"(\d+) of 60", page.locator(".facts").inner_text())
            assert told is not None
            assert 0 < int(told[1]) < 60
