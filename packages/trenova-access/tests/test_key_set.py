import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from trenova_access import KeySet, KeySetOptions, KeySetUnavailableError, TokenRefusedError


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def key_set(issuer, **told):
    clock = Clock()
    told = {"refresh_s": 300, "retry_s": 10, "stale_s": 3600, **told}
    return KeySet(KeySetOptions(url=issuer.url, **told), clock), clock


async def until_asked(issuer, times):
    async with asyncio.timeout(5):
        while issuer.asked < times:  # noqa: ASYNC110  # counted in another thread
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


async def test_many_callers_at_once_are_one_fetch(issuer):
    issuer.delay = 0.1
    keys, _ = key_set(issuer)

    found = await asyncio.gather(*(keys.key("k1") for _ in range(20)))

    assert len({id(one) for one in found}) == 1
    assert issuer.asked == 1


async def test_a_new_key_is_found_but_unknown_ids_do_not_ask_the_issuer_every_time(issuer):
    keys, clock = key_set(issuer)
    await keys.key("k1")
    issuer.document = {"keys": [*issuer.document["keys"], issuer.jwk(rsa.generate_private_key(65537, 2048), "k2")]}

    for number in range(50):
        with pytest.raises(TokenRefusedError, match="does not publish"):
            await keys.key(f"made-up-{number}")
    assert issuer.asked == 1
    clock.now += 10

    assert (await keys.key("k2")).algorithms >= {"RS256"}
    assert issuer.asked == 2


async def test_old_keys_are_used_at_once_while_they_are_fetched_again(issuer):
    keys, clock = key_set(issuer)
    await keys.key("k1")
    clock.now += 301
    issuer.delay = 0.2

    await asyncio.wait_for(keys.key("k1"), 0.15)

    await until_asked(issuer, 2)


async def test_a_key_that_is_no_longer_published_ends_with_the_next_fetch(issuer):
    keys, clock = key_set(issuer)
    await keys.key("k1")
    issuer.document = {"keys": [issuer.jwk(rsa.generate_private_key(65537, 2048), "k2")]}
    clock.now += 301
    await keys.key("k1")
    await until_asked(issuer, 2)
    clock.now += 10

    with pytest.raises(TokenRefusedError):
        await keys.key("k1")


async def test_keys_outlive_an_issuer_that_is_away_for_a_while_only(issuer, caplog):
    keys, clock = key_set(issuer)
    await keys.key("k1")
    issuer.status = 500
    clock.now += 3599

    assert await keys.key("k1")
    await until_asked(issuer, 2)
    assert "could not be fetched (it answered with status 500)" in caplog.text
    clock.now += 11

    with pytest.raises(KeySetUnavailableError):
        await keys.key("k1")
    issuer.status = 200
    clock.now += 11
    assert await keys.key("k1")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (302, b"{}"),
        (200, b"not json"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [{"kty": "RSA", "kid": "k1", "key_ops": 5}]}'),
        (200, json.dumps({"keys": [{"kty": "oct", "kid": "k1", "k": "c2VjcmV0", "alg": "HS256"}]}).encode()),
        (200, json.dumps({"keys": [{"kty": "RSA", "kid": "k1"}] * 101}).encode()),
        (200, b'{"keys": [' + b" " * 300_000 + b"]}"),
        (200, b"[" * 200_000),
    ],
)
async def test_an_answer_that_is_no_key_set_is_not_believed(issuer, status, body):
    issuer.status, issuer.body = status, body
    keys, _ = key_set(issuer)

    with pytest.raises(KeySetUnavailableError):
        await keys.key("k1")


async def test_an_issuer_that_does_not_answer_in_time_is_given_up(issuer):
    issuer.delay = 1.0
    keys, _ = key_set(issuer, timeout_s=0.1)

    with pytest.raises(KeySetUnavailableError):
        await asyncio.wait_for(keys.key("k1"), 0.8)


async def test_keys_for_other_uses_and_short_ones_are_left_out(issuer):
    long = rsa.generate_private_key(65537, 2048)
    short = rsa.generate_private_key(65537, 1024)
    issuer.document = {
        "keys": [
            issuer.jwk(long, "good"),
            issuer.jwk(long, "seals", use="enc"),
            issuer.jwk(long, "wraps", alg="RSA-OAEP"),
            issuer.jwk(long, "signs", key_ops=["sign"]),
            issuer.jwk(short, "short"),
            {"kty": "RSA", "kid": "broken", "n": "AQAB"},
        ]
    }
    keys, _ = key_set(issuer)
    await keys.key("good")

    for kid in ("seals", "wraps", "signs", "short", "broken"):
        with pytest.raises(TokenRefusedError):
            await keys.key(kid)


@pytest.mark.parametrize("url", ["http://issuer.example.com/jwks", "file:///etc/passwd", "ftp://127.0.0.1/", ""])
def test_keys_are_not_fetched_in_clear(url):
    with pytest.raises(ValueError, match="is not https"):
        KeySetOptions(url=url)


async def test_while_the_issuer_is_away_an_unknown_key_is_nobody_s_fault(issuer):
    keys, clock = key_set(issuer)
    await keys.key("k1")
    issuer.status = 500
    clock.now += 11

    for _ in range(3):  # the first asks the issuer, the others may not yet
        with pytest.raises(KeySetUnavailableError):
            await keys.key("k2")
    assert await keys.key("k1")
    assert issuer.asked == 2
    issuer.status = 200
    clock.now += 11
    with pytest.raises(TokenRefusedError):
        await keys.key("k2")


@pytest.mark.parametrize("url", ["https://[::1", "https://example.com:port/", "https://exa\x00mple/", "https://"])
def test_an_address_that_is_none_is_refused_before_anything_is_fetched(url):
    with pytest.raises(ValueError, match=r"is not https|is no address"):
        KeySetOptions(url=url)
