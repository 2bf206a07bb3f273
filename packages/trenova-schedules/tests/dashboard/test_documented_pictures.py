"""The pictures of the guide; ``TRENOVA_PICTURES=docs/images`` leaves them there."""

from datetime import UTC, datetime, timedelta

import pytest
from browser import opened, signed_in
from seeded import fail, plant

pytestmark = pytest.mark.integration

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FLEET = {
    "cancel-stale-shipments": ("0 2 * * *", "shipment-worker", ["on_time"] * 12),
    "copy-rates-to-branches": ("30 */2 * * *", "shipment-worker", ["on_time"] * 9 + ["late", "on_time", "on_time"]),
    "invoice-delivered-loads": ("*/30 * * * *", "billing", ["on_time"] * 8 + ["real_miss"] * 3 + ["on_time"]),
    "notify-late-pickups": ("*/10 * * * *", "notification-worker", ["on_time"] * 12),
    "purge-audit-entries": ("0 3 * * *", "system-worker", ["on_time"] * 12),
    "remind-drivers": ("15 6 * * 1-5", "notification-worker", ["on_time"] * 10 + ["on_time:FAILED"] * 2),
    "sync-carriers": ("*/15 * * * *", "integrations", ["on_time", "skipped_overlap"] * 6),
}


@pytest.fixture(scope="module")
def fleet(site):
    """A freight company's schedules, one of which was missed and one of which fails."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for name, (cron, owner, states) in FLEET.items():
        site.new(id=name, cron=cron, timeZone="America/Chicago", owner=owner, paused=False)
        plant(site, name, states, every=30 * MINUTE, last=now.replace(minute=0), took=4 * MINUTE)
    fail(site, "remind-drivers", now - HOUR)
    with site.call() as api:
        reason = {"reason": "The ERP is being upgraded until Monday"}
        assert api.post("/schedules/copy-rates-to-branches/pause", json=reason).is_success
    for name in FLEET:
        site.wait_for(name, 1)


@pytest.mark.slow
def test_pictures_of_the_guide(browser, site, fleet, pictures):
    with opened(browser, zone="America/Chicago") as page:
        signed_in(page, site)
        page.locator(".schedules", has_text="The ERP is being upgraded").wait_for()
        page.locator("#live[data-state=live]").wait_for()
        page.locator("#load .legend").wait_for()
        page.set_viewport_size({"width": 1280, "height": 1180})
        page.screenshot(path=pictures / "dashboard-overview.png")
        page.get_by_label("Select all on this page").check()
        page.locator("form#bulk").get_by_role("button", name="Pause").click()
        page.get_by_text("6 to do").wait_for()
        page.get_by_label("Reason").fill("The ERP is being upgraded until Monday")
        page.screenshot(path=pictures / "dashboard-bulk.png")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Clear").click()
        page.get_by_role("link", name="invoice-delivered-loads").first.click()
        page.get_by_role("button", name="Start 3 runs").wait_for()
        page.locator("#live[data-state=live]").wait_for()
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=pictures / "dashboard-schedule.png")
    assert (pictures / "dashboard-schedule.png").stat().st_size > 10_000


@pytest.mark.slow
def test_picture_of_the_form(browser, site, fleet, pictures):
    with opened(browser, zone="America/Chicago") as page:
        signed_in(page, site, "/schedules/cancel-stale-shipments/edit")
        page.locator("#f-cron").fill("30 2 * * *")
        page.locator("#edit-preview").get_by_text("At 02:30").wait_for()
        page.locator("#live[data-state=live]").wait_for()
        page.set_viewport_size({"width": 1280, "height": 800})
        page.screenshot(path=pictures / "dashboard-edit.png")
    assert (pictures / "dashboard-edit.png").stat().st_size > 10_000
