"""Other codecs, each with what it does by the book; all of them are called the way Temporal calls a codec."""

import gzip
import os
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from trenova_codecs import (
    MAX_PAYLOADS_BYTES,
    CodecChain,
    CompressionCodec,
    CompressionOptions,
    EncryptionCodec,
    KeyRing,
)

KEY = bytes(range(91, 123))
KEY_ID = "bench-key-1"


class SampleEncryption(PayloadCodec):
    """The construction of the encryption sample for Python: message objects and concatenation, one cipher kept."""

    def __init__(self) -> None:
        self._cipher = AESGCM(KEY)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        return [
            Payload(
                metadata={"encoding": b"binary/encrypted", "encryption-key-id": KEY_ID.encode()},
                data=self._sealed(payload.SerializeToString()),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        opened = []
        for payload in payloads:
            if payload.metadata.get("encoding", b"").decode() != "binary/encrypted":
                opened.append(payload)
                continue
            key_id = payload.metadata.get("encryption-key-id", b"").decode()
            if key_id != KEY_ID:
                raise ValueError(f"Unrecognized key ID {key_id}")
            opened.append(Payload.FromString(self._cipher.decrypt(payload.data[:12], payload.data[12:], None)))
        return opened

    def _sealed(self, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, plain, None)


class SampleChain(SampleEncryption):
    """The compression of the external-storage sample (gzip's default, level 9), then the encryption above."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        return await super().encode(
            [
                Payload(metadata={"encoding": b"binary/gzip"}, data=gzip.compress(payload.SerializeToString()))
                for payload in payloads
            ]
        )

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        return [Payload.FromString(gzip.decompress(payload.data)) for payload in await super().decode(payloads)]


class Least(PayloadCodec):
    """The fewest steps that an asynchronous codec in Python can take: no look at metadata, no count, no choice."""

    def __init__(self, payload: Payload) -> None:
        self._cipher = AESGCM(KEY)
        sample = Payload(
            metadata={"encoding": b"binary/encrypted", "encryption-key-id": KEY_ID.encode()},
            data=bytes(28 + payload.ByteSize()),
        )
        self._head = sample.SerializeToString()[: -28 - payload.ByteSize()]

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        encrypt, head, encoded = self._cipher.encrypt, self._head, []
        for payload in payloads:
            nonce = os.urandom(12)
            sealed = encrypt(nonce, payload.SerializeToString(), None)
            encoded.append(Payload.FromString(b"".join((head, nonce, sealed))))
        return encoded

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See base class."""
        decrypt, decoded = self._cipher.decrypt, []
        for payload in payloads:
            data = payload.data
            decoded.append(Payload.FromString(decrypt(data[:12], data[12:], None)))
        return decoded


def codec(name: str, payload: Payload) -> PayloadCodec:
    """Build a codec by its name in the tables."""
    ring = KeyRing.from_keys({KEY_ID: KEY}, active=KEY_ID)
    made: dict[str, Callable[[], PayloadCodec]] = {
        "samples": SampleEncryption,
        "samples chain": SampleChain,
        "least": lambda: Least(payload),
        "temporalcodec": _temporalcodec,
        "compat": lambda: EncryptionCodec(ring),
        "v2": lambda: EncryptionCodec(ring, format="v2"),
        "as plugged in": lambda: CodecChain.outbound(EncryptionCodec(ring), max_encoded=MAX_PAYLOADS_BYTES),
        "chain": lambda: CodecChain.outbound(CompressionCodec(), EncryptionCodec(ring)),
        "zstd chain": lambda: CodecChain.outbound(
            CompressionCodec(CompressionOptions(algorithm="zstd")), EncryptionCodec(ring, format="v2")
        ),
    }
    return made[name]()


def _temporalcodec() -> Any:
    from temporalcodec.encryption import EncryptionCodec as Theirs

    return Theirs([{"id": KEY_ID, "key": KEY.decode()}])


def bare(action: str, payload: Payload) -> Callable[[], object]:
    """Return AES-GCM alone, as ``cryptography`` gives it."""
    cipher, plain = AESGCM(KEY), payload.SerializeToString()
    nonce = os.urandom(12)
    sealed = cipher.encrypt(nonce, plain, None)
    if action == "encode":
        return lambda: cipher.encrypt(nonce, plain, None)
    return lambda: cipher.decrypt(nonce, sealed, None)


def primitives(action: str, payload: Payload) -> dict[str, Callable[[], object]]:
    """Return what no codec can do without; their times are added up."""
    cipher, plain = AESGCM(KEY), payload.SerializeToString()
    nonce = os.urandom(12)
    sealed = cipher.encrypt(nonce, plain, None)
    outer = Payload(
        metadata={"encoding": b"binary/encrypted", "encryption-key-id": KEY_ID.encode()}, data=nonce + sealed
    )
    serialized = outer.SerializeToString()
    if action == "encode":
        return {
            "SerializeToString": payload.SerializeToString,
            "urandom": lambda: os.urandom(12),
            "encrypt": lambda: cipher.encrypt(nonce, plain, None),
            "FromString": lambda: Payload.FromString(serialized),
        }
    return {
        "encoding": lambda: outer.metadata["encoding"],
        "key id": lambda: outer.metadata["encryption-key-id"],
        "data": lambda: outer.data,
        "decrypt": lambda: cipher.decrypt(nonce, sealed, None),
        "FromString": lambda: Payload.FromString(plain),
    }
