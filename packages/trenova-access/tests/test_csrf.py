"""Tokens of pages, on a real server with real cookies."""

import contextlib
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from trenova_access import (
    CSRF_FIELD,
    CSRF_HEADER,
    Access,
    AccessError,
    AccessOptions,
    ApiTokenOptions,
    Grant,
    Principal,
    Roles,
    SignInOptions,
    ValueClaim,
    new_api_token,
    refuse,
    sign_in_routes,
)

EVERYTHING = (Grant(resource="*", role="admin"),)
TOKEN, DIGEST = new_api_token()


class OpenToAll(Access):
    async def authenticate(self, connection):
        return Principal(subject="nobody signed in", method="session", grants=frozenset(EVERYTHING))


class Site:
    """A server with a page and a form."""

    def __init__(self, kind=Access, oidc=None):
        options = AccessOptions(
            oidc=oidc,
            sign_in=SignInOptions(cookie="trenova-test", grants=EVERYTHING),
            api_tokens=(ApiTokenOptions(sha256=DIGEST, subject="nightly", grants=EVERYTHING),),
        )
        self.events, self.changed = [], 0
        self.access = kind(options, Roles({"admin": ()}), audit=self.events.append)
        routes = [Route("/page", self._page), Route("/form", self._form, methods=["POST"])]
        routes += sign_in_routes(self.access)
        self.app = self.access.protect(Starlette(routes=routes, exception_handlers={AccessError: refuse}))

    async def _page(self, request):
        await self.access.require(request, "a", "admin")
        return JSONResponse({"token": self.access.csrf_token(request)})

    async def _form(self, request):
        await self.access.require(request, "a", "admin")
        field = parse_qs((await request.body()).decode()).get(CSRF_FIELD, [None])[0]
        self.access.require_csrf(request, request.headers.get(CSRF_HEADER, field))
        self.changed += 1
        return JSONResponse({})


@pytest.fixture
async def browser(listen):
    async with contextlib.AsyncExitStack() as stack:

        async def opened(site, *, signed_in=True):
            site.url = getattr(site, "url", None) or await listen(site.app)
            client = httpx.AsyncClient(base_url=site.url, trust_env=False, headers={"Origin": site.url})
            await stack.enter_async_context(client)
            if signed_in:
                assert (await client.post("/sign-in", data={"token": site.access.sign_in.new_link()})).is_redirect
            return client

        yield opened


async def token_of(client):
    return (await client.get("/page")).json()["token"]


async def test_a_page_s_form_is_let_through_by_header_and_by_field(browser):
    site = Site()
    client = await browser(site)

    assert (await client.post("/form", headers={CSRF_HEADER: await token_of(client)})).status_code == 200
    assert (await client.post("/form", data={CSRF_FIELD: await token_of(client)})).status_code == 200
    assert site.changed == 2


async def test_the_token_is_another_in_each_answer_and_all_of_them_hold(browser):
    client = await browser(Site())
    tokens = [await token_of(client) for _ in range(3)]

    assert len(set(tokens)) == 3
    assert len({token[:8] for token in tokens}) == len({token[43:51] for token in tokens}) == 3
    for token in tokens:
        assert (await client.post("/form", headers={CSRF_HEADER: token})).status_code == 200


@pytest.mark.parametrize(
    ("given", "reason"),
    [(None, "csrf_missing"), ("", "csrf_missing"), ("x", "csrf_wrong"), ("A" * 86, "csrf_wrong"), ("%", "csrf_wrong")],
)
async def test_without_it_nothing_is_changed_and_the_answer_says_to_reload(browser, given, reason):
    site = Site()
    client = await browser(site)

    answer = await client.post("/form", headers={} if given is None else {CSRF_HEADER: given})

    assert answer.status_code == 403
    assert answer.json()["code"] == "access.csrf"
    assert "Reload the page" in answer.json()["message"]
    assert site.changed == 0
    refused = [event for event in site.events if event.outcome != "allowed"]
    assert [(one.outcome, one.reason, one.subject) for one in refused] == [("access.csrf", reason, "local")]


async def test_a_token_with_one_bit_changed_or_cut_is_none(browser):
    site = Site()
    client = await browser(site)
    token = await token_of(client)

    for wrong in (token[:-1], token[:43], token + "AA", ("B" if token[0] == "A" else "A") + token[1:], token + "é"):
        answer = await client.post("/form", data={CSRF_FIELD: wrong})
        assert answer.status_code == 403, wrong
    assert site.changed == 0


async def test_a_token_of_another_session_or_of_the_one_before_is_refused(browser):
    site = Site()
    mine, theirs = await browser(site), await browser(site)
    before = await token_of(mine)

    assert (await mine.post("/form", headers={CSRF_HEADER: await token_of(theirs)})).status_code == 403
    assert (await mine.post("/sign-out")).status_code == 200
    assert (await mine.post("/sign-in", data={"token": site.access.sign_in.new_link()})).is_redirect
    assert (await mine.post("/form", headers={CSRF_HEADER: before})).status_code == 403
    assert (await mine.post("/form", headers={CSRF_HEADER: await token_of(mine)})).status_code == 200


async def test_a_token_ends_with_a_session_of_a_provider_too(browser, provider):
    leads = ValueClaim(claim="groups", values={"Dispatch Leads": EVERYTHING})
    site = Site(oidc=provider.options(claims=(leads,)))
    client = await browser(site, signed_in=False)
    client.follow_redirects = True
    await client.get("/sign-in/oidc")
    before = await token_of(client)

    assert (await client.post("/form", headers={CSRF_HEADER: before})).status_code == 200
    await client.get("/sign-in/oidc")
    assert (await client.post("/form", headers={CSRF_HEADER: before})).status_code == 403
    assert (await client.post("/form", headers={CSRF_HEADER: await token_of(client)})).status_code == 200


async def test_a_token_of_another_process_is_refused(browser):
    one, other = Site(OpenToAll), Site(OpenToAll)
    here, there = await browser(one, signed_in=False), await browser(other, signed_in=False)

    assert (await here.post("/form", headers={CSRF_HEADER: await token_of(there)})).status_code == 403
    assert (await here.post("/form", headers={CSRF_HEADER: await token_of(here)})).status_code == 200


async def test_where_nobody_signs_in_a_token_is_needed_all_the_same(browser):
    site = Site(OpenToAll)
    client = await browser(site, signed_in=False)

    assert (await client.post("/form")).status_code == 403
    assert (await client.post("/form", headers={CSRF_HEADER: await token_of(client)})).status_code == 200
    assert site.changed == 1


async def test_programs_with_a_bearer_token_need_none(browser):
    site = Site()
    client = await browser(site, signed_in=False)

    for token in (TOKEN, site.access.sign_in.key):
        assert (await client.post("/form", headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_a_wrong_bearer_token_beside_a_good_cookie_does_not_stand_for_one(browser):
    site = Site()
    client = await browser(site)

    assert (await client.post("/form", headers={"Authorization": "Bearer x"})).status_code == 401
    assert site.changed == 0
