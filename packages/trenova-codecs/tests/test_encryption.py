"""Encryption both ways: with ourselves, with a second decoder, and with the TypeScript sample."""

import asyncio
import base64
import gzip
import json
import os
import shutil
import subprocess
import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_decoder import decode as decode_independently
from temporalio.api.common.v1 import Payload

from trenova_codecs import (
    CodecChain,
    CompressionCodec,
    CompressionOptions,
    CorruptPayloadError,
    EncryptionCodec,
    ForeignEncryptionError,
    Key,
    KeyRing,
    KeyState,
    NoActiveKeyError,
    PlaintextRejectedError,
    RevokedKeyError,
    Side,
    UnknownKeyError,
)
from trenova_codecs._plaintext import PlaintextPolicy
from trenova_errors import ConfigurationError

K1, K2 = bytes(range(1, 33)), bytes(range(101, 133))
PLAIN = Payload(metadata={"encoding": b"json/plain", "messageType": b"Shipment"}, data=b'{"city":"Reno"}')
LARGE = Payload(metadata={"encoding": b"json/plain"}, data=b'{"city":"Reno"}' * 20_000)
FORMATS = ("compat", "v2")


def ring(*ids: str, active: str = "") -> KeyRing:
    keys = {"k1": K1, "k2": K2}
    return KeyRing.from_keys({key_id: keys[key_id] for key_id in ids or ("k1",)}, active=active or (ids or ("k1",))[0])


def codec(*ids: str, **options: object) -> EncryptionCodec:
    return EncryptionCodec(ring(*ids), **options)


any_payload = st.builds(
    Payload,
    metadata=st.dictionaries(
        st.sampled_from(["encoding", "messageType", "encryption-key-id", "encryption-salt", "x", "é"]),
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [
                    b"binary/encrypted",
                    b"binary/gzip",
                    b"binary/zlib",
                    b"binary/zstd",
                    b"binary/trenova-encrypted-v2",
                    b"binary/trenova-literal",
                ]
            ),
        ),
        max_size=4,
    ),
    data=st.one_of(st.binary(max_size=3000), st.binary(max_size=8).map(lambda piece: piece * 20_000)),
)


async def check_there_and_back(payloads, format_, compression) -> None:
    before = [payload.SerializeToString(deterministic=True) for payload in payloads]
    stages = [codec(format=format_)] if compression is None else [CompressionCodec(compression), codec(format=format_)]
    chain = CodecChain.outbound(*stages)

    encoded = await chain.encode(payloads)
    again = await chain.encode(encoded)
    decoded = await chain.decode(encoded)

    assert [payload.SerializeToString(deterministic=True) for payload in decoded] == before
    assert [payload.SerializeToString(deterministic=True) for payload in payloads] == before
    assert again == encoded
    assert len(encoded) == len(payloads)
    expected = b"binary/encrypted" if format_ == "compat" else b"binary/trenova-encrypted-v2"
    assert {payload.metadata["encoding"] for payload in encoded} <= {expected}
    if compression is None or compression.algorithm == "gzip":
        for payload, original in zip(encoded, payloads, strict=True):
            assert Payload.FromString(decode_independently(payload.SerializeToString(), {"k1": K1})) == original


compressions = st.one_of(
    st.none(),
    st.builds(
        CompressionOptions,
        algorithm=st.sampled_from(["gzip", "zstd"]),
        threshold=st.integers(0, 2000),
        level=st.integers(1, 9),
    ),
)
everything = given(
    payloads=st.lists(any_payload, max_size=4), format_=st.sampled_from(FORMATS), compression=compressions
)


@everything
@settings(deadline=None, max_examples=200)
async def test_whatever_is_encoded_comes_back_as_it_was(payloads, format_, compression):
    await check_there_and_back(payloads, format_, compression)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@everything
@settings(deadline=None, max_examples=10_000)
async def test_whatever_is_encoded_comes_back_as_it_was_ten_thousand_times(payloads, format_, compression):
    await check_there_and_back(payloads, format_, compression)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("size", [0, 1, 96, 97, 127, 128, 16_355, 16_384, 65_535, 65_536, 70_000, 2_000_000, 9_000_000])
async def test_every_size_comes_back_and_a_second_decoder_reads_it(format_, size):
    payload = Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(size))
    both_ways = codec(format=format_)

    (sealed,) = await both_ways.encode([payload])

    assert await both_ways.decode([sealed]) == [payload]
    assert decode_independently(sealed.SerializeToString(), {"k1": K1}) == payload.SerializeToString()


async def test_compat_is_the_layout_that_the_samples_share():
    (sealed,) = await codec().encode([PLAIN])

    assert dict(sealed.metadata) == {"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}
    opened = AESGCM(K1).decrypt(sealed.data[:12], sealed.data[12:], None)
    assert Payload.FromString(opened) == PLAIN


async def test_the_same_payload_never_gives_the_same_bytes():
    sealed = await codec().encode([PLAIN] * 500)

    assert len({payload.data[:12] for payload in sealed}) == 500


async def test_a_key_is_named_exactly_and_both_formats_are_read_whichever_is_written():
    old = [*await codec("k1").encode([PLAIN]), *await codec("k1", format="v2").encode([LARGE])]
    rotated = codec("k2", "k1", format="v2")

    assert await rotated.decode(old) == [PLAIN, LARGE]
    assert [sealed.metadata["encryption-key-id"] for sealed in await rotated.encode([PLAIN])] == [b"k2"]


async def test_a_retired_key_is_named_in_the_error():
    sealed = await codec("k1").encode([PLAIN])
    retired = KeyRing([Key("k2", K2), Key("k1", K1, state=KeyState.RETIRED)])

    with pytest.raises(UnknownKeyError, match="needs key 'k1'; this process holds k2") as caught:
        await EncryptionCodec(retired).decode(sealed)

    assert caught.value.facts == {"key_id": "k1"}
    assert not caught.value.non_retryable
    assert caught.value.next_retry_delay == timedelta(seconds=10)


@pytest.mark.parametrize("format_", FORMATS)
async def test_revocation_beats_every_cache(format_):
    keys = ring("k1", "k2")
    one = EncryptionCodec(keys, format=format_)
    sealed = await one.encode([PLAIN])
    assert await one.decode(sealed) == [PLAIN]

    keys.revoke("k1")

    with pytest.raises(RevokedKeyError, match="'k1', which is revoked"):
        await one.decode(sealed)
    with pytest.raises(NoActiveKeyError, match="holds k2, none of which is active"):
        await one.encode([PLAIN])
    keys.replace([Key("k2", K2), Key.revoked("k1")])
    assert (await one.encode([PLAIN]))[0].metadata["encryption-key-id"] == b"k2"


@pytest.mark.parametrize(
    ("side", "type_", "final"), [(Side.WORKER, "unavailable", False), (Side.CALLER, "configuration", True)]
)
async def test_the_side_decides_whether_an_error_is_final(side, type_, final):
    sealed = await codec("k1").encode([PLAIN])

    with pytest.raises(UnknownKeyError) as caught:
        await codec("k2", side=side).decode(sealed)

    assert (caught.value.type, caught.value.non_retryable, caught.value.code) == (type_, final, "codec.unknown_key")


@pytest.mark.parametrize("format_", FORMATS)
async def test_every_flipped_bit_is_found(format_):
    (sealed,) = await codec(format=format_).encode([PLAIN])
    reader = codec("k1", "k2", format=format_)

    for at in range(len(sealed.data) * 8):
        data = bytearray(sealed.data)
        data[at // 8] ^= 1 << at % 8
        with pytest.raises(CorruptPayloadError, match="under key 'k1' does not authenticate"):
            await reader.decode([Payload(metadata=dict(sealed.metadata), data=bytes(data))])


async def test_every_flipped_bit_of_v2_metadata_is_found():
    (sealed,) = await codec(format="v2").encode([PLAIN])

    for name, value in sealed.metadata.items():
        for at in range(len(value) * 8):
            changed = bytearray(value)
            changed[at // 8] ^= 1 << at % 8
            forged = Payload(metadata={**sealed.metadata, name: bytes(changed)}, data=sealed.data)
            with pytest.raises((CorruptPayloadError, UnknownKeyError, ForeignEncryptionError, PlaintextRejectedError)):
                await codec("k1", "k2").decode([forged])


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_swapped_key_id_is_found_and_no_other_key_is_tried(format_):
    (sealed,) = await codec("k1", format=format_).encode([PLAIN])
    sealed.metadata["encryption-key-id"] = b"k2"

    with pytest.raises(CorruptPayloadError, match="under key 'k2' does not authenticate") as caught:
        await codec("k1", "k2").decode([sealed])
    assert caught.value.facts["key_id"] == "k2"


@pytest.mark.parametrize("format_", FORMATS)
async def test_every_cut_is_found(format_):
    (sealed,) = await codec(format=format_).encode([PLAIN])

    for size in range(len(sealed.data)):
        with pytest.raises(CorruptPayloadError, match=r"does not authenticate|is cut short"):
            await codec().decode([Payload(metadata=dict(sealed.metadata), data=sealed.data[:size])])


@pytest.mark.parametrize("size", [64 * 1024, 300_000])
async def test_large_payloads_are_authenticated_too(size):
    (sealed,) = await codec(format="v2").encode([Payload(data=bytes(size))])
    for at in (0, 11, 12, size // 2, len(sealed.data) - 1):
        data = bytearray(sealed.data)
        data[at] ^= 1
        with pytest.raises(CorruptPayloadError):
            await codec().decode([Payload(metadata=dict(sealed.metadata), data=bytes(data))])


async def test_what_the_key_sealed_is_still_no_payload():
    nonce = bytes(12)
    data = nonce + AESGCM(K1).encrypt(nonce, b"\xff\xff\xff\xff", None)
    sealed = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=data)

    with pytest.raises(CorruptPayloadError, match="holds no Payload"):
        await codec().decode([sealed])


@pytest.mark.parametrize(
    ("metadata", "looks_like"),
    [
        ({"encryption-key-id": b"kek://1", "encryption-dek": b"x"}, "temporal-proxy"),
        ({"encryption-key-id": b"k1", "data_key_encrypted": b"x"}, "encryption_jwt"),
        ({"data_key_encrypted": b"x"}, "encryption_jwt"),
        ({}, "Tink"),
        ({"encryption-context-namespace": b"default"}, "Tink"),
        ({"encryption-key-id": b"k1", "surprise": b"x"}, "unknown program"),
        ({"encryption-key-id": b"k1", "encryption-cipher": b"AES/CBC"}, "unknown program"),
        ({"encoding": b"awsencriptionsdk/binary/encrypted"}, "awsencriptionsdk"),
    ],
)
async def test_what_others_call_encrypted_is_told_apart_by_all_of_its_metadata(metadata, looks_like):
    sealed = (await codec().encode([PLAIN]))[0].data
    foreign = Payload(metadata={"encoding": b"binary/encrypted", **metadata}, data=sealed)

    with pytest.raises(ForeignEncryptionError, match=looks_like) as caught:
        await codec().decode([foreign])
    assert looks_like in caught.value.facts["looks_like"]


async def test_the_java_sample_names_its_cipher_and_is_read():
    (sealed,) = await codec().encode([PLAIN])
    sealed.metadata["encryption-cipher"] = b"AES/GCM/NoPadding"

    assert await codec().decode([sealed]) == [PLAIN]


async def nested(layers: str) -> Payload:
    """Build e.g. ``zlib compat gzip``: the first is outermost."""
    payload = PLAIN
    for layer in reversed(layers.split()):
        if layer in FORMATS:
            nonce = bytes(12)
            if layer == "v2":
                (payload,) = await codec(format="v2").encode([payload])
                continue
            data = nonce + AESGCM(K1).encrypt(nonce, payload.SerializeToString(), None)
            payload = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=data)
        else:
            pack = {"gzip": gzip.compress, "zlib": zlib.compress}[layer]
            payload = Payload(metadata={"encoding": f"binary/{layer}".encode()}, data=pack(payload.SerializeToString()))
    return payload


@pytest.mark.parametrize(
    "layers",
    [
        "compat gzip",
        "compat zlib",
        "zlib compat",
        "zlib compat zlib",
        "gzip zlib compat",
        "gzip compat zlib gzip",
        "compat compat",
        "gzip compat zlib compat gzip zlib",
    ],
)
async def test_layers_are_undone_in_whatever_order_they_were_put_on(layers):
    assert await codec().decode([await nested(layers)]) == [PLAIN]


async def test_layers_without_end_are_refused():
    with pytest.raises(CorruptPayloadError, match="more than 8 times"):
        await codec().decode([await nested(" ".join(["compat", "zlib"] * 5))])


async def test_a_zero_padded_key_of_the_replaced_system_reads_and_never_writes():
    text = "dispatch-secret"
    weak = Key.from_legacy_text("legacy key/1", text)
    nonce = bytes(12)
    data = nonce + AESGCM(text.encode().ljust(32, b"\0")).encrypt(nonce, PLAIN.SerializeToString(), None)
    old = Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"legacy key/1"}, data=data)
    wrapped = Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(old.SerializeToString()))

    assert await EncryptionCodec(KeyRing([Key("k1", K1), weak])).decode([old, wrapped]) == [PLAIN, PLAIN]
    with pytest.raises(NoActiveKeyError):
        await EncryptionCodec(KeyRing([weak])).encode([PLAIN])
    with pytest.raises(ConfigurationError, match="legacy key, which only decrypts"):
        weak.with_state(KeyState.ACTIVE)


async def test_a_payload_that_only_claims_to_be_encrypted_is_encrypted():
    (sealed,) = await codec().encode([PLAIN])
    claims = [
        Payload(metadata=dict(sealed.metadata), data=b"secret in clear"),
        Payload(metadata={"encoding": b"binary/encrypted"}, data=b"secret in clear"),
        Payload(metadata={"encoding": b"binary/trenova-encrypted-v2"}, data=b"secret in clear"),
        (await codec("k2").encode([PLAIN]))[0],
    ]

    encoded = await codec().encode([sealed, *claims])

    assert encoded[0] == sealed
    assert not any(b"secret in clear" in payload.SerializeToString() for payload in encoded)
    assert await codec().decode(encoded[1:]) == claims


@pytest.mark.parametrize("metadata", [{"encoding": b"json/plain"}, {"encoding": b"binary/gzip", "x": b"y"}, {}])
async def test_plaintext_is_refused_unless_it_is_allowed(metadata):
    plain = Payload(metadata=metadata, data=b"{}")

    with pytest.raises(PlaintextRejectedError, match="is not encrypted, and this process accepts none") as caught:
        await codec().decode([plain])

    assert not caught.value.non_retryable
    assert await codec(on_plaintext="allow").decode([plain]) == [plain]
    with pytest.raises(PlaintextRejectedError) as caught:
        await codec(side=Side.CALLER).decode([plain])
    assert caught.value.type == "permission_denied"


async def test_compressed_plaintext_is_plaintext():
    with pytest.raises(PlaintextRejectedError, match="json/plain"):
        await codec().decode([await nested("gzip")])


async def test_warnings_about_plaintext_come_once_a_minute(caplog):
    encoding = os.urandom(4).hex().encode()
    one = codec(on_plaintext="warn")

    await one.decode([Payload(metadata={"encoding": encoding}, data=b"secret")] * 50)

    assert [record.getMessage() for record in caplog.records] == [
        f"Accepted a payload with encoding {encoding.decode()!r} that is not encrypted."
    ]


def test_the_exemption_ends_with_its_day():
    today = date(2026, 12, 24)
    policy = PlaintextPolicy("reject", date(2026, 12, 24), today=lambda: today)

    policy.check(PLAIN)
    today = date(2026, 12, 25)
    with pytest.raises(PlaintextRejectedError, match="the exemption ended on 2026-12-24"):
        policy.check(PLAIN)


async def test_an_exemption_lets_pass_what_was_stored_before():
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()

    assert await codec(plaintext_until=tomorrow).decode([PLAIN]) == [PLAIN]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "v3"}, "format must be 'compat' or 'v2'; got 'v3'"),
        ({"on_plaintext": "maybe"}, "on_plaintext must be 'allow', 'warn' or 'reject'; got 'maybe'"),
        ({"on_plaintext": "warn", "plaintext_until": date(2030, 1, 1)}, "has no effect with on_plaintext='warn'"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ConfigurationError, match=message):
        codec(**options)


class Slow(KeyRing):
    """A ring whose source has more keys than it has loaded, as one that is reloaded now and then."""

    asked = 0

    async def refresh(self, key_id: str | None = None) -> bool:
        self.asked += 1
        await asyncio.sleep(0)
        if key_id == "k9":
            return False
        self.replace([Key("k1", K1), Key("k2", K2, state=KeyState.DECRYPT_ONLY)])
        return True


async def test_a_key_that_is_not_held_is_asked_for_once():
    one = EncryptionCodec(Slow([Key("k1", K1)]))
    sealed = await codec("k2").encode([PLAIN, LARGE])

    assert await one.decode(sealed) == [PLAIN, LARGE]
    assert one.ring.asked == 1


async def test_an_active_key_that_is_not_held_is_asked_for():
    one = EncryptionCodec(Slow([Key("k2", K2, state=KeyState.DECRYPT_ONLY)]))

    assert (await one.encode([PLAIN]))[0].metadata["encryption-key-id"] == b"k1"


class Broken(KeyRing):
    async def refresh(self, key_id: str | None = None) -> bool:
        raise ConfigurationError("The ring is gone.")


async def test_a_source_that_fails_is_retryable_on_a_worker():
    with pytest.raises(Exception, match="The ring is gone") as caught:
        await EncryptionCodec(Broken([Key("k1", K1)])).decode(await codec("k2").encode([PLAIN]))

    assert (caught.value.type, caught.value.code) == ("unavailable", "codec.key_ring")


class Envelope(KeyRing):
    """A provider whose data keys travel with the payloads; the sealing is turned around, no more."""

    unwrapped = 0

    def __init__(self) -> None:
        super().__init__([Key("kms", K1, wrapped=K1[::-1])])
        self._held: dict[bytes, Key] = {}

    def find_wrapped(self, key_id: str, wrapped: bytes) -> Key | None:
        return self._held.get(wrapped)

    async def unwrap(self, key_id: str, wrapped: bytes) -> bool:
        self.unwrapped += 1
        self._held[wrapped] = Key(key_id, wrapped[::-1], wrapped=wrapped)
        return len(wrapped) == 32


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_data_key_travels_with_its_payload_and_is_unwrapped_once(format_):
    writer, reader = EncryptionCodec(Envelope(), format=format_), EncryptionCodec(Envelope(), format=format_)

    sealed = await writer.encode([PLAIN, LARGE, PLAIN])

    assert {payload.metadata["encryption-data-key"] for payload in sealed} == {K1[::-1]}
    assert await reader.decode(sealed) == [PLAIN, LARGE, PLAIN]
    assert reader.ring.unwrapped == 1
    assert decode_independently(sealed[0].SerializeToString(), {"kms": K1}) == PLAIN.SerializeToString()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
class TestTypeScriptSample:
    @staticmethod
    def ask(**request: object) -> dict[str, object]:
        script = Path(__file__).with_name("typescript_sample.mjs")
        answer = subprocess.run(
            ["node", str(script)], input=json.dumps(request), capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(answer.stdout)

    @pytest.mark.parametrize("payload", [PLAIN, LARGE, Payload()])
    async def test_it_reads_what_we_write(self, payload):
        (sealed,) = await codec().encode([payload])

        answer = self.ask(action="decode", key=base64.b64encode(K1).decode(), keyId="k1", payload=MessageToDict(sealed))

        assert Payload.FromString(base64.b64decode(answer["payload"])) == payload

    @pytest.mark.parametrize("payload", [PLAIN, LARGE, Payload()])
    async def test_we_read_what_it_writes(self, payload):
        plain = base64.b64encode(payload.SerializeToString()).decode()

        answer = self.ask(action="encode", key=base64.b64encode(K1).decode(), keyId="k1", payload=plain)

        assert await codec().decode([ParseDict(answer, Payload())]) == [payload]
