"""Every refusal of the codec server is one audit line and one count, whoever refuses it."""

import asyncio
import json
import logging

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from temporalio.api.common.v1 import Payload

from trenova_access import AuditLog, KeySetOptions
from trenova_codecs import KeyRing
from trenova_codecs.server import CodecServerOptions, log_codec_event


def changed(options, **access):
    told = options.access.model_copy(update=access)
    return options.model_copy(update={"access": told})


def only_line(server):
    """The one line that a refusal left: the codec's own, or that of who may call."""
    (line,) = [*server.events, *server.refusals]
    return line


BEFORE = {
    "no_credential": ({"headers": {}}, 401),
    "malformed": ({"headers": {"Authorization": "Bearer planted-token"}}, 401),
    "role": ({"namespace": "elsewhere", "permissions": ["payments:write"]}, 403),
    "namespace_not_served": ({"namespace": "elsewhere", "permissions": ["elsewhere:read"]}, 403),
    "namespace_missing": ({"namespace": None}, 400),
    "host": ({"more": {"Host": "evil.example.com"}}, 403),
    "origin": ({"more": {"Origin": "https://evil.example.com"}}, 403),
    "body_too_large": ({"content": b"x" * (1024 * 1024 + 1)}, 413),
    "no_such_path": ({"path": "/elsewhere"}, 404),
    "no_download": ({"path": "/download"}, 404),
}


@pytest.mark.parametrize("reason", BEFORE)
async def test_what_never_reaches_a_key_leaves_one_line_and_one_count(server, refused_for, reason):
    told, status = BEFORE[reason]
    namespace = told.get("namespace", "payments")
    headers = told.get("headers", server.token(*told.get("permissions", ["payments:read"]))) | told.get("more", {})

    answer = await server.post(told.get("path", "/decode"), told.get("content", b"{}"), namespace, headers)

    assert answer.status_code == status
    line = only_line(server)
    assert (line.reason, line.resource) == (reason, namespace or "")
    assert refused_for() == {reason: 1}
    assert answer.json()["code"] == line.outcome
    if reason in {"role", "namespace_not_served", "namespace_missing", "no_download"}:
        assert (line.subject, line.method) == ("ada", "token")
    assert "planted-token" not in repr(line)


WITHIN = {
    "too_many_payloads": (lambda plain, _: [plain(1)] * 51, 413, "payload_too_large"),
    "not_payloads": (lambda *_: b"planted", 400, "invalid_input"),
    "not_payloads but an object": (lambda *_: b'{"planted": 1}', 400, "invalid_input"),
    "key_not_assigned": (lambda _, sealed: sealed(1, key="ship-1"), 403, "codec.key_not_assigned"),
    "unknown_key": (lambda _, sealed: sealed(1, key="pay-9"), 400, "codec.unknown_key"),
    "output_too_large": (lambda _, sealed: sealed(*["z" * 1_500_000] * 4, key="pay-1"), 413, "payload_too_large"),
}


@pytest.mark.parametrize("reason", WITHIN)
async def test_what_is_refused_after_it_was_let_through_is_in_its_own_line(
    server, sealed, to_payload, refused_for, *, caplog, reason
):
    make, status, outcome = WITHIN[reason]
    reason = reason.partition(" ")[0]
    payloads = make(to_payload, sealed)
    payloads = await payloads if asyncio.iscoroutine(payloads) else payloads

    answer = await server.post("/decode", payloads, headers=server.token("payments:read"))

    assert (answer.status_code, answer.json()["code"]) == (status, outcome)
    line = only_line(server)
    assert (line.operation, line.namespace, line.subject) == ("decode", "payments", "ada")
    assert (line.outcome, line.reason) == (outcome, reason)
    assert refused_for() == {reason: 1}
    log_codec_event(line)
    assert caplog.records[-1].levelno == logging.WARNING
    assert f"by 'ada' (token): {outcome} ({reason}), " in caplog.messages[-1]
    assert "planted" not in caplog.text
    assert len(caplog.records) == 1  # the codec's own notice would be a second


async def test_an_audit_line_names_the_keys_also_once_they_are_remembered(server, sealed):
    (good,) = await sealed(1, key="pay-1")
    (inner,) = await sealed(2, key="pay-1")
    cut = Payload(metadata=good.metadata, data=good.data[:-1])
    payloads = [[good], [good], [cut], [inner, inner]]
    for one in payloads:
        await server.post("/decode", one)
    for _ in range(2):
        await server.encode([Payload(metadata={"encoding": b"json/plain"}, data=b"1")])

    assert [event.key_ids for event in server.events[: len(payloads)]] == [("pay-1",)] * len(payloads)
    first, second = [event.key_ids for event in server.events[len(payloads) :]]
    assert len(first) == 1
    assert first == second


async def test_a_body_in_pieces_that_becomes_too_large_is_in_the_line_of_its_request(server, refused_for):
    async def pieces():
        for _ in range(20):
            yield b" " * 100_000

    headers = {**server.token("payments:read"), "X-Namespace": "payments"}
    answer = await server.client.post("/decode", content=pieces(), headers=headers)

    assert answer.status_code == 413
    assert (only_line(server).outcome, only_line(server).subject) == ("access.body_too_large", "ada")
    assert refused_for() == {"body_too_large": 1}


async def test_a_decode_that_takes_too_long_says_so_in_its_line(serve, options, ring, sealed, refused_for):
    class Slow(KeyRing):
        async def refresh(self, key_id=None):
            await asyncio.sleep(30)

    limits = options.access.limits.model_copy(update={"timeout_s": 1})
    server = await serve(changed(options, limits=limits), Slow([ring.active()]))

    answer = await server.post("/decode", await sealed(1, key="pay-1"))

    assert answer.status_code == 408
    line = only_line(server)
    assert (line.outcome, line.reason, line.key_ids) == ("access.too_slow", "too_slow", ("pay-1",))
    assert refused_for() == {"too_slow": 1}


async def test_a_key_source_that_is_away_and_a_fault_of_ours_are_counted(serve, ring, sealed, refused_for):
    class Broken(KeyRing):
        def find(self, key_id):
            raise RuntimeError("planted")

    server = await serve(keys=Broken([ring.active()]))

    assert (await server.post("/decode", await sealed(1, key="pay-1"))).status_code == 500
    assert (only_line(server).outcome, only_line(server).reason) == ("failed", "failed")
    assert refused_for() == {"failed": 1}


async def test_a_caller_that_goes_away_is_refused_nothing_and_its_line_says_so(server, refused_for, caplog):
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    headers = {**server.token("payments:read"), "Host": host, "X-Namespace": "payments", "Content-Length": "100"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /decode HTTP/1.1\r\n{head}\r\n{{".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while not server.events:  # noqa: ASYNC110  # written in the server's task
            await asyncio.sleep(0.01)

    assert (only_line(server).outcome, only_line(server).reason) == ("canceled", "")
    assert refused_for() == {}
    assert "Traceback" not in caplog.text


async def test_two_namespaces_in_one_request_are_none(server, sealed):
    headers = [("X-Namespace", "payments"), ("X-Namespace", "shipments"), *server.token("payments:read").items()]

    answer = await server.client.post("/decode", content=b"{}", headers=headers)

    assert answer.status_code == 400
    assert only_line(server).reason == "namespace_missing"


async def test_an_issuer_that_is_away_is_503_and_counted_and_its_new_keys_are_found(
    serve, options, issuer, refused_for
):
    tokens = options.access.tokens.model_copy(update={"keys": KeySetOptions(url=issuer.url, retry_s=0.05)})
    server = await serve(changed(options, tokens=tokens))
    new = rsa.generate_private_key(65537, 2048)
    rotated = {"headers": server.token("payments:read", key=new, kid="k2")}
    issuer.status = 500

    away = [await server.post("/decode", b"{}", **rotated) for _ in range(3)]
    assert [(answer.status_code, answer.json()["code"]) for answer in away] == [(503, "access.key_set_unavailable")] * 3
    assert refused_for() == {"key_set_unavailable": 3}
    issuer.status, issuer.document = 200, {"keys": [issuer.jwk(new, "k2")]}
    await asyncio.sleep(0.1)

    assert (await server.post("/decode", b"{}", **rotated)).status_code == 200
    old = await server.post("/decode", b"{}", headers=server.token("payments:read"))
    assert (old.status_code, server.refusals[-1].reason) == (401, "unknown_key")


async def test_a_namespace_is_cut_and_escaped_and_a_flood_is_a_few_lines(server, refused_for, caplog):
    long = "n" * 5000
    await server.post("/decode", b"{}", long, headers={"Host": "evil.example.com"})
    await server.post("/decode", b"{}", b"a\x85b", headers={"Host": "evil.example.com"})
    for _ in range(40):
        await server.post("/decode", b"{}", headers={})

    log = AuditLog()
    for event in server.refusals:
        log(event)
    log.flush()

    assert len(server.refusals[0].resource) == 255
    assert "'a\\x85b'" in caplog.messages[1]
    assert len(caplog.messages) == 2 + 20 + 1
    assert caplog.messages[-1].startswith("20 more requests of callers that nobody knows")
    assert refused_for() == {"host": 2, "no_credential": 40}


async def test_what_is_answered_and_what_a_probe_asks_is_no_refusal(server, sealed, ring, refused_for):
    await server.decode(await sealed(1, key="pay-1"))
    ring.replace([])
    assert (await server.client.get("/readyz")).status_code == 503

    assert (server.refusals, refused_for()) == ([], {})
    assert server.events[0].reason == ""


def test_what_a_server_logs_may_be_told_in_its_file():
    told = {"access": {"sign_in": {}, "audit": {"lines": 5, "window_s": 10}}}

    assert CodecServerOptions.model_validate(json.loads(json.dumps(told))).access.audit.lines == 5
