"""Sign-in at a provider: real HTTP on both sides, httpx as the browser."""

import logging
import re
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from trenova_access import (
    Access,
    AccessOptions,
    Grant,
    OidcOptions,
    PermissionClaim,
    Roles,
    SignInOptions,
    sign_in_routes,
)
from trenova_access._oidc_flow import Flow


@pytest.fixture
async def site(serve, provider):
    return await serve(AccessOptions(oidc=provider.options()))


def browser(site, **headers):
    return httpx.AsyncClient(base_url=site.url, trust_env=False, follow_redirects=True, headers=headers)


async def signed_in(client, wanted="/things/a"):
    """Go through the provider as a browser does; the answer at the end."""
    return await client.get("/sign-in/oidc", params={"next": wanted} if wanted else {})


async def test_somebody_signs_in_and_comes_back_to_where_they_wanted_to_go(site):
    async with browser(site) as client:
        answer = await signed_in(client, "/things/a?page=2&x=%2F")

        assert answer.json() == {"subject": "ada", "method": "oidc"}
        assert str(answer.url) == f"{site.url}/things/a?page=2&x=%2F"
        assert [(one.action, one.outcome, one.subject, one.method) for one in site.events] == [
            ("sign_in", "allowed", "ada", "oidc"),
            ("viewer", "allowed", "ada", "oidc"),
        ]


async def test_who_did_not_want_to_go_anywhere_arrives_at_home(site):
    async with browser(site) as client:
        assert str((await signed_in(client, "")).url) == f"{site.url}/sign-in/done"


async def test_the_provider_is_asked_with_pkce_state_and_nonce(site, provider):
    async with browser(site) as client:
        await signed_in(client)

    asked = dict(provider.requests)
    assert asked["/authorize"]["code_challenge_method"] == "S256"
    assert asked["/authorize"]["redirect_uri"] == f"{site.url}/sign-in/oidc/callback"
    assert asked["/authorize"]["scope"] == "openid profile email"
    assert asked["/token"]["code_verifier"] not in str(asked["/authorize"])
    assert "prompt" not in asked["/authorize"]


async def test_the_cookies_are_out_of_reach_of_scripts_and_survive_the_way_back_from_another_site(site):
    async with browser(site) as client:
        client.follow_redirects = False
        off = await client.get("/sign-in/oidc")
        back = await client.get((await client.get(off.headers["location"])).headers["location"])

    assert off.status_code == back.status_code == 303
    assert off.headers["cache-control"] == back.headers["cache-control"] == "no-store"
    (flow,) = off.headers.get_list("set-cookie")
    session, gone = back.headers.get_list("set-cookie")
    assert flow.startswith("trenova-test-oidc-flow=gAAAA")
    assert "Max-Age=600" in flow
    assert session.startswith("trenova-test-oidc=")
    assert "Max-Age=28800" in session
    assert "Max-Age=0" in gone
    for cookie in (flow, session, gone):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie  # http on loopback


async def test_behind_tls_the_cookies_are_secure_and_the_provider_is_told_the_public_address(serve, provider):
    provider.redirect_uris = {"https://schedules.example.com/sign-in/oidc/callback"}
    options = provider.options(public_url="https://schedules.example.com", cookie="__Host-trenova")
    site = await serve(AccessOptions(oidc=options))
    async with browser(site) as client:
        client.follow_redirects = False
        off = await client.get("/sign-in/oidc")
        back = (await client.get(off.headers["location"])).headers["location"]
        kept = {"Cookie": off.headers["set-cookie"].partition(";")[0]}
        done = await client.get(back.replace("https://schedules.example.com", site.url), headers=kept)

    assert back.startswith("https://schedules.example.com/sign-in/oidc/callback?code=")
    session = done.headers.get_list("set-cookie")[0]
    assert session.startswith("__Host-trenova=")
    assert "Secure" in session
    assert "Domain" not in session


async def test_a_public_client_has_no_secret_and_pkce_all_the_same(serve, provider):
    provider.client_secret = None
    site = await serve(AccessOptions(oidc=provider.options()))
    async with browser(site) as client:
        assert (await signed_in(client)).status_code == 200

    asked = dict(provider.requests)["/token"]
    assert asked["client_id"] == "trenova"
    assert "client_secret" not in asked


async def test_a_provider_that_takes_secrets_in_the_form_only_gets_them_there(serve, provider):
    provider.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    site = await serve(AccessOptions(oidc=provider.options()))
    async with browser(site) as client:
        assert (await signed_in(client)).status_code == 200
    assert dict(provider.requests)["/token"]["client_secret"] == provider.client_secret


async def test_the_secret_comes_from_a_file_and_may_be_exchanged(serve, provider, tmp_path):
    file = tmp_path / "secret"
    file.write_text("planted-client-secret\n")
    site = await serve(AccessOptions(oidc=provider.options(client_secret=None, client_secret_file=file)))
    async with browser(site) as client:
        assert (await signed_in(client)).status_code == 200
        provider.client_secret = "exchanged"
        assert (await signed_in(client)).status_code == 401
        file.write_text("exchanged")
        assert (await signed_in(client)).status_code == 200


async def test_roles_are_those_of_the_last_sign_in(serve, provider):
    claims = (PermissionClaim(claim="realm.roles", roles={"read": "viewer"}),)
    site = await serve(AccessOptions(oidc=provider.options(claims=claims, subject_claim="email")))
    provider.person = {"sub": "1", "email": "ada@example.com", "realm": {"roles": ["a:read", "*:read"]}}
    async with browser(site) as client:
        assert (await signed_in(client)).json() == {"subject": "ada@example.com", "method": "oidc"}
        assert (await client.get("/things/b")).status_code == 403
        provider.person["realm"] = {"roles": ["b:read"]}
        assert (await client.get("/things/b")).status_code == 403
        assert (await signed_in(client, "/things/b")).status_code == 200
        assert (await client.get("/things/a")).status_code == 403


async def test_both_ways_to_sign_in_work_below_a_path_that_the_server_is_mounted_at(listen, provider):
    local = SignInOptions(cookie="trenova-test", grants=(Grant(resource="*", role="admin"),))
    access = Access(AccessOptions(oidc=provider.options(), sign_in=local), Roles({"viewer": (), "admin": ["viewer"]}))

    async def show(request):
        return JSONResponse({"method": (await access.require(request, "a", "viewer")).method})

    inner = Starlette(routes=[Route("/", show), *sign_in_routes(access, home="/")])
    url = await listen(Starlette(routes=[Mount("/jobs", access.protect(inner))]))
    async with httpx.AsyncClient(base_url=url, trust_env=False, follow_redirects=True) as client:
        client.headers["Origin"] = url
        page = (await client.get("/jobs/sign-in")).text
        for address in re.findall(r'(?:stylesheet" href|src)="(.*?)"', page):
            assert (await client.get(address)).status_code == 200, address
        by_link = await client.post(re.findall(r'action="(.*?)"', page)[0], data={"token": access.sign_in.new_link()})
        assert (str(by_link.url), by_link.json()) == (f"{url}/jobs/", {"method": "session"})
        by_provider = await client.get(re.findall(r'class="button" href="(.*?)"', page)[0])
        assert (str(by_provider.url), by_provider.json()) == (f"{url}/jobs/", {"method": "oidc"})
        out = await client.post("/jobs/sign-out", headers={"HX-Request": "true"})
    back = parse_qs(urlsplit(out.headers["hx-redirect"]).query)["post_logout_redirect_uri"]
    assert back == [f"{url}/jobs/sign-in"]


async def test_it_stands_beside_the_sign_in_of_this_machine(serve, provider):
    local = SignInOptions(cookie="trenova-test", grants=(Grant(resource="*", role="admin"),))
    site = await serve(AccessOptions(oidc=provider.options(), sign_in=local))
    async with browser(site, Origin=site.url) as client:
        page = (await client.get("/sign-in", params={"next": "/things/a?x=1&y=2"})).text
        assert "Sign in with your organization" in page
        assert 'href="/sign-in/oidc?next=%2Fthings%2Fa%3Fx%3D1%26y%3D2"' in page
        assert '<input type="hidden" name="next" value="/things/a?x=1&amp;y=2">' in page

        form = {"token": site.access.sign_in.new_link(), "next": "/things/a?x=1"}
        by_link = await client.post("/sign-in", data=form)
        assert by_link.json()["method"] == "session"
        assert str(by_link.url) == f"{site.url}/things/a?x=1"
        assert (await signed_in(client)).json()["method"] == "oidc"
        await client.post("/sign-out")
        assert (await client.get("/things/a")).status_code == 401


async def test_without_a_sign_in_of_this_machine_there_is_no_form_for_links(site):
    async with browser(site) as client:
        page = await client.get("/sign-in")
        assert "<form" not in page.text
        assert 'href="/sign-in/oidc"' in page.text
        assert (await client.post("/sign-in", data={"token": "x"})).status_code == 405
        assert "Open /sign-in in a browser" in (await client.get("/things/a")).json()["message"]


async def test_a_session_changes_things_only_from_our_own_pages(serve, provider):
    writes = PermissionClaim(claim="groups", roles={"write": "operator"})
    provider.person["groups"] = ["a:write"]
    site = await serve(AccessOptions(oidc=provider.options(claims=(writes,))))
    async with browser(site) as client:
        await signed_in(client)
        assert (await client.post("/things/a")).json()["code"] == "access.foreign_request"
        evil = await client.post("/things/a", headers={"Origin": "https://evil.example.com"})
        assert evil.json()["code"] == "access.foreign_request"
        assert (await client.post("/things/a", headers={"Origin": site.url})).status_code == 200


async def test_a_session_ends_after_its_time(serve, provider):
    site = await serve(AccessOptions(oidc=provider.options(session_s=1)))
    async with browser(site) as client:
        assert (await signed_in(client)).status_code == 200
        now = site.access.oidc.sessions._clock()
        site.access.oidc.sessions._clock = lambda: now + 1
        assert (await client.get("/things/a")).status_code == 401


async def test_sessions_are_bounded_and_the_oldest_makes_room(serve, provider):
    site = await serve(AccessOptions(oidc=provider.options(max_sessions=2)))
    browsers = [browser(site) for _ in range(3)]
    for client in browsers:
        assert (await signed_in(client)).status_code == 200

    statuses = [(await client.get("/things/a")).status_code for client in browsers]
    assert statuses == [401, 200, 200]
    assert len(site.access.oidc.sessions) == 2
    for client in browsers:
        await client.aclose()


async def test_answers_that_were_used_are_remembered_for_their_time_and_no_longer(site):
    flows = site.access.oidc._flows
    for _ in range(3):
        flow = Flow(redirect_uri="", next="")
        flows.finish(flows.seal(flow), flow.state)
    assert len(flows._used) == 3
    flows._clock = lambda: time.time() + 602
    flow = Flow(redirect_uri="", next="")
    flows.finish(flows.seal(flow), flow.state)
    assert len(flows._used) == 1


async def test_signing_out_ends_the_session_here_and_at_the_provider(site, provider):
    async with browser(site, Origin=site.url, Accept="text/html") as client:
        await signed_in(client)
        stolen = {"Cookie": f"trenova-test-oidc={client.cookies['trenova-test-oidc']}"}
        page = await client.post("/sign-out")

        assert page.status_code == 200
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "trenova-test-oidc" not in client.cookies
        assert (await client.get("/things/a", headers=stolen)).status_code == 401
        address = page.text.partition('content="0;url=')[2].partition('"')[0].replace("&amp;", "&")
        back = await client.get(address)

    told = dict(provider.requests)["/end"]
    assert told["post_logout_redirect_uri"] == str(back.url) == f"{site.url}/sign-in"
    assert told["client_id"] == "trenova"
    assert told["id_token_hint"].count(".") == 2
    assert ("sign_out", "allowed", "ada") in [(one.action, one.outcome, one.subject) for one in site.events]


async def test_a_part_of_a_page_that_signs_out_takes_the_whole_page_along(site, provider):
    async with browser(site, Origin=site.url) as client:
        await signed_in(client)
        answer = await client.post("/sign-out", headers={"HX-Request": "true"})
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"].startswith(f"{provider.address}/end?id_token_hint=")


async def test_a_person_whose_session_is_over_is_signed_out_all_the_same_and_a_program_is_told(site, provider):
    async with browser(site, Origin=site.url) as client:
        await signed_in(client)
        site.access.oidc.sessions.end(client.cookies["trenova-test-oidc"])
        assert (await client.post("/sign-out")).status_code == 401
        assert (await client.post("/sign-out", headers={"HX-Request": "true"})).headers["hx-redirect"] == "/sign-in"
        page = await client.post("/sign-out", headers={"Accept": "text/html", "Origin": "https://evil.example.com"})
        assert page.status_code == 403
        assert "Signed out" in (await client.post("/sign-out", headers={"Accept": "text/html"})).text


async def test_programs_that_sign_out_are_told_so_and_a_provider_without_an_end_is_left_alone(serve, provider):
    provider.told = {"end_session_endpoint": None}
    site = await serve(AccessOptions(oidc=provider.options()))
    async with browser(site, Origin=site.url) as client:
        await signed_in(client)
        assert (await client.post("/sign-out")).json() == {"message": "Signed out."}
        await signed_in(client)
        page = await client.post("/sign-out", headers={"Accept": "text/html"})
        assert "Signed out" in page.text
        assert "http-equiv" not in page.text


async def test_signing_in_again_asks_the_provider_to_ask(site, provider):
    async with browser(site) as client:
        await client.get("/sign-in/oidc?again=1")
    assert dict(provider.requests)["/authorize"]["prompt"] == "login"


async def test_neither_code_nor_token_nor_secret_is_in_any_log_or_event(site, provider, caplog):
    caplog.set_level(logging.DEBUG)
    async with browser(site, Origin=site.url) as client:
        await signed_in(client)
        cookie = client.cookies["trenova-test-oidc"]
        provider.changed = {"nonce": "another"}
        refused = await signed_in(client)
        provider.client_secret = "another"
        refused_too = await signed_in(client)

    asked = [told for path, told in provider.requests if path == "/token"]
    secrets = {value for told in asked for value in (told["code"], told["code_verifier"])} | {cookie}
    secrets |= {"planted-client-secret", provider.sign({})[:30]}
    # The browser of the test is httpx too, and pytest listens to the access log that is switched off.
    others = ("httpx", "httpcore", "uvicorn.access")
    own = [record for record in caplog.records if not record.name.startswith(others)]
    said = "\n".join([*(record.getMessage() for record in own), repr(site.events), repr(vars(site.access.oidc))])
    assert refused.status_code == refused_too.status_code == 401
    assert len(secrets) == 9
    for secret in secrets:
        assert secret not in said + refused.text + refused_too.text


async def test_the_provider_s_address_keeps_the_query_that_it_has(serve, provider):
    provider.told = {"end_session_endpoint": f"{provider.address}/end?tenant=1"}
    site = await serve(AccessOptions(oidc=provider.options()))
    async with browser(site, Origin=site.url) as client:
        await signed_in(client)
        address = (await client.post("/sign-out", headers={"HX-Request": "true"})).headers["hx-redirect"]
    assert parse_qs(urlsplit(address).query)["tenant"] == ["1"]


def test_people_of_a_provider_are_proof_enough_to_listen_to_other_machines(provider):
    local = SignInOptions(cookie="trenova-test-oidc")
    assert AccessOptions(oidc=provider.options()).proves_callers
    assert not AccessOptions(sign_in=local).proves_callers
    with pytest.raises(ValueError, match="sign_in and oidc have one cookie, 'trenova-test-oidc'"):
        AccessOptions(oidc=provider.options(), sign_in=local)


def test_without_the_extra_the_rest_works_and_the_error_names_it():
    program = """
import sys
sys.modules["authlib"] = None
from trenova_access import Access, AccessConfigurationError, AccessOptions, OidcOptions, Roles, SignInOptions
Access(AccessOptions(sign_in=SignInOptions()), Roles({}))
claims = [{"claim": "g", "roles": {"r": "viewer"}}]
oidc = OidcOptions(issuer="https://login.example.com", client_id="a", claims=claims)
try:
    Access(AccessOptions(oidc=oidc), Roles({"viewer": ()}))
except AccessConfigurationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert 'OIDC needs its extra: uv pip install "trenova-access[oidc]"' in done.stdout


def test_options_say_what_is_wrong_without_showing_the_secret():
    good = {"issuer": "https://x.example.com", "client_id": "a", "claims": [{"claim": "g", "roles": {"r": "viewer"}}]}
    wrong = {
        "issuer": ["http://x.example.com", "https://x.example.com/?a", "x", ""],
        "client_id": ["", "a b", "ä"],
        "claims": [[]],
        "scopes": [["profile"]],
        "redirect_path": ["callback", "//evil", "/a?b", "/"],
        "public_url": ["https://a.example.com/", "a.example.com"],
        "cookie": ["a b", "a;b"],
        "session_s": [0, 10**7],
        "client_secret": [123456789],
    }
    assert OidcOptions(**good).redirect_path == "/sign-in/oidc/callback"
    for name, values in wrong.items():
        for value in values:
            with pytest.raises(ValueError, match=name) as caught:
                OidcOptions(**{**good, name: value})
            assert "123456789" not in str(caught.value)
    with pytest.raises(ValueError, match="leave one out"):
        OidcOptions(**good, client_secret="planted", client_secret_file="/x")
    assert "planted" not in repr(OidcOptions(**good, client_secret="planted"))
