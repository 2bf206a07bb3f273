"""Epochs of derived keys, what is counted, and forks."""

import os

import pytest
from opentelemetry.metrics import CallbackOptions
from temporalio.api.common.v1 import Payload

from trenova_codecs import EncryptionCodec, Key, KeyRing, KeyUsage, key_usage
from trenova_codecs import _sealing as sealing
from trenova_codecs._usage import KeyCounter, _observe_bytes, _observe_messages, counter

PLAIN = Payload(data=b"x" * 100)


def codec(key_id: str, format_: str = "v2") -> EncryptionCodec:
    return EncryptionCodec(KeyRing.from_keys({key_id: os.urandom(32)}, active=key_id), format=format_)


async def salt_of(one: EncryptionCodec) -> bytes:
    return (await one.encode([PLAIN]))[0].metadata["encryption-salt"]


async def test_one_process_uses_one_salt_until_its_epoch_ends():
    one = codec("epoch-same")

    assert len({await salt_of(one) for _ in range(50)}) == 1
    assert await salt_of(one) != await salt_of(codec("epoch-same"))


@pytest.mark.parametrize(
    ("limit", "value"), [("EPOCH_MESSAGES", 1500), ("EPOCH_BYTES", 150_000), ("EPOCH_SECONDS", -1.0)]
)
async def test_an_epoch_ends_by_messages_bytes_or_time_and_what_it_wrote_stays_readable(monkeypatch, limit, value):
    monkeypatch.setattr(sealing, limit, value)
    one = codec(f"epoch-{limit}")
    sealed = [payload for _ in range(4096) for payload in await one.encode([PLAIN])]

    salts = [payload.metadata["encryption-salt"] for payload in sealed]
    assert len(set(salts)) > 1
    assert salts == sorted(salts, key=salts.index), "a salt that was left is not taken up again"
    assert await one.decode(sealed[::100]) == [PLAIN] * len(sealed[::100])


async def test_a_new_active_key_begins_an_epoch_and_an_unrelated_change_does_not():
    keys = KeyRing.from_keys({"a": os.urandom(32), "b": os.urandom(32)}, active="a")
    one = EncryptionCodec(keys, format="v2")
    first = await salt_of(one)

    keys.revoke("b")
    assert await salt_of(one) == first
    keys.revoke("a")
    keys.replace([Key("c", os.urandom(32))])
    assert await salt_of(one) != first


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
async def test_a_forked_child_goes_on_with_a_salt_of_its_own_and_counts_from_nothing():
    one = codec("forked")
    before = await salt_of(one)
    (sealed,) = await one.encode([PLAIN])
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        answer = b"failed"
        try:
            steps = one.encode([PLAIN, sealed])
            try:
                steps.send(None)
            except StopIteration as done:
                again, kept = done.value
                fresh = again.metadata["encryption-salt"] != before and kept == sealed
                counted = key_usage()["forked", "v2"].messages == 1
                answer = b"fresh" if fresh and counted else b"shared"
        finally:
            os.write(writing, answer)
            os._exit(0)
    os.close(writing)
    answer = os.read(reading, 100)
    os.close(reading)
    os.waitpid(child, 0)  # noqa: ASYNC222 - it has answered, so it ends

    assert answer == b"fresh"
    assert await salt_of(one) == before


@pytest.mark.parametrize("format_", ["compat", "v2"])
async def test_payloads_and_bytes_are_counted_by_key_and_format(format_):
    one = codec("counted", format_)

    await one.encode([PLAIN] * 3)
    await one.encode([Payload(data=bytes(100_000))])

    assert key_usage()["counted", format_] == KeyUsage(messages=4, bytes=3 * PLAIN.ByteSize() + 100_004)
    labels = {"key_id": "counted", "format": format_}
    messages = {tuple(seen.attributes.items()): seen.value for seen in _observe_messages(CallbackOptions())}
    sizes = {tuple(seen.attributes.items()): seen.value for seen in _observe_bytes(CallbackOptions())}
    assert messages[tuple(labels.items())] == 4
    assert sizes[tuple(labels.items())] == 3 * PLAIN.ByteSize() + 100_004


def test_one_warning_comes_at_half_of_what_a_key_may_encrypt(caplog):
    counted = KeyCounter("k1")
    for messages in (2**31 - 1, 2**31, 2**31 + 1):
        counted.messages = messages
        counted.warn()

    assert len(caplog.records) == 1
    assert "'k1' has encrypted 2147483648 payloads" in caplog.text
    assert "Promote a new key" in caplog.text


async def test_the_warning_is_looked_for_while_encrypting(caplog):
    one = codec("near-the-end", "compat")
    counter("near-the-end", "compat")._warn_at = 1024

    await one.encode([PLAIN] * 1023)
    assert not caplog.records
    await one.encode([PLAIN])
    assert "'near-the-end' has encrypted 1024 payloads" in caplog.text
