import base64
import hashlib
import hmac
import json
import logging
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from trenova_access import AccessOptions, OidcOptions, PermissionClaim
from trenova_access.testing import Provider
from trenova_codecs import KeyRing, KeyRingError
from trenova_codecs.server import CodecServerOptions, log_codec_event

UI = "http://127.0.0.1:8233"


def b64(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_a_reader_decodes_and_does_not_encode(server, sealed, to_payload):
    reader, payloads = server.token("payments:read"), await sealed(1, key="pay-1")

    assert await server.decode(payloads, headers=reader) == [to_payload(1)]
    answer = await server.post("/encode", [to_payload(1)], headers=reader)
    assert answer.status_code == 403
    assert answer.json()["message"] == "'ada' does not have the role 'writer' on 'payments'."


async def test_a_role_in_one_namespace_is_none_in_another(server, sealed):
    payloads = await sealed(1, key="ship-1")

    for headers in (server.token("payments:write"), server.token(), server.token("Shipments:write")):
        assert (await server.post("/decode", payloads, "shipments", headers)).status_code == 403


async def test_the_payloads_of_another_namespace_are_not_decoded_whatever_the_header_says(server, sealed):
    theirs = await sealed({"rate": 1}, key="ship-1")

    answer = await server.post("/decode", theirs, "payments", server.token("payments:write"))

    assert answer.status_code == 403
    assert answer.json()["code"] == "codec.key_not_assigned"
    assert "'ship-1' is not assigned to namespace 'payments'" in answer.json()["message"]
    assert server.events[-1].outcome == "codec.key_not_assigned"
    assert server.events[-1].key_ids == ("ship-1",)


async def test_a_stranger_s_key_and_one_that_exists_nowhere_are_refused_alike(server, sealed):
    existing = await server.post("/decode", await sealed(1, key="ship-1"))
    missing = await server.post("/decode", await sealed(1, key="ship-7"))

    assert existing.status_code == missing.status_code == 403
    assert existing.json()["message"].replace("ship-1", "ship-7") == missing.json()["message"]


async def test_a_payload_inside_another_is_looked_at_too(server, sealed):
    (inner,) = await sealed({"rate": 1}, key="ship-1")
    keys = KeyRing.from_keys({"pay-1": hashlib.sha256(b"pay-1").digest()}, active="pay-1")
    from trenova_codecs._keys import Key  # the layers that a sealed payload never has by our own codecs

    assert isinstance(keys.active(), Key)
    nonce = b"n" * 12
    data = nonce + keys.active().aead.encrypt(nonce, inner.SerializeToString(), None)
    outer = type(inner)(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"pay-1"}, data=data)

    answer = await server.post("/decode", [outer])

    assert answer.status_code == 403
    assert server.events[-1].key_ids == ("pay-1", "ship-1")


async def test_encoding_with_a_key_that_is_not_the_namespace_s_is_refused(server, to_payload):
    answer = await server.post("/encode", [to_payload(1)], "empty", server.token("empty:write"))

    assert answer.status_code == 403
    assert answer.json()["code"] == "codec.key_not_assigned"


async def test_a_namespace_that_is_not_served_is_refused_also_to_those_who_may_everything(server):
    key = {"Authorization": f"Bearer {server.access.sign_in.key}"}

    answer = await server.post("/decode", b"{}", "elsewhere", key)

    assert answer.status_code == 403
    assert "'elsewhere' is not served here" in answer.json()["message"]


async def test_a_request_without_a_namespace_is_a_bad_one_but_first_one_signs_in(server):
    assert (await server.post("/decode", b"{}", None, {})).status_code == 401
    assert (await server.post("/decode", b"{}", "x" * 256)).status_code == 400
    answer = await server.post("/decode", b"{}", None, server.token("payments:write"))
    assert answer.status_code == 400
    assert "X-Namespace is missing" in answer.json()["message"]


@pytest.mark.parametrize("operation", ["decode", "encode", "download"])
async def test_nobody_is_let_in_without_a_credential(server, operation):
    answer = await server.post(f"/{operation}", b"{}", headers={})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def forged(issuer, how):
    claims = issuer.claims(permissions=["payments:write"])
    if how == "none":
        return f"{b64({'alg': 'none', 'kid': 'k1'})}.{b64(claims)}."
    if how == "hmac with the public key":
        signed = f"{b64({'alg': 'HS256', 'kid': 'k1'})}.{b64(claims)}"
        return f"{signed}.{b64(hmac.digest(issuer.pem, signed.encode(), hashlib.sha256))}"
    changed = {
        "another audience": {"aud": "temporal"},
        "another issuer": {"iss": "https://evil.example.com/"},
        "expired": {"exp": int(time.time()) - 120},
        "another key": {"key": rsa.generate_private_key(65537, 2048)},
        "an unknown key": {"kid": "k9"},
    }[how]
    return issuer.token(permissions=["payments:write"], **changed)


@pytest.mark.parametrize(
    "how",
    [
        "none",
        "hmac with the public key",
        "another audience",
        "another issuer",
        "expired",
        "another key",
        "an unknown key",
    ],
)
async def test_a_token_that_proves_nothing_opens_nothing(server, sealed, how):
    bearer = {"Authorization": f"Bearer {forged(server.issuer, how)}"}

    answer = await server.post("/decode", await sealed("planted-secret", key="pay-1"), headers=bearer)

    assert answer.status_code == 401
    assert answer.json()["code"] == "access.token_refused"
    assert server.events == []


async def test_a_browser_signs_in_once_and_decodes_with_its_cookie(server, sealed, to_payload):
    token = server.access.sign_in.new_link()
    signed_in = await server.client.post("/sign-in", data={"token": token}, headers={"Origin": server.url})
    payloads = await sealed(1, key="pay-1")

    assert signed_in.status_code == 303
    assert await server.decode(payloads, headers={"Origin": UI}) == [to_payload(1)]
    assert (await server.post("/decode", payloads, headers={"Origin": "http://127.0.0.1:9"})).status_code == 403
    assert (await server.post("/decode", payloads, headers={})).status_code == 403


async def test_a_browser_that_signs_in_at_a_provider_decodes_with_its_cookie(serve, options, sealed, to_payload):
    with Provider() as provider:
        provider.person = {"sub": "ada", "permissions": ["payments:read"]}
        claims = (PermissionClaim(claim="permissions", roles={"read": "reader"}),)
        oidc = OidcOptions(
            issuer=provider.name,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            claims=claims,
        )
        access = AccessOptions(oidc=oidc, origins=(UI,))
        server = await serve(options.model_copy(update={"access": access}))
        server.client.follow_redirects = True

        assert "Choose &quot;Use my browser setting&quot;" in (await server.client.get("/sign-in/oidc")).text
        payloads = await sealed(1, key="pay-1")
        assert await server.decode(payloads, headers={"Origin": UI}) == [to_payload(1)]
        assert (await server.post("/encode", [to_payload(1)], headers={"Origin": UI})).status_code == 403
        assert (server.events[0].subject, server.events[0].method) == ("ada", "oidc")


async def test_a_rebound_name_is_refused(server, sealed):
    headers = {**server.token("payments:write"), "Host": "evil.example.com"}

    assert (await server.post("/decode", await sealed(1, key="pay-1"), headers=headers)).status_code == 403


async def test_every_decode_leaves_a_line_that_names_who_and_what_and_nothing_of_it(server, sealed, caplog):
    caplog.set_level(logging.INFO)
    await server.decode(await sealed("planted-secret", 2, key="pay-1"), headers=server.token("payments:read"))
    (event,) = server.events
    log_codec_event(event)

    assert (event.operation, event.namespace, event.subject, event.method) == ("decode", "payments", "ada", "token")
    assert (event.outcome, event.payloads, event.key_ids) == ("done", 2, ("pay-1",))
    line = f"decode in 'payments' by 'ada' (token): done, 2 payloads, {event.size_in} bytes in, {event.size_out} out, "
    assert caplog.messages[-1] == line + "keys 'pay-1'"
    assert "planted" not in caplog.text
    assert server.issuer.token()[:20] not in caplog.text


async def test_a_source_of_keys_that_is_away_is_no_fault_of_the_caller(serve, ring, sealed):
    class Away(KeyRing):
        async def refresh(self, key_id=None):
            raise KeyRingError("The key service does not answer.")

    server = await serve(keys=Away([ring.active()]))

    answer = await server.post("/decode", await sealed(1, key="pay-1"))

    assert answer.status_code == 503
    assert answer.json()["code"] == "codec.key_ring"


async def test_an_error_that_nobody_expected_says_nothing_of_the_payload(serve, ring, sealed):
    class Broken(KeyRing):
        def find(self, key_id):
            raise RuntimeError("planted")

    server = await serve(keys=Broken([ring.active()]))

    answer = await server.post("/decode", await sealed(1, key="pay-1"))

    assert answer.status_code == 500
    assert "planted" not in answer.text
    assert server.events[-1].outcome == "failed"


def test_without_being_told_otherwise_this_machine_s_user_may_use_one_namespace():
    options = CodecServerOptions()

    assert list(options.namespaces) == ["default"]
    assert options.access.tokens is None
    assert options.access.sign_in.cookie == "trenova-codec-server"
    assert UI in options.access.origins
