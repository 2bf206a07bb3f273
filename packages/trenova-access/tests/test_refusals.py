"""Whatever is refused, one audit event and one count say so."""

import asyncio
import base64
import json
import logging
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from trenova_access import AccessOptions, AuditEvent, AuditLog, AuditOptions, Grant, LimitOptions, SignInOptions

UI = "http://127.0.0.1:8233"
LOCAL = SignInOptions(grants=(Grant(resource="*", role="admin"),))
REFUSALS = ("trenova_access_refusals", "outcome", "reason")


@pytest.fixture
def start(serve, issuer):
    async def start(timeout_s):
        limits = LimitOptions(max_body=1000, timeout_s=timeout_s, max_concurrent=2)
        return await serve(AccessOptions(tokens=issuer.options(), sign_in=LOCAL, origins=(UI,), limits=limits))

    return start


@pytest.fixture
async def running(start):
    return await start(10)


@pytest.fixture
async def hurried(start):
    return await start(0.5)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def refused(running):
    return [event for event in running.events if event.outcome != "allowed"]


def unsigned(issuer, alg):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': alg, 'kid': 'k1'})}.{part(issuer.claims(permissions=['a:read']))}."


CREDENTIALS = {
    "no_credential": lambda _: {},
    "authorization_header": lambda _: {"Authorization": "Basic YTpi"},
    "malformed": lambda _: bearer("wrong-secret"),
    "session": lambda _: {"Cookie": "trenova-session=wrong-secret"},
    "unsigned": lambda issuer: bearer(unsigned(issuer, "nOnE")),
    "algorithm": lambda issuer: bearer(unsigned(issuer, "HS256")),
    "expired": lambda issuer: bearer(issuer.token(exp=int(time.time()) - 300)),
    "not_yet": lambda issuer: bearer(issuer.token(nbf=int(time.time()) + 300)),
    "audience": lambda issuer: bearer(issuer.token(aud="another")),
    "issuer": lambda issuer: bearer(issuer.token(iss="https://evil.example.com/")),
    "claims": lambda issuer: bearer(issuer.token(sub=None)),
    "unknown_key": lambda issuer: bearer(issuer.token(kid="k9")),
    "signature": lambda issuer: bearer(issuer.token(key=rsa.generate_private_key(65537, 2048))),
}


@pytest.mark.parametrize("reason", CREDENTIALS)
async def test_what_is_wrong_with_a_credential_is_told_apart_in_the_log_and_not_in_the_status(
    running, issuer, counted, reason
):
    headers = CREDENTIALS[reason](issuer)

    answer = await running.client.get("/things/a", headers=headers)

    assert answer.status_code == 401
    (event,) = refused(running)
    assert (event.action, event.resource, event.reason, event.subject, event.method) == ("viewer", "a", reason, "", "")
    assert counted(*REFUSALS) == {(event.outcome, reason): 1}
    assert not any(value.split()[-1] in repr(event) for value in headers.values())


OTHERS = {
    "host": ("GET", "/things/a", {"Host": "evil.example.com"}, b"", 403, "access.foreign_request"),
    "origin": ("POST", "/things/a", {"Origin": "https://evil.example.com"}, b"", 403, "access.foreign_request"),
    "body_too_large": ("POST", "/things/a", {}, b"x" * 1001, 413, "access.body_too_large"),
    "http_404": ("GET", "/nowhere", {}, b"", 404, "http.404"),
    "http_405": ("DELETE", "/things/a", {}, b"", 405, "http.405"),
    "failed": ("GET", "/broken", {}, b"", 500, "http.500"),
    "other": ("GET", "/odd", {}, b"", 400, "thing.odd"),
    "preflight": (
        "OPTIONS",
        "/things/a",
        {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"},
        b"",
        400,
        "access.foreign_request",
    ),
}


@pytest.mark.parametrize("reason", OTHERS)
async def test_what_is_refused_before_anybody_is_asked_for_leaves_one_event_and_one_count(running, counted, reason):
    method, path, headers, content, status, outcome = OTHERS[reason]

    answer = await running.client.request(method, path, headers={"X-Thing": "a", **headers}, content=content)

    assert answer.status_code == status
    assert refused(running) == [AuditEvent("request", "a", outcome, reason=reason, client="127.0.0.1")]
    assert counted(*REFUSALS) == {(outcome, reason): 1}


async def test_a_body_in_pieces_is_refused_to_somebody_who_is_known(running, counted):
    async def pieces():
        for _ in range(20):
            yield b"x" * 100

    answer = await running.client.post("/things/a", headers=bearer(running.access.sign_in.key), content=pieces())

    assert answer.status_code == 413
    (event,) = refused(running)
    assert (event.action, event.resource, event.subject, event.method) == ("operator", "a", "local", "key")
    assert counted(*REFUSALS) == {("access.body_too_large", "body_too_large"): 1}


async def test_each_that_is_too_slow_or_one_too_many_is_counted(hurried, counted):
    await asyncio.gather(*(hurried.client.get("/slow") for _ in range(5)))

    assert counted(*REFUSALS) == {("access.too_slow", "too_slow"): 2, ("access.too_busy", "too_busy"): 3}
    assert [event.action for event in refused(hurried)] == ["request"] * 5


async def test_a_role_an_issuer_that_is_away_and_a_used_link_are_told(running, issuer, counted):
    await running.client.get("/things/b", headers=bearer(issuer.token(permissions=["a:read"])))
    await running.client.post("/sign-in", data={"token": "wrong-secret"})
    issuer.status = 500
    await running.client.get("/things/a", headers=bearer(issuer.token(kid="k2")))

    assert [(event.outcome, event.reason, event.subject) for event in refused(running)] == [
        ("access.not_permitted", "role", "ada"),
        ("access.not_signed_in", "link", ""),
        ("access.key_set_unavailable", "key_set_unavailable", ""),
    ]
    assert sum(counted(*REFUSALS).values()) == 3


async def test_a_session_that_asks_for_a_new_link_is_told(running):
    link = running.access.sign_in.new_link()
    await running.client.post("/sign-in", data={"token": link}, headers={"Origin": running.origin})

    assert (await running.client.post("/sign-in/links", headers={"Origin": running.origin})).status_code == 401
    (event,) = refused(running)
    assert (event.action, event.reason, event.subject) == ("new_link", "not_the_key", "local")


async def test_a_refusal_of_the_application_is_told_once_and_only_counted_where_it_has_a_line_itself(running, counted):
    await running.client.get("/twice", headers=bearer(running.access.sign_in.key))
    await running.client.get("/own-line")

    assert [(event.outcome, event.reason, event.subject) for event in refused(running)] == [
        ("thing.locked", "locked", "local")
    ]
    assert counted(*REFUSALS) == {("thing.locked", "locked"): 2}


async def test_what_is_answered_leaves_no_refusal(running, issuer, counted):
    await running.client.get("/things/a", headers=bearer(issuer.token(permissions=["a:read"])))
    await running.client.get("/sign-in")

    assert refused(running) == []
    assert counted(*REFUSALS) == {}


async def test_a_caller_that_went_away_is_refused_nothing(running, counted, caplog):
    host, port = running.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /things/a HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {running.access.sign_in.key}\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\nx".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while not running.events:  # noqa: ASYNC110  # decided in the server's task
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)

    assert refused(running) == []
    assert counted(*REFUSALS) == {}
    assert "Traceback" not in caplog.text


async def test_what_a_caller_names_is_cut_and_escaped(running, caplog):
    headers = {"X-Thing": "n" * 600, "Host": "evil.example.com"}

    await running.client.get("/things/a", headers=headers)
    await running.client.get("/things/a%0AWARNING%20forged%E2%80%AE")

    assert [len(event.resource) for event in running.events] == [
        255,
        len("a\nWARNING forged\N{RIGHT-TO-LEFT OVERRIDE}"),
    ]
    for event in running.events:
        AuditLog()(event)
    assert "on 'a\\nWARNING forged\\u202e' by nobody known" in caplog.messages[-1]
    assert not any("\n" in message for message in caplog.messages)


def flood(log, times, **told):
    for _ in range(times):
        log(AuditEvent("viewer", outcome="access.not_signed_in", reason="no_credential", **told))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_flood_of_unknown_callers_is_a_few_lines_and_a_sum(caplog):
    clock = Clock()
    log = AuditLog(AuditOptions(lines=3, window_s=60), clock)

    flood(log, 1000)
    assert len(caplog.messages) == 3
    log(AuditEvent("request", outcome="access.foreign_request", reason="host"))
    assert len(caplog.messages) == 4
    clock.now += 60
    flood(log, 1)

    assert len(caplog.messages) == 6
    assert caplog.messages[4].startswith(
        "997 more requests of callers that nobody knows: access.not_signed_in (no_credential)"
    )
    assert caplog.records[4].audit_sum["count"] == 997


def test_whoever_is_known_has_a_line_for_everything(caplog):
    caplog.set_level(logging.INFO)
    log = AuditLog(AuditOptions(lines=1))

    flood(log, 50, subject="ada", method="token")
    for _ in range(50):
        log(AuditEvent("viewer", subject="ada", method="token"))

    assert len(caplog.messages) == 100


async def test_the_sum_is_written_when_its_time_is_over_and_when_the_server_ends(caplog):
    log = AuditLog(AuditOptions(lines=0, window_s=0.1))
    flood(log, 5)
    assert caplog.messages == []

    async with asyncio.timeout(5):
        while not caplog.messages:  # noqa: ASYNC110  # written by a timer
            await asyncio.sleep(0.02)
    flood(log, 7)
    log.flush()
    log.flush()

    assert [message.split()[0] for message in caplog.messages] == ["5", "7"]
