import asyncio
import logging
import socket

import pytest

from trenova_access import (
    Access,
    AccessConfigurationError,
    AccessOptions,
    Grant,
    LimitOptions,
    Roles,
    SignInOptions,
    is_loopback,
    require_safe_bind,
    write_private,
)

UI = "http://127.0.0.1:8233"
LOCAL = SignInOptions(grants=(Grant(resource="*", role="admin"),))


@pytest.fixture
async def running(serve, issuer):
    limits = LimitOptions(max_body=1000, timeout_s=1, max_concurrent=4)
    options = AccessOptions(tokens=issuer.options(), sign_in=LOCAL, origins=(UI,), limits=limits)
    return await serve(options)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_s_roles_hold_on_its_resources_only(running, issuer):
    reads = bearer(issuer.token(permissions=["a:read"]))
    writes = bearer(issuer.token(permissions=["a:write"]))

    assert (await running.client.get("/things/a", headers=reads)).json() == {"subject": "ada", "method": "token"}
    refused = await running.client.get("/things/b", headers=reads)
    assert refused.status_code == 403
    assert refused.json() == {
        "code": "access.not_permitted",
        "message": "'ada' does not have the role 'viewer' on 'b'.",
    }
    assert (await running.client.post("/things/a", headers=reads)).status_code == 403
    assert (await running.client.post("/things/a", headers=writes)).status_code == 200
    assert (await running.client.get("/things/a", headers=writes)).status_code == 200


async def test_without_a_credential_the_answer_says_how_to_get_one(running):
    answer = await running.client.get("/things/a")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "sign-in link" in answer.json()["message"]


@pytest.mark.parametrize("value", ["", "Bearer", "Basic YTpi", "Token x", "bearer"])
async def test_another_kind_of_credential_is_refused(running, value):
    assert (await running.client.get("/things/a", headers={"Authorization": value})).status_code == 401


async def test_two_credentials_are_refused(running, issuer):
    token = issuer.token(permissions=["a:read"])
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    assert (await running.client.get("/things/a", headers=headers)).status_code == 401


async def test_a_wrong_token_is_refused_though_a_good_cookie_comes_with_it(running):
    link = running.access.sign_in.new_link()
    await running.client.post("/sign-in", data={"token": link}, headers={"Origin": running.origin})

    assert (await running.client.get("/things/a")).status_code == 200
    assert (await running.client.get("/things/a", headers=bearer("x"))).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example.com", "127.0.0.1.evil.example.com", "127.0.0.1@evil", "", "[::1", "a b"]
)
async def test_a_request_for_another_host_is_refused(running, issuer, host):
    answer = await running.client.get("/things/a", headers={"Host": host, **bearer(issuer.token())})

    assert answer.status_code in {400, 403}
    assert "ada" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "[::1]:8234", "127.0.0.1"])
async def test_a_name_of_loopback_is_ours(running, host):
    assert (await running.client.get("/things/a", headers={"Host": host})).status_code == 401


async def test_two_hosts_are_refused():
    access = Access(AccessOptions(sign_in=LOCAL), Roles({"admin": ()}))
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"host", b"evil.example.com")]
    await access.protect(None)({"type": "http", "method": "GET", "headers": headers, "path": "/"}, None, send)

    assert sent[0]["status"] == 403


async def test_the_ui_may_ask_with_credentials_and_read_why_it_is_refused(running):
    preflight = await running.client.options(
        "/things/a",
        headers={
            "Origin": UI,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-namespace,authorization,authorization-extras",
        },
    )
    refused = await running.client.post("/things/a", headers={"Origin": UI})
    broken = await running.client.get("/broken", headers={"Origin": UI})
    too_large = await running.client.post("/things/a", headers={"Origin": UI}, content=b"x" * 2000)

    assert preflight.status_code == 200
    for answer, status in ((preflight, 200), (refused, 401), (broken, 500), (too_large, 413)):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-credentials"] == "true"
    assert "planted" not in broken.text


async def test_a_page_of_another_origin_gets_no_leave(running, issuer):
    evil = {"Origin": "https://evil.example.com"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    preflight = await running.client.options("/things/a", headers=evil | asked)
    call = await running.client.post("/things/a", headers=evil | bearer(issuer.token(permissions=["a:write"])))
    read = await running.client.get("/things/a", headers=evil)

    assert preflight.status_code == 400
    assert call.status_code == 403
    assert not any("access-control-allow-origin" in answer.headers for answer in (preflight, call, read))


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.com", "https://a/b", "a.example.com", "https://u@a", "null"]
)
def test_origins_are_named_in_full(origin):
    with pytest.raises(ValueError, match=r"is no origin|is not concrete"):
        AccessOptions(sign_in=LOCAL, origins=(origin,))


def test_options_that_let_nobody_in_are_refused():
    with pytest.raises(ValueError, match="nobody can be let in"):
        AccessOptions()


def test_a_role_that_the_server_does_not_know_is_refused_at_start(issuer):
    with pytest.raises(AccessConfigurationError, match=r"give out the role 'operator'.*it knows viewer"):
        Access(AccessOptions(tokens=issuer.options()), Roles({"viewer": ()}))


async def test_a_body_that_comes_in_pieces_is_counted(running):
    async def pieces():
        for _ in range(20):
            yield b"x" * 100

    headers = bearer(running.access.sign_in.key)
    answer = await running.client.post("/things/a", headers=headers, content=pieces())

    assert answer.status_code == 413
    assert answer.json()["code"] == "access.body_too_large"


async def test_a_body_that_never_ends_is_given_up(running):
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /things/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {running.access.sign_in.key}\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\nx".encode())

    answer = await asyncio.wait_for(reader.read(100), 5)
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 408")


async def test_an_answer_that_takes_too_long_is_given_up(running):
    answer = await running.client.get("/slow")

    assert answer.status_code == 408
    assert answer.json()["message"] == "The request was not over within 1 s."


async def test_more_requests_than_fit_are_told_to_come_back(running):
    answers = await asyncio.gather(*(running.client.get("/slow") for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [408] * 4 + [503] * 4
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert busy.headers["retry-after"] == "1"
    assert (await running.client.get("/things/a")).status_code == 401


async def test_an_issuer_that_is_away_is_no_reason_to_let_anybody_in(running, issuer):
    issuer.status = 500

    answer = await running.client.get("/things/a", headers=bearer(issuer.token(permissions=["a:read"])))

    assert answer.status_code == 503
    assert answer.json()["code"] == "access.key_set_unavailable"


async def test_decisions_are_counted_by_outcome(running, issuer, counted):
    await running.client.get("/things/a", headers=bearer(issuer.token(permissions=["a:read"])))
    await running.client.get("/things/a", headers=bearer(issuer.token(exp=1)))

    assert counted("trenova_access_decisions", "outcome", "reason") == {
        ("allowed", None): 1,
        ("access.token_refused", "expired"): 1,
    }


async def test_the_log_says_who_was_let_do_what(issuer, caplog, serve):
    caplog.set_level(logging.INFO, logger="trenova_access.audit")
    access = Access(AccessOptions(tokens=issuer.options()), Roles({"viewer": (), "operator": ()}))
    running = await serve(AccessOptions(tokens=issuer.options()))
    running.access._audit = access._audit
    await running.client.get("/things/a", headers=bearer(issuer.token(permissions=["a:read"])))
    await running.client.get("/things/a", headers=bearer(issuer.token(aud="b")))

    assert [record.message for record in caplog.records if record.name == "trenova_access.audit"] == [
        "viewer on 'a' by 'ada' (token): allowed, from 127.0.0.1",
        "viewer on 'a' by nobody known: access.token_refused (audience), from 127.0.0.1",
    ]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("codec.example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(("tokens", "encrypted"), [(False, False), (True, False), (False, True)])
def test_others_are_let_in_only_with_tokens_and_encryption(tokens, encrypted):
    require_safe_bind("127.0.0.1", tokens=False, encrypted=False)
    require_safe_bind("0.0.0.0", tokens=True, encrypted=True)
    with pytest.raises(AccessConfigurationError, match="lets other machines in") as caught:
        require_safe_bind("0.0.0.0", tokens=tokens, encrypted=encrypted)
    assert ("JWT" in str(caught.value)) is not tokens
    assert ("TLS" in str(caught.value)) is not encrypted


def test_a_private_file_is_this_user_s_and_replaces_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "folder" / "file.json"
    target.write_text("kept")
    link.parent.mkdir()
    link.symlink_to(target)

    write_private(link, {"key": "secret"})

    assert target.read_text() == "kept"
    assert link.stat().st_mode & 0o777 == 0o600
    assert not link.is_symlink()
    assert [one.name for one in link.parent.iterdir()] == ["file.json"]


def test_the_tests_listen_on_loopback_only():
    assert socket.gethostbyname("localhost").startswith("127.")
