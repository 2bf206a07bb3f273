"""What a sign-in at a provider refuses: forged and replayed answers, foreign places, a provider that is away."""

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa

from trenova_access import Access, AccessConfigurationError, AccessOptions, Roles

FLOW, SESSION = "trenova-test-oidc-flow", "trenova-test-oidc"


@pytest.fixture
async def site(serve, provider):
    return await serve(AccessOptions(oidc=provider.options()))


@pytest.fixture
async def client(site):
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        yield client


async def begun(client, **query):
    """Begin a sign-in; where the provider sends the browser back to, with its code."""
    off = await client.get("/sign-in/oidc", params=query)
    assert off.status_code == 303, off.text
    return (await client.get(off.headers["location"])).headers["location"]


def refusals(site):
    return [(one.action, one.outcome, one.reason, one.subject) for one in site.events if one.outcome != "allowed"]


async def refused(site, client, reason, *, address=None, status=401, outcome="access.oidc_refused"):
    """Finish a sign-in, which must open nothing; the page that says so."""
    answer = await client.get(address or await begun(client))
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert not any(cookie.startswith(f"{SESSION}=") for cookie in answer.headers.get_list("set-cookie"))
    assert refusals(site)[-1][:3] == ("sign_in", outcome, reason)
    assert len(refusals(site)) == 1
    assert (await client.get("/things/a")).status_code == 401
    return answer.text


async def test_an_answer_with_another_state_opens_nothing_and_a_sign_in_elsewhere_stays_good(site, client):
    good = await begun(client)
    code = parse_qs(urlsplit(good).query)["code"][0]

    said = await refused(site, client, "state", address=f"/sign-in/oidc/callback?code={code}&state=another")

    assert "belongs to another sign-in" in said
    assert (await client.get(good)).status_code == 303


@pytest.mark.parametrize("query", ["", "?state=é", "?code=x", "?state=&code="])
async def test_an_answer_without_a_state_opens_nothing(site, client, query):
    await begun(client)
    await refused(site, client, "state", address=f"/sign-in/oidc/callback{query}")


async def test_an_answer_for_another_browser_opens_nothing_there(site, client):
    """Otherwise whoever sends somebody the address of their own answer signs them in as themselves."""
    address = await begun(client)
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as victim:
        assert "not begun in this browser" in await refused(site, victim, "flow_missing", address=address)


@pytest.mark.parametrize("sealed", ["x", "gAAAAA", None])
async def test_a_cookie_that_this_process_did_not_seal_is_none(site, client, sealed):
    address = await begun(client)
    sealed = sealed or Fernet(Fernet.generate_key()).encrypt(b"{}").decode().rstrip("=")
    client.cookies.clear()
    client.cookies.set(FLOW, sealed)
    await refused(site, client, "flow_over", address=address)


async def test_an_answer_after_its_time_opens_nothing(site, client):
    address = await begun(client)
    site.access.oidc._flows._clock = lambda: time.time() + 601
    assert "took longer than 600 s" in await refused(site, client, "flow_over", address=address)


async def test_an_answer_is_good_once_however_often_its_cookie_comes(site, client, provider):
    address = await begun(client)
    kept = client.cookies[FLOW]
    assert (await client.get(address)).status_code == 303
    redeemed = sum(path == "/token" for path, _ in provider.requests)
    client.cookies.clear()
    client.cookies.set(FLOW, kept)

    assert "used already" in await refused(site, client, "flow_used", address=address)
    assert sum(path == "/token" for path, _ in provider.requests) == redeemed == 1


async def test_a_code_of_another_sign_in_is_refused_by_its_verifier(site, client):
    stolen = parse_qs(urlsplit(await begun(client)).query)["code"][0]
    own = parse_qs(urlsplit(await begun(client)).query)["state"][0]

    said = await refused(site, client, "code", address=f"/sign-in/oidc/callback?code={stolen}&state={own}")

    assert "does not accept its own code" in said


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["a"]}, "nonce"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["trenova", "another"]}, "azp"),
        ({"aud": ["trenova", "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"iss": "https://evil.example.com"}, "issuer"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "claims"),
        ({"iat": time.time() + 3600}, "not_yet"),
        ({"nbf": time.time() + 3600}, "not_yet"),
        ({"sub": None}, "claims"),
        ({"sub": ""}, "claims"),
    ],
)
async def test_an_id_token_that_is_not_meant_for_this_sign_in_opens_nothing(site, client, provider, changed, reason):
    provider.changed = changed
    said = await refused(site, client, reason)
    assert ("clocks" in said) == (reason in ("expired", "not_yet"))


async def test_an_id_token_for_several_says_for_whom_it_was_made(site, client, provider):
    provider.changed = {"aud": ["trenova", "another"], "azp": "trenova"}
    assert (await client.get(await begun(client))).status_code == 303


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        (lambda claims: jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"}), "unsigned"),
        (lambda claims: jwt.encode(claims, "planted-client-secret" * 2, algorithm="HS256"), "algorithm"),
        (
            lambda claims: jwt.encode(
                claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "k1"}
            ),
            "signature",
        ),
        (
            lambda claims: jwt.encode(
                claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "k2"}
            ),
            "unknown_key",
        ),
        (lambda _: "a.b.c", "malformed"),
        (lambda _: None, "no_id_token"),
        (lambda _: {"a": 1}, "no_id_token"),
    ],
)
async def test_an_id_token_that_the_provider_did_not_sign_opens_nothing(site, client, provider, sign, reason):
    provider.sign = sign
    await refused(site, client, reason)


async def test_an_answer_in_the_name_of_another_provider_opens_nothing(site, client, provider):
    address = (await begun(client)).replace(f"iss=http%3A%2F%2F127.0.0.1%3A{urlsplit(provider.name).port}", "iss=x")
    await refused(site, client, "issuer", address=address)
    assert "/token" not in dict(provider.requests)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "it was not allowed there"),
        ("temporarily_unavailable", "Try again"),
        ("<script>alert(1)</script>", "look at client_id, scopes and the redirect URI"),
    ],
)
async def test_a_provider_that_signs_nobody_in_is_believed_and_not_quoted(site, client, provider, error, said):
    provider.error = error
    page = await refused(site, client, "denied" if error == "access_denied" else "provider")
    assert said in page
    assert "<script" not in page


async def test_a_wrong_secret_is_the_operator_s_to_correct(site, client, provider):
    provider.client_secret = "another"
    said = await refused(site, client, "client")
    assert f"whether the redirect URI {site.url}/sign-in/oidc/callback is registered" in said
    assert "(invalid_client)" in said


async def test_a_redirect_uri_that_is_not_registered_is_said_by_the_provider(site, client, provider):
    provider.redirect_uris = {"https://elsewhere.example.com/sign-in/oidc/callback"}
    off = await client.get("/sign-in/oidc")
    assert (await client.get(off.headers["location"])).status_code == 400


async def test_who_has_no_role_is_told_who_they_are_and_is_not_signed_in(site, client, provider):
    provider.person = {"sub": "eve <b>", "groups": ["Drivers"]}
    said = await refused(site, client, "no_role", status=403, outcome="access.not_permitted")

    assert "You are signed in as &#x27;eve &lt;b&gt;&#x27;, without a role. Ask whoever gives out roles" in said
    assert 'href="/sign-in/oidc?again=1"' in said
    assert refusals(site)[0][3] == "eve <b>"
    assert site.events[0].method == "oidc"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example.com",
        "//evil.example.com",
        "///evil.example.com",
        "/\\evil.example.com",
        "\\/evil.example.com",
        "/\t/evil.example.com",
        "/\n/evil.example.com",
        "/ok\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "evil.example.com",
        "",
        "?x",
        "/é",
        f"/{'a' * 1000}",
    ],
)
async def test_nobody_is_sent_to_another_site_after_a_sign_in(site, client, wanted):
    done = await client.get(await begun(client, next=wanted))
    assert done.headers["location"] == "/sign-in/done"
    assert "evil" not in (await client.get("/sign-in", params={"next": wanted})).text


async def test_a_cookie_that_was_planted_before_is_not_the_session_s(site, client, provider):
    client.cookies.set(SESSION, "planted")
    done = await client.get(await begun(client))
    assert "planted" not in done.headers["set-cookie"]
    first = client.cookies.get(SESSION, domain="127.0.0.1")
    assert first is not None

    await client.get(await begun(client))
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as other:
        assert (await other.get("/things/a", headers={"Cookie": f"{SESSION}=planted"})).status_code == 401
        assert (await other.get("/things/a", headers={"Cookie": f"{SESSION}={first}"})).status_code == 401


async def test_a_provider_that_is_away_is_a_page_that_says_so_and_is_asked_again(serve, provider):
    port = urlsplit(provider.name).port
    provider.close()
    site = await serve(AccessOptions(oidc=provider.options()))
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        answer = await client.get("/sign-in/oidc?next=/things/a")
        assert answer.status_code == 503
        assert "does not answer. Try again in a minute" in answer.text
        assert 'href="/sign-in/oidc?next=%2Fthings%2Fa"' in answer.text
        assert refusals(site) == [("sign_in", "access.oidc_unavailable", "oidc_unavailable", "")]
        assert str(port) not in answer.text

        with type(provider)() as back:
            discovery = site.access.oidc._provider._discovery
            discovery._issuer = back.name
            assert (await client.get("/sign-in/oidc")).status_code == 503  # not at every click
            discovery._failed = float("-inf")
            assert (await client.get("/sign-in/oidc")).status_code == 303


async def test_a_provider_that_goes_away_in_the_middle_is_a_page_too(site, client, provider):
    address = await begun(client)
    provider.status = 502
    said = await refused(
        site, client, "oidc_unavailable", address=address, status=503, outcome="access.oidc_unavailable"
    )
    assert "does not answer as it should" in said


async def test_a_provider_s_keys_that_are_away_are_a_page_too(site, client, provider):
    provider.told = {"jwks_uri": f"{provider.address}/nowhere"}
    provider.document = {"keys": []}
    reason = "key_set_unavailable"
    await refused(site, client, reason, status=503, outcome=f"access.{reason}")


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://another.example.com"},
        {"issuer": None},
        {"token_endpoint": "http://login.example.com/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
async def test_a_configuration_that_is_not_the_provider_s_own_is_not_used(site, client, provider, told, caplog):
    provider.told = told
    assert (await client.get("/sign-in/oidc")).status_code == 503
    assert "cannot be used" in caplog.text
    assert next(iter(told)) in caplog.text or "calls itself" in caplog.text


async def test_a_configuration_is_kept_while_the_provider_is_away(site, client, provider):
    await begun(client)
    site.access.oidc._provider._discovery._fetched = float("-inf")
    provider.status = 500
    assert (await client.get("/sign-in/oidc")).status_code == 303


async def test_many_who_begin_at_once_ask_the_provider_for_its_configuration_once(site, client, provider):
    await asyncio.gather(*(client.get("/sign-in/oidc") for _ in range(20)))
    assert [path for path, _ in provider.requests] == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be read: No such file"), ("", "is empty"), ("ä", "is not ASCII"), (b"\xff", "it is no text")],
)
def test_a_secret_that_cannot_be_used_ends_the_start(provider, tmp_path, text, said):
    file = tmp_path / "secret"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    options = AccessOptions(oidc=provider.options(client_secret=None, client_secret_file=file))
    with pytest.raises(AccessConfigurationError, match=said):
        Access(options, Roles({"viewer": ()}))


def test_a_role_that_the_server_does_not_know_ends_the_start(provider):
    with pytest.raises(AccessConfigurationError, match="role 'viewer', which this server does not know"):
        Access(AccessOptions(oidc=provider.options()), Roles({"reader": ()}))
