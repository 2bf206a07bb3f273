"""Sign-in at a provider that others wrote, as a process of its own; with httpx, and in Chromium."""

import shutil
import socket
import subprocess
import sys
import time

import httpx
import pytest

from trenova_access import AccessOptions, Grant, OidcOptions, ValueClaim

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


@pytest.fixture(scope="module")
def issuer():
    """The address of a provider where ada is a dispatch lead and eve is nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    people = ('{"sub": "ada", "groups": ["Dispatch Leads"]}', '{"sub": "eve"}')
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    for person in people:
        command += ["--user-claims", person]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _once_it_answers(process, f"http://localhost:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _once_it_answers(process, address):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the provider ended at once"
        try:
            httpx.get(f"{address}/.well-known/openid-configuration", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return address
    raise AssertionError("the provider did not begin to answer")


@pytest.fixture
async def site(serve, issuer):
    leads = ValueClaim(claim="groups", values={"Dispatch Leads": (Grant(resource="*", role="viewer"),)})
    options = OidcOptions(issuer=issuer, client_id="schedules", client_secret="planted", claims=(leads,))
    return await serve(AccessOptions(oidc=options))


async def test_somebody_signs_in_at_it(site):
    async with httpx.AsyncClient(base_url=site.url, trust_env=False, follow_redirects=True) as browser:
        form = await browser.get("/sign-in/oidc", params={"next": "/things/a"})
        assert "Authorize Client" in form.text
        done = await browser.post(form.url, data={"sub": "ada"})
        assert done.json() == {"subject": "ada", "method": "oidc"}

        denied = await browser.post((await browser.get("/sign-in/oidc")).url, data={"action": "deny"})
        assert denied.status_code in (400, 401)
        eve = await browser.post((await browser.get("/sign-in/oidc")).url, data={"sub": "eve"})
        assert eve.status_code == 403
        assert "without a role" in eve.text


@pytest.fixture
async def page():
    playwright = pytest.importorskip(
        "playwright.async_api", reason="needs playwright, which is in the root environment: uv sync"
    )
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            context = await browser.new_context()
            context.set_default_timeout(45_000)
            yield await context.new_page()
        finally:
            await browser.close()


@pytest.mark.integration
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install --no-install-recommends chromium")
async def test_a_browser_signs_in_comes_back_and_signs_out(page, site):
    """The provider is another site here, as it is in life: `localhost` there, 127.0.0.1 with us."""
    await page.goto(f"{site.url}/sign-in?next=/things/a")
    await page.get_by_role("link", name="Sign in with your organization").click()
    await page.get_by_role("button", name="ada").click()
    await page.wait_for_url("**/things/a")
    assert await page.evaluate("document.body.innerText") == '{"subject":"ada","method":"oidc"}'
    assert await page.evaluate("document.cookie") == ""
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert (cookies["trenova-oidc"]["sameSite"], cookies["trenova-oidc"]["httpOnly"]) == ("Lax", True)
    assert "trenova-oidc-flow" not in cookies

    await page.set_content(f'<form method="post" action="{site.url}/sign-out"><button>Sign out</button></form>')
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="End session").click()
    await page.wait_for_url(f"{site.url}/sign-in")
    assert "trenova-oidc" not in {cookie["name"] for cookie in await page.context.cookies()}
    answer = await page.goto(f"{site.url}/things/a")
    assert answer.status == 401
