"""The first page in other languages and zones: times and numbers as people there write them, instants as they are."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from browser import opened, signed_in
from seeded import plant

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
MISSED = NOW - timedelta(hours=3)
PLACES = (
    ("de-DE", "Europe/Berlin"),
    ("en-US", "America/St_Johns"),
    ("ar-EG", "Asia/Kolkata"),
    ("hi-IN", "Asia/Kathmandu"),
    ("ja-JP", "Asia/Tokyo"),
)
WRITTEN = {
    "de-DE": lambda at: f"{at:%d.%m.%Y, %H:%M}",
    "en-US": lambda at: f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M} {at:%p}",
    "ja-JP": lambda at: f"{at:%Y/%m/%d} {at.hour}:{at:%M}",
}


@pytest.fixture(scope="module")
def somewhere(site):
    """One that missed a tick at a full hour, and one that fires every hour."""
    site.new(id="z-missed", paused=False)
    site.new(id="z-hourly", paused=False, cron="0 * * * *")
    plant(site, "z-missed", ["real_miss"], last=MISSED)
    site.wait_for("z-", 2)
    return site


@pytest.mark.parametrize(("locale", "zone"), PLACES, ids=[locale for locale, _ in PLACES])
def test_times_are_the_viewers(somewhere, browser, locale, zone):
    with opened(browser, locale=locale, zone=zone) as page:
        signed_in(page, somewhere)
        page.locator("#load .legend").wait_for()
        since = page.locator(".concerns time").first
        assert since.get_attribute("datetime") == f"{MISSED:%Y-%m-%dT%H:%M:%SZ}"
        shown = since.inner_text()
        written = "new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short', timeZone: zone})"
        assert shown == page.evaluate(f"([at, zone]) => {written}.format(new Date(at))", [MISSED.isoformat(), zone])
        local = MISSED.astimezone(ZoneInfo(zone))
        if locale in WRITTEN:
            assert re.sub(r"\s", " ", shown) == WRITTEN[locale](local)
        # A zone of half hours shows them, while the load begins at a full hour of UTC.
        assert local.minute == {"America/St_Johns": 30, "Asia/Kolkata": 30, "Asia/Kathmandu": 45}.get(zone, 0)
        slots = page.locator("#load .hours time")
        assert slots.first.get_attribute("datetime") == f"{datetime.now(UTC):%Y-%m-%dT%H}:00:00Z"
        # Browsers call some zones by older names.
        named = page.locator("[data-zone-name]").inner_text()
        assert MISSED.astimezone(ZoneInfo(named)).utcoffset() == local.utcoffset()
        assert named == page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        # Words are English, and so are the numbers and durations between them; a time keeps its own direction.
        assert re.fullmatch(r"2[34] runs", page.locator("#load p strong").first.inner_text())
        assert since.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_page_without_scripts_says_utc(somewhere):
    with somewhere.call() as api:
        page = api.get(f"{somewhere.url}/").text
    assert f">{MISSED:%Y-%m-%d %H:%M:%S} UTC</time>" in page
