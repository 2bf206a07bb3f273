"""Chromium of the system, and what axe says of a page."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")  # the first draws no window and takes a fifth less
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
THEMES = ("light", "dark")
EACH_THEME = tuple(pytest.param(theme, marks=pytest.mark.slow) for theme in THEMES)
"""For a page made of the parts of all others: axe looks at the overview and at forms every time, at these by night."""
ZONE = "America/New_York"


@contextmanager
def chromium():
    """A browser."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, *, width="wide", theme="light", zone=ZONE, locale="en-US"):
    """A page of somebody new, which fails the test where a script or the policy complains."""
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme=theme,
        timezone_id=zone,
        locale=locale,
        reduced_motion="reduce",  # a picture in the middle of a transition shows what nobody sees
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _complains(said) else None)
    try:
        yield page
        assert not complaints, complaints
    finally:
        context.close()


def _complains(said):
    # A refused or interrupted request is the page's to show, and tests look at what it shows.
    shown = ("Failed to load resource", "Failed to fetch")
    return said.type in {"error", "warning"} and not any(one in said.text for one in shown)


def signed_in(page, site, path="/"):
    """Sign in by a new link of the site, and go to a page."""
    sent = {"token": site.app_access.sign_in.new_link()}
    answer = page.request.post(f"{site.url}/sign-in", form=sent, headers={"Origin": site.url}, max_redirects=0)
    assert answer.status == 303, answer.text()
    page.goto(f"{site.url}{path}")


def violations(page):
    """What axe finds against WCAG 2.2 AA, in a line each."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}" for one in found for node in one["nodes"]
    ]


def pictured(page, folder, name):
    """Write pictures of a page at both widths in both themes, where somebody asked to see them."""
    if "TRENOVA_PICTURES" not in os.environ:
        return
    for width, (wide, high) in WIDTHS.items():
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": wide, "height": high})
            file = Path(folder) / f"{name}-{width}-{theme}.png"
            page.screenshot(path=file, full_page=True, caret="initial")  # hiding it leaves style attributes behind
