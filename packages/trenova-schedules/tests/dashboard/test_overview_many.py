"""The first page with many schedules: it stays light, and the one that missed a tick is mended from it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from api_site import ApiSite
from browser import opened, signed_in
from seeded import HOUR, keep, plant
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec

from trenova_schedules.ledger import harvest_schedule
from trenova_schedules.server import EventOptions

pytestmark = pytest.mark.integration

SOME, MANY = 300, 1000
MOST_BYTES = 250_000  # on the wire, files included
MOST_INTERACTIONS = 5
QUEUES = ("orders", "billing", "rates")


async def _seed(site, first, last):
    limit = asyncio.Semaphore(16)

    async def one(number):
        name = f"load-{number:04}"
        action = ScheduleActionStartWorkflow(
            "Ship", id=name, task_queue=QUEUES[number % 3] if number % 10 else "orders"
        )
        spec = ScheduleSpec(
            cron_expressions=["0 * * * *" if number % 100 == 12 else f"{number % 60} {number % 24} * * *"]
        )
        async with limit:
            await site.client.create_schedule(name, Schedule(action=action, spec=spec))

    await asyncio.gather(*(one(number) for number in range(first, last)))


def seeded(site, first, last):
    asyncio.run_coroutine_threadsafe(_seed(site, first, last), site.loop).result(300)
    deadline = time.monotonic() + 60
    with site.call() as api:
        while api.get("/schedules", params={"prefix": "load-", "limit": 1}).json()["total"] != last:
            assert time.monotonic() < deadline, f"the list has not {last} schedules"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site that looks for changes as often as it does by default, which is what is measured."""
    with ApiSite(tmp_path_factory.mktemp("many"), events=EventOptions()) as made:
        yield made


@pytest.fixture(scope="module")
def some(site):
    """A site with 300 schedules."""
    seeded(site, 0, SOME)
    return site


class Hands:
    """Somebody at a page, whose clicks, keys and typed texts are counted."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def click(self, place):
        self.count += 1
        place.click()

    def press(self, key):
        self.count += 1
        self.page.keyboard.press(key)

    def type(self, text):
        self.count += 1
        self.page.keyboard.type(text)


def miss(site, schedule_id):
    """Let the ledger know of a tick without a run, two hours ago."""
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    plant(site, schedule_id, ["real_miss"], last=last)
    plant(site, "load-0000", ["on_time"], last=datetime.now(UTC).replace(microsecond=0))
    return last


def mended(page, site, schedule_id):
    """Wait for the end of a backfill; the ledger learns of it as it does of everything, and until then it is named."""
    page.get_by_text("Every tick is accounted for.").wait_for()
    page.reload()
    page.locator(".concerns li", has_text=schedule_id).get_by_role("link", name="See its backfill").wait_for()
    keep(site, harvest_schedule(site.client, site.store, schedule_id, retention=timedelta(days=1)))
    page.reload()
    page.locator("#overview tbody tr").first.wait_for()
    assert page.locator(".concerns li", has_text=schedule_id).count() == 0


@pytest.mark.slow
def test_a_server_that_has_just_begun_shows_what_it_knows_and_says_what_it_does_not(some):
    with some.call() as api:
        page = api.get(f"{some.url}/").text
        load = api.get(f"{some.url}/overview/load").text
    assert f"of {SOME} schedules looked at so far" in page
    assert "load-0042" in page
    assert f"of {SOME} schedules are counted" in load


@pytest.mark.slow
def test_the_one_missed_among_300_is_backfilled_by_mouse(some, browser):
    miss(some, "load-0212")
    with opened(browser) as page:
        signed_in(page, some)
        hands = Hands(page)
        hands.click(page.locator(".concerns li", has_text="missed").get_by_role("button", name="Backfill"))
        page.locator("#backfill-reason:focus").wait_for()
        hands.type("It was missed")
        hands.click(page.get_by_role("button", name="Start 1 run"))
        mended(page, some, "load-0212")
    assert hands.count <= MOST_INTERACTIONS


@pytest.mark.slow
def test_the_one_missed_among_300_is_backfilled_by_keyboard(some, browser):
    miss(some, "load-0112")
    with opened(browser) as page:
        signed_in(page, some)
        hands = Hands(page)
        hands.press("a")
        hands.press("Enter")
        page.locator("#backfill-reason:focus").wait_for()
        hands.type("It was missed")
        page.get_by_role("button", name="Start 1 run").wait_for()
        hands.press("Enter")
        mended(page, some, "load-0112")
    assert hands.count <= MOST_INTERACTIONS


@pytest.mark.slow
def test_pages_hold_all_of_them_once(some, browser):
    found = []
    with opened(browser) as page:
        signed_in(page, some)
        while True:
            found += page.locator(".schedules tbody th a").all_inner_texts()
            if not page.locator("a[rel=next]").count():
                break
            before = page.url
            page.locator("a[rel=next]").click()
            page.wait_for_url(lambda address, before=before: address != before)
    assert found == [f"load-{number:04}" for number in range(SOME)]


def searched(page):
    """Search for one schedule by keys; return milliseconds from the first of them to the result."""
    page.keyboard.press("/")
    begin = time.perf_counter()
    page.keyboard.type("load-0007")
    page.get_by_role("heading", name="1 schedule", exact=True).wait_for()
    return (time.perf_counter() - begin) * 1000


def measured(browser, site, total):
    """Load the first page cold; return its bytes, and milliseconds to first paint, to all of it, and for a search."""
    received = []
    with opened(browser) as page:
        page.set_default_timeout(60_000)  # it is measured, and a busy machine is no failure
        page.on("response", lambda answer: received.append(answer))  # noqa: PLW0108  # it has to be a function
        token = site.app_access.sign_in.new_link()
        page.goto(f"{site.url}/sign-in#{token}")
        page.wait_for_url(f"{site.url}/")
        begin = time.perf_counter()
        page.locator("#load .legend").wait_for(timeout=60_000)
        whole = (time.perf_counter() - begin) * 1000
        size = sum(one.request.sizes()["responseBodySize"] for one in received if "/api/v1/events" not in one.url)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
        assert page.locator(".schedules tbody tr").count() == 100
        page.locator("#live[data-state=live]").wait_for()
        found = searched(page)
        print(  # noqa: T201  # reported, not asserted
            f"\n{total} schedules: {size:,} bytes, first paint {paint:.0f} ms, load counted {whole:.0f} ms later, "
            f"from the first key to the result {found:.0f} ms"
        )
    return size


def test_the_page_of_300_is_light(some, browser):
    assert measured(browser, some, SOME) <= MOST_BYTES


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_of_1000_is_light(some, browser):
    seeded(some, SOME, MANY)
    assert measured(browser, some, MANY) <= MOST_BYTES
    with opened(browser) as page:
        page.set_default_timeout(60_000)
        signed_in(page, some)
        page.get_by_text(f"{MANY:,} schedules looked at, the oldest").wait_for(timeout=120_000)
        assert page.locator("#list-title").inner_text() == f"{MANY:,} schedules"
        page.get_by_text(f"of {MANY:,} schedules on 3 task queues").wait_for(timeout=60_000)
        print(f"{MANY} schedules, all looked at: from the first key to the result {searched(page):.0f} ms")  # noqa: T201
