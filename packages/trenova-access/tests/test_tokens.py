import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from trenova_access import Grant, TokenRefusedError, TokenVerifier


def b64(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def refused(issuer, token, **options):
    with pytest.raises(TokenRefusedError) as caught:
        await TokenVerifier(issuer.options(**options)).verify(token)
    assert len(token) < 8 or token not in str(caught.value)
    return caught.value.facts["reason"]


async def test_a_good_token_names_its_subject_and_what_its_claims_give(issuer):
    token = issuer.token(permissions=["payments:read", "orders:write", "orders:fly"])

    principal = await TokenVerifier(issuer.options()).verify(token)

    assert principal.subject == "ada"
    assert principal.method == "token"
    assert principal.grants == {
        Grant(resource="payments", role="viewer"),
        Grant(resource="orders", role="operator"),
    }


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": int(time.time()) - 60}, "expired"),
        ({"nbf": int(time.time()) + 600}, "not_yet"),
        ({"iat": int(time.time()) + 600}, "not_yet"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another", "third"]}, "audience"),
        ({"aud": None}, "claims"),
        ({"iss": "https://issuer.example.com"}, "issuer"),
        ({"iss": None}, "claims"),
        ({"exp": None}, "claims"),
        ({"sub": None}, "claims"),
        ({"sub": ""}, "claims"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": "soon"}, "malformed"),
    ],
)
async def test_a_claim_that_does_not_fit_is_refused(issuer, changed, reason):
    assert await refused(issuer, issuer.token(**changed)) == reason


async def test_a_clock_may_differ_by_the_skew_and_no_more(issuer):
    just_over, long_over = issuer.token(exp=int(time.time()) - 5), issuer.token(exp=int(time.time()) - 40)

    assert (await TokenVerifier(issuer.options(clock_skew_s=30)).verify(just_over)).subject == "ada"
    assert await refused(issuer, long_over, clock_skew_s=30) == "expired"
    with pytest.raises(ValueError, match="less than or equal to 120"):
        issuer.options(clock_skew_s=121)


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
async def test_an_unsigned_token_is_refused(issuer, alg):
    unsigned = f"{b64({'alg': alg, 'kid': 'k1', 'typ': 'JWT'})}.{b64(issuer.claims())}."

    assert await refused(issuer, unsigned) == "unsigned"


@pytest.mark.parametrize("secret", ["pem", "jwk"])
async def test_a_token_signed_with_the_public_key_as_a_password_is_refused(issuer, secret):
    key = issuer.pem if secret == "pem" else json.dumps(issuer.document["keys"][0]).encode()
    signed = f"{b64({'alg': 'HS256', 'kid': 'k1'})}.{b64(issuer.claims())}"
    forged = f"{signed}.{b64(hmac.digest(key, signed.encode(), hashlib.sha256))}"

    assert await refused(issuer, forged) == "algorithm"


def test_algorithms_with_a_shared_secret_cannot_be_allowed(issuer):
    for alg in ("HS256", "none"):
        with pytest.raises(ValueError, match="algorithms"):
            issuer.options(algorithms=(alg,))


async def test_an_algorithm_that_was_not_allowed_is_refused_though_the_key_could(issuer):
    issuer.document = {"keys": [issuer.jwk(issuer.private, "k1")]}

    assert await refused(issuer, issuer.token(alg="RS512")) == "algorithm"
    assert (await TokenVerifier(issuer.options(algorithms=("RS512",))).verify(issuer.token(alg="RS512"))).subject


async def test_a_key_verifies_only_the_algorithm_that_it_is_published_for(issuer):
    token = issuer.token(alg="PS256")

    assert await refused(issuer, token, algorithms=("PS256", "RS256")) == "algorithm"


async def test_a_key_in_the_token_itself_proves_nothing(issuer):
    own = rsa.generate_private_key(65537, 2048)
    headers = {"jwk": issuer.jwk(own, "k1"), "jku": "https://evil.example.com/jwks"}

    assert await refused(issuer, issuer.token(key=own, headers=headers)) == "signature"


async def test_a_changed_token_is_refused(issuer):
    head, _, signature = issuer.token().split(".")

    assert await refused(issuer, f"{head}.{b64(issuer.claims(sub='eve'))}.{signature}") == "signature"


@pytest.mark.parametrize(
    ("private", "alg"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["ES256", "ES384", "EdDSA"],
)
async def test_other_kinds_of_keys_verify(issuer, private, alg):
    issuer.document = {"keys": [issuer.jwk(private, "k1")]}
    token = issuer.token(key=private, alg=alg)

    assert (await TokenVerifier(issuer.options(algorithms=(alg,))).verify(token)).subject == "ada"
    assert await refused(issuer, token, algorithms=("RS256",)) == "algorithm"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é", "x" * 20_000, "\ud800.a.b", "e30.e30."])
async def test_what_is_no_token_is_refused(issuer, token):
    assert await refused(issuer, token) in {"malformed", "algorithm"}


async def test_deeply_nested_json_is_refused(issuer):
    deep = b64(b'{"alg":"RS256","kid":' + b"[" * 5000 + b"]" * 5000 + b"}")

    assert await refused(issuer, f"{deep}.{b64({})}.AAAA") in {"malformed", "unknown_key"}


async def test_a_token_without_key_id_takes_the_only_key(issuer):
    assert (await TokenVerifier(issuer.options()).verify(issuer.token(kid=None))).subject == "ada"

    other = issuer.jwk(rsa.generate_private_key(65537, 2048), "k2")
    issuer.document = {"keys": [*issuer.document["keys"], other]}
    assert await refused(issuer, issuer.token(kid=None)) == "unknown_key"


def test_the_tests_sign_what_pyjwt_itself_accepts(issuer):
    claims = jwt.decode(issuer.token(), issuer.pem, algorithms=["RS256"], audience="codec")

    assert claims["sub"] == "ada"
