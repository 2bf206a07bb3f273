import dataclasses

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, WithSerializationContext, WorkflowSerializationContext

from trenova_codecs import (
    CodecChain,
    CompressionCodec,
    CompressionOptions,
    CorruptPayloadError,
    DecompressionLimitError,
    EncryptionCodec,
    KeyRing,
    Side,
    UnknownKeyError,
)
from trenova_errors import ConfigurationError, PayloadTooLargeError

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"city":"Reno"}' * 200)


def encryption(**options: object) -> EncryptionCodec:
    return EncryptionCodec(KeyRing.from_keys({"k1": bytes(range(32))}, active="k1"), **options)


class Reversing(PayloadCodec, WithSerializationContext):
    """A codec of somebody else."""

    def __init__(self, name: str = "r", seen: list[str] | None = None, context: str = "") -> None:
        self.name, self.seen, self.context = name, [] if seen is None else seen, context

    def with_context(self, context):
        return Reversing(self.name, self.seen, context.workflow_id)

    async def encode(self, payloads):
        self.seen.append(f"{self.name} out {self.context}".strip())
        return [self._turned(payload) for payload in payloads]

    async def decode(self, payloads):
        self.seen.append(f"{self.name} in {self.context}".strip())
        return [self._turned(payload) for payload in payloads]

    @staticmethod
    def _turned(payload):
        return Payload(metadata=dict(payload.metadata), data=payload.data[::-1])


@pytest.mark.parametrize(
    ("codecs", "why"),
    [
        ([], "was given no codec"),
        ([encryption(), CompressionCodec()], "compresses what is encrypted, which never gets smaller"),
        ([encryption(), encryption()], "encrypts twice"),
        ([CompressionCodec(), CompressionCodec(), encryption()], "compresses twice"),
        ([CompressionCodec(), Reversing(), encryption()], "between compression and encryption"),
        ([Reversing(), CodecChain.outbound(encryption())], "holds another chain"),
    ],
)
def test_senseless_orders_are_refused_with_the_order_and_what_to_do(codecs, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        CodecChain.outbound(*codecs)
    if len(codecs) > 1:
        assert "EncryptionCodec" in caught.value.message or "CodecChain" in caught.value.message


async def test_it_compresses_and_then_encrypts_what_pays():
    small = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    chain = CodecChain.outbound(CompressionCodec(), encryption())

    large_sealed, small_sealed = await chain.encode([PLAIN, small])

    assert large_sealed.ByteSize() < PLAIN.ByteSize() / 10
    assert small_sealed.ByteSize() > small.ByteSize()
    assert await chain.decode([large_sealed, small_sealed]) == [PLAIN, small]


async def test_codecs_of_others_act_in_the_order_in_which_they_were_given():
    seen: list[str] = []
    chain = CodecChain.outbound(
        Reversing("first", seen), Reversing("second", seen), CompressionCodec(), encryption(), Reversing("last", seen)
    )

    encoded = await chain.encode([PLAIN])

    assert seen == ["first out", "second out", "last out"]
    assert await chain.decode(encoded) == [PLAIN]
    assert seen[3:] == ["last in", "second in", "first in"]


async def test_codecs_of_others_are_given_the_context_that_ours_do_without():
    context = WorkflowSerializationContext(namespace="default", workflow_id="w1")
    chain = CodecChain.outbound(Reversing(), encryption())
    ours = CodecChain.outbound(encryption())
    codec = chain.with_context(context)

    await codec.decode(await codec.encode([PLAIN]))

    assert codec._before[0].seen == ["r out w1", "r in w1"]
    assert chain._before[0].context == ""
    assert ours.with_context(context) is ours


async def test_what_temporal_would_refuse_is_refused_with_both_sizes():
    chain = CodecChain.outbound(encryption(), max_encoded=5000)
    half = Payload(data=b"x" * 2600)

    assert len(await chain.encode([half])) == 1
    with pytest.raises(
        PayloadTooLargeError, match=r"2 payloads have 5\d{3} bytes once encoded \(5206 before\)"
    ) as caught:
        await chain.encode([half, half])
    assert caught.value.facts["limit"] == 5000


async def test_compression_alone_names_the_key_that_it_would_need():
    sealed = await encryption().encode([PLAIN])
    chain = CodecChain.outbound(CompressionCodec())

    with pytest.raises(UnknownKeyError, match="needs key 'k1'; this process holds no key"):
        await chain.decode(sealed)


async def test_the_side_of_a_chain_is_that_of_all_its_errors():
    chain = CodecChain.outbound(CompressionCodec(), encryption())
    broken = Payload(metadata={"encoding": b"binary/gzip"}, data=b"junk")

    for side, final in ((Side.WORKER, False), (Side.CALLER, True)):
        chain.side = side
        with pytest.raises(CorruptPayloadError) as caught:
            await chain.decode([broken])
        assert caught.value.non_retryable is final


async def test_the_limit_of_the_compression_holds_inside_the_encryption_too():
    chain = CodecChain.outbound(CompressionCodec(), encryption())
    narrow = CodecChain.outbound(CompressionCodec(CompressionOptions(max_decompressed=1000)), encryption())

    with pytest.raises(DecompressionLimitError, match="accepts 1000"):
        await narrow.decode(await chain.encode([PLAIN]))


async def test_what_version_0_1_0_wrote_is_read_by_a_chain():
    alone = CompressionCodec()
    marked = Payload(metadata={"encoding": b"binary/gzip"}, data=b"an application's own")
    chain = CodecChain.outbound(CompressionCodec(), encryption(on_plaintext="allow"))

    assert await chain.decode(await alone.encode([PLAIN, marked])) == [PLAIN, marked]


def test_options_are_not_shared_between_chains():
    options = CompressionOptions()

    assert dataclasses.replace(options, level=2) != options


@pytest.mark.parametrize("format_", ["compat", "v2"])
@pytest.mark.parametrize("size", [1, 100, 127, 128, 900, 16_300])
async def test_the_guard_is_exact_to_the_byte_for_one_small_payload(format_, size):
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"x" * size)
    codec = encryption(format=format_)
    (sealed,) = await CodecChain.outbound(codec).encode([plain])
    fits, lacks = (CodecChain.outbound(codec, max_encoded=sealed.ByteSize() - less) for less in (0, 1))

    assert await fits.decode(await fits.encode([plain])) == [plain]
    with pytest.raises(PayloadTooLargeError, match=f"have {sealed.ByteSize()} bytes once encoded"):
        await lacks.encode([plain])


@pytest.mark.parametrize(
    "metadata",
    [
        {"encoding": b"json/plain", "b": b"binary/gzip", "a": b"2"},
        {"encoding": b"json/plainer"},
        {"encoding": b"binary/gzip"},
        {"encoding": b"binary/encrypted", "encryption-key-id": b"k1"},
        {"a": b"\n\x16\n\x08encoding\x12\njson/plain"},
        {},
    ],
)
@pytest.mark.parametrize("count", [1, 3])
async def test_small_payloads_come_back_whatever_they_are_marked_as(metadata, count):
    payloads = [Payload(metadata=metadata, data=b"small")] * count
    chain = CodecChain.outbound(CompressionCodec(), encryption(), max_encoded=10_000)

    sealed = await chain.encode(payloads)

    assert all(one.metadata["encoding"] == b"binary/encrypted" for one in sealed)
    assert all(b"small" not in one.data for one in sealed)
    assert await chain.decode(sealed) == payloads
