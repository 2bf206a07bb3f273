import re

import pytest

from trenova_access import AccessOptions, Grant, NotSignedInError, SignIn, SignInOptions, sign_in_link

EVERYTHING = (Grant(resource="*", role="admin"),)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def sign_in(**told):
    clock = Clock()
    return SignIn(SignInOptions(grants=EVERYTHING, **told), clock), clock


def test_a_link_opens_one_session():
    local, _ = sign_in()
    token = local.new_link()

    assert local.by_session(local.exchange(token)).method == "session"
    with pytest.raises(NotSignedInError, match="used already"):
        local.exchange(token)


@pytest.mark.parametrize("token", ["", "x", "é\ud800"])
def test_a_made_up_link_opens_nothing(token):
    local, _ = sign_in()
    local.new_link()

    with pytest.raises(NotSignedInError):
        local.exchange(token)
    assert local.by_session(token) is None
    assert local.by_key(token) is None


def test_a_link_is_over_after_its_time_and_the_oldest_when_there_are_many():
    local, clock = sign_in(link_s=60, max_links=2)
    first = local.new_link()
    second = local.new_link()
    local.new_link()

    with pytest.raises(NotSignedInError):
        local.exchange(first)
    clock.now += 60
    with pytest.raises(NotSignedInError):
        local.exchange(second)


def test_a_session_ends_after_its_time_however_busy_and_sooner_when_idle():
    local, clock = sign_in(session_s=100, idle_s=40)
    busy, idle = local.exchange(local.new_link()), local.exchange(local.new_link())

    for _ in range(3):
        clock.now += 30
        assert local.by_session(busy)
    assert local.by_session(idle) is None
    clock.now += 10
    assert local.by_session(busy) is None


def test_the_oldest_session_makes_room():
    local, _ = sign_in(max_sessions=2)
    sessions = [local.exchange(local.new_link()) for _ in range(3)]

    assert [local.by_session(one) is not None for one in sessions] == [False, True, True]


def test_secrets_are_not_shown():
    local, _ = sign_in()
    secrets = [local.key, local.exchange(local.new_link()), local.new_link()]

    assert not any(secret in repr(local) or secret in repr(vars(local)["_sessions"]) for secret in secrets)


async def signed_in(running, token=None):
    token = token or running.access.sign_in.new_link()
    return await running.client.post("/sign-in", data={"token": token}, headers={"Origin": running.origin})


@pytest.fixture
async def local(serve):
    return await serve(AccessOptions(sign_in=SignInOptions(cookie="trenova-test", grants=EVERYTHING)))


async def test_a_link_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(local):
    answer = await signed_in(local)

    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(
        r"trenova-test=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict", cookie, re.IGNORECASE
    )
    shown = await local.client.get("/things/a")
    assert shown.json() == {"subject": "local", "method": "session"}


async def test_the_link_keeps_its_token_from_the_server_s_log_and_is_gone_after_one_use(local):
    token = local.access.sign_in.new_link()
    page = await local.client.get("/sign-in")

    assert sign_in_link("http://127.0.0.1:1/", token) == f"http://127.0.0.1:1/sign-in#{token}"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await local.client.get("/sign-in/page.js")).headers["content-type"].startswith("text/javascript")
    assert (await signed_in(local, token)).status_code == 303
    again = await signed_in(local, token)
    assert again.status_code == 401
    assert "set-cookie" not in again.headers
    assert token not in again.text


@pytest.mark.parametrize("body", [b"", b"token", b"&".join([b"token=x"] * 9), b"\xff=\xfe", b"token=%ud800"])
async def test_a_form_that_is_not_ours_opens_nothing(local, body):
    answer = await local.client.post("/sign-in", content=body, headers={"Origin": local.origin})

    assert answer.status_code == 401
    assert [event.reason for event in local.events] == ["link"]


async def test_signing_out_ends_the_session_on_the_server_too(local):
    await signed_in(local)
    kept = {"Cookie": f"trenova-test={local.client.cookies['trenova-test']}"}

    assert (await local.client.post("/sign-out", headers={"Origin": local.origin})).status_code == 200
    local.client.cookies.clear()
    assert (await local.client.get("/things/a", headers=kept)).status_code == 401


async def test_the_key_lets_programs_in_and_gives_new_links(local):
    bearer = {"Authorization": f"Bearer {local.access.sign_in.key}"}

    assert (await local.client.post("/things/a", content=b"xyz", headers=bearer)).json()["size"] == 3
    link = (await local.client.post("/sign-in/links", headers=bearer)).json()["link"]
    assert link.startswith(f"{local.url}/sign-in#")
    assert (await signed_in(local, link.partition("#")[2])).status_code == 303


async def test_a_session_does_not_give_new_links(local):
    await signed_in(local)

    answer = await local.client.post("/sign-in/links", headers={"Origin": local.origin})

    assert answer.status_code == 401


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example.com", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_cannot_use_the_cookie(local, origin):
    await signed_in(local)
    headers = {"Origin": origin} if origin else {}

    answer = await local.client.post("/things/a", content=b"xyz", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "access.foreign_request"
    assert ("no Origin header" in answer.json()["message"]) == (origin is None)


async def test_another_site_cannot_sign_its_visitor_in(local):
    token = local.access.sign_in.new_link()

    answer = await local.client.post("/sign-in", data={"token": token}, headers={"Origin": "https://evil.example.com"})

    assert answer.status_code == 403
    assert (await signed_in(local, token)).status_code == 303


async def test_decisions_are_audited_without_secrets(local):
    await signed_in(local)
    await local.client.get("/things/a")
    local.client.cookies.clear()
    await local.client.get("/things/a", headers={"Authorization": "Bearer wrong-secret"})

    assert [(one.action, one.resource, one.outcome, one.subject) for one in local.events] == [
        ("sign_in", "", "allowed", "local"),
        ("viewer", "a", "allowed", "local"),
        ("viewer", "a", "access.not_signed_in", ""),
    ]
    assert local.events[-1].reason == "wrong_key"
    assert local.events[-1].client == "127.0.0.1"
    assert "wrong-secret" not in repr(local.events)
