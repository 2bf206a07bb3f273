"""Feed arbitrary payloads to the decoder, guided by coverage: a payload, or a typed retryable error, nothing else.

``nox -s fuzz -- -max_total_time=600``; the arguments are libFuzzer's.
"""

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["trenova_codecs"]):
    from trenova_codecs import CodecChain, CodecError, CompressionCodec, EncryptionCodec, KeyRing

from temporalio.api.common.v1 import Payload

NAMES = (
    "encoding",
    "encryption-key-id",
    "encryption-salt",
    "encryption-algorithm",
    "encryption-data-key",
    "encryption-cipher",
    "x",
)
VALUES = (
    b"binary/encrypted",
    b"binary/trenova-encrypted-v2",
    b"binary/gzip",
    b"binary/zlib",
    b"binary/zstd",
    b"binary/trenova-literal",
    b"k1",
    b"HKDF-SHA256/AES-256-GCM",
    b"AES/GCM/NoPadding",
)
RING = KeyRing.from_keys({"k1": bytes(range(32))}, active="k1")
CHAIN = CodecChain.outbound(CompressionCodec(), EncryptionCodec(RING, on_plaintext="allow"))
LOOP = asyncio.new_event_loop()


def one(data: bytes) -> None:
    """Decode one payload; and encode it, which has to be undone exactly."""
    given = atheris.FuzzedDataProvider(data)
    metadata = {}
    for _ in range(given.ConsumeIntInRange(0, 5)):
        name = NAMES[given.ConsumeIntInRange(0, len(NAMES) - 1)]
        known = given.ConsumeIntInRange(0, len(VALUES))
        metadata[name] = VALUES[known] if known < len(VALUES) else given.ConsumeBytes(32)
    payload = Payload(metadata=metadata, data=given.ConsumeBytes(given.remaining_bytes()))
    try:
        LOOP.run_until_complete(CHAIN.decode([payload]))
    except CodecError as error:
        if error.non_retryable:
            raise AssertionError("permanent on a worker") from error
    encoded = LOOP.run_until_complete(CHAIN.encode([payload]))
    if LOOP.run_until_complete(CHAIN.decode(encoded)) != [payload]:
        raise AssertionError("not given back as it was")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
