"""What all pages have in common: files, policy, failures, sign-in, liveness."""

import httpx
import pytest
from browser import opened, signed_in, violations

pytestmark = pytest.mark.integration


@pytest.fixture
def reader(site):
    """A browser's requests by hand, signed in."""
    with httpx.Client(base_url=site.url, trust_env=False, follow_redirects=False, timeout=30) as client:
        answer = client.post("/sign-in", data={"token": site.app_access.sign_in.new_link()})
        assert answer.headers["location"] == "/"
        client.headers["Accept"] = "text/html"
        yield client


def test_who_is_not_signed_in_is_sent_there(site):
    with httpx.Client(base_url=site.url, trust_env=False) as client:
        answer = client.get("/", headers={"Accept": "text/html"})
        part = client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in")


def test_nothing_but_our_own_files_is_let_in(reader):
    answer = reader.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert answer.text.count("<script") == answer.text.count("<script src=")


def test_files_may_be_kept_for_ever_by_their_digest(reader):
    page = reader.get("/").text
    address = next(part for part in page.split('"') if part.startswith("/static/vendor/htmx"))
    answer = reader.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" not in reader.get("/static/page.css").headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["%2e%2e/_render.py", "..%2f_render.py", "%2e%2e%2f%2e%2e%2f_reading/__init__.py", "/etc/passwd"]
)
def test_nothing_beside_the_files_of_the_pages_is_served(reader, path):
    answer = reader.get(f"/static/{path}")  # encoded, since a client takes plain dots away by itself

    assert answer.status_code == 404
    assert "import" not in answer.text.partition("<script")[0]


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(site, reader):
    missing = reader.get("/schedules/no-such-schedule")
    assert missing.status_code == 404
    assert "no-such-schedule" in missing.text
    nowhere = reader.get("/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, "text/html; charset=utf-8")
    with site.call() as api:
        assert api.get("/nowhere").headers["content-type"] == "application/problem+json"
        assert api.get("/bulk").status_code == 405


def test_a_dialog_that_cannot_open_says_why_and_can_be_closed(browser, site):
    told = site.new()
    with opened(browser) as page:
        signed_in(page, site, f"/schedules/{told['id']}")
        site.do(lambda client: client.get_schedule_handle(told["id"]).delete())
        page.get_by_role("button", name="Resume", exact=True).click()
        dialog = page.get_by_role("dialog")
        assert told["id"] in dialog.get_by_role("alert").inner_text()
        assert violations(page) == []
        dialog.get_by_role("button", name="Close").last.click()
        dialog.wait_for(state="hidden")


def test_hostile_text_is_text(site, reader):
    hostile = "<img src=x onerror=alert(1)>&amp;\"'"
    site.new(id=hostile)
    answer = reader.get("/schedules/%3Cimg%20src=x%20onerror=alert(1)%3E&amp;%22'")
    assert answer.status_code == 200
    assert "<img" not in answer.text
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;amp;" in answer.text


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_no_barrier_is_found(browser, site, theme):
    with opened(browser, theme=theme) as page:
        signed_in(page, site)
        assert violations(page) == []


def test_times_are_the_viewers(browser, site):
    told = site.new(cron="30 2 * * *", timeZone="Europe/Berlin")
    with opened(browser, zone="America/New_York", locale="de-DE") as page:
        signed_in(page, site, f"/schedules/{told['id']}")
        shown = page.locator("section[aria-labelledby=fires-title] time").first
        assert shown.inner_text().split(", ")[-1] in {"20:30", "21:30"}
        assert page.locator("[data-zone-name]").inner_text() == "America/New_York"


@pytest.mark.slow
def test_the_page_says_whether_it_is_live(browser, site):
    with opened(browser) as page:
        signed_in(page, site)
        page.locator("#live[data-state=live]").wait_for()
        page.route("**/api/v1/events", lambda route: route.abort())
        page.locator("#live[data-state=stale]").wait_for(timeout=30_000)
        assert "Not current since" in page.locator("#live").inner_text()
        page.unroute("**/api/v1/events")
        page.locator("#live[data-state=live]").wait_for(timeout=30_000)


def test_the_first_page_is_light(browser, site):
    received = []
    with opened(browser) as page:
        page.on("response", lambda answer: received.append(answer))  # noqa: PLW0108  # it has to be a function
        signed_in(page, site)
        page.wait_for_load_state("load")
        sizes = [one.request.sizes() for one in received if "/api/v1/events" not in one.url]
    assert sum(size["responseBodySize"] for size in sizes) < 80_000
