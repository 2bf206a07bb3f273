import gzip
import os
import tracemalloc
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload, Payloads

from trenova_codecs import (
    GZIP_ENCODING,
    CompressionCodec,
    CompressionOptions,
    CorruptPayloadError,
    DecompressionLimitError,
)
from trenova_errors import ConfigurationError, PayloadTooLargeError

JSON = Payload(metadata={"encoding": b"json/plain", "messageType": b"Shipment"}, data=b'{"city":"Reno"}' * 200)
SMALL = Payload(metadata={"encoding": b"json/plain"}, data=b'{"city":"Reno"}')
MIB = 1024 * 1024


def codec(**options: int) -> CompressionCodec:
    return CompressionCodec(CompressionOptions(**options))


def marked(data: bytes, **metadata: bytes) -> Payload:
    return Payload(metadata={"encoding": GZIP_ENCODING.encode(), **metadata}, data=data)


any_payload = st.builds(
    Payload,
    metadata=st.one_of(
        st.just({"encoding": b"binary/gzip"}),
        st.dictionaries(st.sampled_from(["encoding", "messageType", "x"]), st.binary(max_size=20), max_size=3),
    ),
    data=st.one_of(st.binary(max_size=4096), st.binary(max_size=8).map(lambda piece: piece * 700)),
)


@given(payloads=st.lists(any_payload, max_size=4), level=st.integers(1, 9), threshold=st.integers(0, 2000))
@example(payloads=[marked(zlib.compress(b"", wbits=31))], level=1, threshold=1024)
@settings(deadline=None)
async def test_whatever_is_encoded_comes_back_as_it_was(payloads, level, threshold):
    before = [payload.SerializeToString(deterministic=True) for payload in payloads]
    both_ways = codec(level=level, threshold=threshold)

    encoded = await both_ways.encode(payloads)
    kept = [payload.SerializeToString(deterministic=True) for payload in encoded]
    decoded = await both_ways.decode(encoded)

    assert len(encoded) == len(payloads)
    assert decoded == payloads
    assert [payload.SerializeToString(deterministic=True) for payload in payloads] == before
    assert [payload.SerializeToString(deterministic=True) for payload in encoded] == kept


@given(data=st.binary(max_size=200), tail=st.binary(max_size=8))
@settings(deadline=None)
async def test_arbitrary_bytes_are_refused_by_a_typed_error_and_never_by_another(data, tail):
    with pytest.raises((CorruptPayloadError, DecompressionLimitError)) as caught:
        await codec().decode([marked(data + tail)])
    assert not caught.value.non_retryable


async def test_the_inner_payload_is_kept_whole_with_its_metadata():
    (packed,) = await codec().encode([JSON])

    assert dict(packed.metadata) == {"encoding": b"binary/gzip"}
    assert packed.ByteSize() < JSON.ByteSize() / 10
    assert Payload.FromString(gzip.decompress(packed.data)) == JSON


async def test_what_another_gzip_writer_made_is_read():
    assert await codec().decode([marked(gzip.compress(JSON.SerializeToString()))]) == [JSON]


async def test_the_same_payload_always_gives_the_same_bytes():
    assert await codec().encode([JSON]) == await codec().encode([JSON])


@pytest.mark.parametrize("size", [1023, 1024])
async def test_the_threshold_is_the_first_size_that_is_compressed(size):
    payload = Payload(data=b"a" * (size - Payload(data=b"a" * 1000).ByteSize() + 1000))
    assert payload.ByteSize() == size

    (encoded,) = await codec(threshold=1024).encode([payload])

    assert (encoded != payload) is (size == 1024)


async def test_a_payload_that_would_not_shrink_is_left_alone():
    random = Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(5000))

    assert await codec().encode([random]) == [random]


async def test_payloads_of_others_pass_through_in_both_directions():
    foreign = [
        Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=b"secret"),
        Payload(metadata={"encoding": b"binary/null"}),
        Payload(),
        marked(b"not ours", original_encoding=b"json/plain"),
    ]

    assert await codec().encode(foreign) == foreign
    assert await codec().decode(foreign) == foreign


async def test_one_layer_is_removed_at_a_time():
    once = await codec().encode([JSON])
    twice = await codec().encode(once)

    assert twice != once
    assert await codec().decode(twice) == once


async def test_the_wrapper_of_the_sdk_may_be_given_back_its_own_payloads():
    wrapper = Payloads(payloads=[SMALL, JSON])

    await codec().encode_wrapper(wrapper)
    assert wrapper.payloads[0] == SMALL
    assert wrapper.payloads[1].metadata["encoding"] == b"binary/gzip"
    await codec().decode_wrapper(wrapper)

    assert list(wrapper.payloads) == [SMALL, JSON]


async def test_a_large_payload_takes_the_way_through_a_thread_unharmed():
    large = Payload(metadata={"encoding": b"json/plain"}, data=b'{"city":"Reno"}' * 100_000)

    (packed,) = await codec().encode([large])

    assert packed.ByteSize() < large.ByteSize() / 50
    assert await codec().decode([packed]) == [large]


async def test_a_bomb_is_refused_before_anything_is_allocated():
    bomb = marked(zlib.compress(bytes(200 * MIB), 9, wbits=31))
    one = codec()

    tracemalloc.start()
    with pytest.raises(DecompressionLimitError, match=rf"declares {200 * MIB} bytes") as caught:
        await one.decode([bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.facts == {"size": 200 * MIB, "limit": 16 * MIB}
    assert caught.value.code == "codec.decompression_limit"
    assert not caught.value.non_retryable
    assert peak < 2 * MIB


async def test_a_bomb_that_lies_about_its_size_costs_no_more_than_it_declared():
    honest = zlib.compress(bytes(200 * MIB), 9, wbits=31)
    liar = marked(honest[:-4] + (100).to_bytes(4, "little"))
    one = codec()

    tracemalloc.start()
    with pytest.raises(CorruptPayloadError, match="declares fewer bytes than it holds"):
        await one.decode([liar])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2 * MIB


WHOLE = gzip.compress(JSON.SerializeToString(), mtime=0)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "cut short"),
        (b"plain text!!\x01\x00\x00\x00", "is not gzip"),
        (WHOLE[:40] + (3500).to_bytes(4, "little"), "is not gzip|cut short"),
        (WHOLE[:30] + b"\xff" + WHOLE[31:], "is not gzip"),
        (WHOLE + WHOLE, "followed by other bytes"),
        (WHOLE + b"junk\xff\x0f\x00\x00", "followed by other bytes"),
        (gzip.compress(b"\xff\xff\xff\xff", mtime=0), "holds no Payload"),
    ],
)
async def test_damaged_data_is_refused_with_what_is_wrong_and_without_its_content(data, what):
    with pytest.raises(CorruptPayloadError, match=what) as caught:
        await codec().decode([marked(data)])

    assert caught.value.facts == {"size": len(data)}
    assert not caught.value.non_retryable
    assert "Reno" not in str(caught.value)


async def test_what_we_would_not_read_we_do_not_write():
    large = Payload(data=b"a" * 5000)
    one = codec(max_decompressed=2000)

    assert await one.encode([large]) == [large]
    with pytest.raises(PayloadTooLargeError, match="5018 bytes is marked 'binary/gzip'"):
        await one.encode([marked(bytes(4990))])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("threshold", -1),
        ("threshold", "1024"),
        ("threshold", True),
        ("level", 0),
        ("level", 10),
        ("max_decompressed", 0),
        ("max_decompressed", 1.5),
    ],
)
def test_an_option_out_of_its_range_is_refused_when_it_is_given(option, value):
    with pytest.raises(ConfigurationError, match=rf"CompressionOptions\.{option} must be .* got {value!r}"):
        CompressionOptions(**{option: value})
