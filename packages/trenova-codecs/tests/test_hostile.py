"""Streams made to harm: bombs of every kind, and arbitrary bytes under every marking."""

import os
import subprocess
import sys
import textwrap
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from trenova_codecs import (
    CodecChain,
    CodecError,
    CompressionCodec,
    CompressionOptions,
    CorruptPayloadError,
    DecompressionLimitError,
    EncryptionCodec,
    KeyRing,
)
from trenova_codecs._formats import OURS

MIB = 1024 * 1024
KEY = bytes(range(32))
JSON = Payload(metadata={"encoding": b"json/plain"}, data=b'{"city":"Reno"}' * 2000)
CHAIN = CodecChain.outbound(
    CompressionCodec(), EncryptionCodec(KeyRing.from_keys({"k1": KEY}, active="k1"), on_plaintext="allow")
)


def marked(algorithm: str, data: bytes) -> Payload:
    return Payload(metadata={"encoding": f"binary/{algorithm}".encode()}, data=data)


def zstd(plain: bytes, **options: object) -> bytes:
    return zstandard.ZstdCompressor(level=19, **options).compress(plain)


def declared_as(frame: bytes, size: int) -> bytes:
    """Rewrite the content size in the header of a frame that was compressed in one piece, 4-byte field."""
    assert frame[4] & 0b1110_0000 == 0b1000_0000, "a window descriptor, then the size in 4 bytes"
    return frame[:6] + size.to_bytes(4, "little") + frame[10:]


ZEROS = bytes(64 * MIB)
BOMBS = {
    "gzip": zlib.compress(ZEROS, 9, wbits=31),
    "gzip that lies": zlib.compress(ZEROS, 9, wbits=31)[:-4] + (100).to_bytes(4, "little"),
    "gzip that lies within the limit": zlib.compress(ZEROS, 9, wbits=31)[:-4] + (15 * MIB).to_bytes(4, "little"),
    "zlib": zlib.compress(ZEROS, 9),
    "zstd": zstd(ZEROS),
    "zstd that lies": declared_as(zstd(ZEROS), 1000),
    "zstd that lies within the limit": declared_as(zstd(ZEROS), 15 * MIB),
    "zstd without a size": zstd(ZEROS, write_content_size=False),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_are_refused(name):
    with pytest.raises((DecompressionLimitError, CorruptPayloadError)) as caught:
        await CHAIN.decode([marked(name.split()[0], BOMBS[name])])

    assert len(BOMBS[name]) < 70_000
    assert not caught.value.non_retryable


_MEASURED = """
    import asyncio, resource, sys
    from temporalio.api.common.v1 import Payload
    from trenova_codecs import CodecChain, CodecError, CompressionCodec
    payload = Payload(metadata={"encoding": sys.argv[1].encode()}, data=sys.stdin.buffer.read())
    chain = CodecChain.outbound(CompressionCodec())
    async def main():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            await chain.decode([payload])
        except CodecError as error:
            print(error.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    asyncio.run(main())
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_little_more_memory_than_one_payload_may_have(name):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_MEASURED), f"binary/{name.split()[0]}"],
        input=BOMBS[name],
        capture_output=True,
        check=True,
        timeout=60,
    )

    code, kib = done.stdout.split()
    assert code.startswith(b"codec.")
    assert int(kib) < 48 * 1024, "16 MiB are accepted; growing a buffer to that size may hold it twice"


STREAMS = {
    "gzip": zlib.compress(JSON.SerializeToString(), 1, wbits=31),
    "zlib": zlib.compress(JSON.SerializeToString(), 1),
    "zstd": zstandard.ZstdCompressor(level=1, write_checksum=True).compress(JSON.SerializeToString()),
}


@pytest.mark.parametrize("algorithm", STREAMS)
async def test_streams_that_are_not_exactly_one_are_refused(algorithm):
    whole = STREAMS[algorithm]
    assert await CHAIN.decode([marked(algorithm, whole)]) == [JSON]

    for data in (b"", whole + b"x", whole + whole, b"x" + whole, *(whole[:size] for size in range(len(whole)))):
        with pytest.raises((CorruptPayloadError, DecompressionLimitError)):
            await CHAIN.decode([marked(algorithm, data)])


@pytest.mark.parametrize("algorithm", STREAMS)
async def test_flipped_bits_of_a_stream_never_change_what_is_read(algorithm):
    """Some bits mean nothing, as the operating system in a gzip header; none may change the content unseen."""
    whole = STREAMS[algorithm]
    for at in range(len(whole) * 8):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        try:
            decoded = await CHAIN.decode([marked(algorithm, bytes(data))])
        except CodecError:
            continue
        assert decoded == [JSON]


async def check_arbitrary(payloads: list[Payload]) -> None:
    for payload in payloads:
        try:
            (decoded,) = await CHAIN.decode([payload])
        except CodecError as error:
            refused = error
        else:
            assert isinstance(decoded, Payload)
            continue
        assert not refused.non_retryable


arbitrary = st.builds(
    lambda metadata, data: Payload(metadata=metadata, data=data),
    st.dictionaries(
        st.sampled_from(
            ["encoding", "encryption-key-id", "encryption-salt", "encryption-algorithm", "encryption-data-key", "x"]
        ),
        st.one_of(
            st.sampled_from(sorted(OURS)), st.just(b"k1"), st.just(b"HKDF-SHA256/AES-256-GCM"), st.binary(max_size=40)
        ),
        max_size=5,
    ),
    st.one_of(
        st.binary(max_size=400),
        st.tuples(st.sampled_from(sorted(STREAMS.values())), st.binary(max_size=20), st.integers(0, 300)).map(
            lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
        ),
    ),
)


@given(payloads=st.lists(arbitrary, max_size=3))
@settings(deadline=None, max_examples=200)
async def test_arbitrary_payloads_give_a_payload_or_a_typed_error(payloads):
    await check_arbitrary(payloads)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(payloads=st.lists(arbitrary, max_size=3))
@settings(deadline=None, max_examples=10_000)
async def test_ten_thousand_arbitrary_payloads_give_a_payload_or_a_typed_error(payloads):
    await check_arbitrary(payloads)


@pytest.mark.parametrize("algorithm", ["gzip", "zstd"])
async def test_incompressible_payloads_are_left_alone_whatever_their_size(algorithm):
    codec = CompressionCodec(CompressionOptions(algorithm=algorithm))
    payloads = [Payload(data=os.urandom(size)) for size in (2000, 100_000, 1_000_000)]

    assert await codec.encode(payloads) == payloads


async def test_what_saves_less_than_a_twentieth_is_left_alone():
    nearly = Payload(data=os.urandom(20_000) + bytes(700))
    clearly = Payload(data=os.urandom(20_000) + bytes(3000))

    assert await CompressionCodec().encode([nearly]) == [nearly]
    assert (await CompressionCodec().encode([clearly]))[0].ByteSize() < clearly.ByteSize()


async def test_a_large_payload_that_shrinks_only_in_its_middle_is_compressed():
    half = Payload(data=os.urandom(50_000) + bytes(100_000))

    assert (await CompressionCodec().encode([half]))[0].ByteSize() < 60_000
