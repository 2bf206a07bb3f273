"""Encrypting serialized payloads under the active key of a ring."""

import os
import time
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload

from trenova_codecs._formats import (
    ALGORITHM,
    DATA_KEY,
    ENCODING,
    KEY_ID,
    MARK_COMPAT,
    MARK_V2,
    SALT,
    V2_ALGORITHM,
)
from trenova_codecs._keys import Key, KeyProvider
from trenova_codecs._usage import counter
from trenova_codecs._wire import header, parsed, scratch, varint

Format: TypeAlias = Literal["compat", "v2"]

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SALT_BYTES: Final = 16
V2_INFO: Final = b"trenova-codecs v2 payload key"
LARGE: Final = 64 * 1024
"""From this many bytes on, fresh memory for the result costs more than a copy into reused memory."""

EPOCH_MESSAGES: Final = 2**26
"""Messages under one derived key; 2**32 would be allowed."""
EPOCH_BYTES: Final = 2**36
"""64 GiB under one derived key."""
EPOCH_SECONDS: Final = 24 * 3600.0
_CHECK: Final = 1023
"""Every 1,024th message, the limits are looked at."""
_PREFIXES: Final = 1024
_LENGTH_BYTES: Final = 5


class Epoch:
    """One key in use: its cipher, and everything that is the same for all of its messages.

    Attributes:
        key: What it encrypts with, or what that was derived from.
        overhead: The most bytes by which a sealed payload is larger than what was sealed.
        expires: When another has to begin, in seconds of the monotonic clock; at once in a forked child, and
            once enough was encrypted under a derived key.
    """

    __slots__ = (
        "__weakref__",
        "_aad",
        "_aead",
        "_bytes_end",
        "_counter",
        "_header",
        "_messages_end",
        "_prefixes",
        "expires",
        "key",
        "overhead",
    )

    def __init__(self, key: Key, format: Format) -> None:  # noqa: A002
        self.key = key
        self.expires = self._messages_end = self._bytes_end = float("inf")
        self._counter = counter(key.id, format)
        self._aead: AESGCM
        self._aad: bytes | None
        self._prefixes: dict[int, bytes] = {}
        if format == "v2":
            self._begin_v2(key)
        else:
            self._aead, self._aad = key.aead, None
            self._header = header({ENCODING: MARK_COMPAT, KEY_ID: key.id_bytes, **_data_key(key)})
        self.overhead = len(self._header) + _LENGTH_BYTES + NONCE_BYTES + TAG_BYTES
        _live.add(self)

    def _begin_v2(self, key: Key) -> None:
        salt = os.urandom(SALT_BYTES)
        self._aead = key.derive(salt, V2_INFO)
        self._aad = associated_data(key.id_bytes, salt, key.wrapped)
        self._header = header(
            {ENCODING: MARK_V2, KEY_ID: key.id_bytes, ALGORITHM: V2_ALGORITHM, SALT: salt, **_data_key(key)}
        )
        # Counted with those of other codecs under the same key, so that it ends early rather than late.
        self._messages_end = self._counter.messages + EPOCH_MESSAGES
        self._bytes_end = self._counter.bytes + EPOCH_BYTES
        self.expires = time.monotonic() + EPOCH_SECONDS

    def seal(self, plain: bytes) -> Payload:
        """Encrypt a serialized payload under a nonce of its own."""
        size = len(plain)
        prefix = self._prefixes.get(size) or self._prefix(size)
        nonce = os.urandom(NONCE_BYTES)
        counted = self._counter
        counted.messages = number = next(counted.numbers)
        counted.bytes += size
        if not number & _CHECK:
            self._check()
        if size >= LARGE:
            return self._seal_large(prefix, nonce, plain)
        return Payload.FromString(b"".join((prefix, nonce, self._aead.encrypt(nonce, plain, self._aad))))

    def _check(self) -> None:
        self._counter.warn()
        if self._counter.messages >= self._messages_end or self._counter.bytes >= self._bytes_end:
            self.expires = float("-inf")

    def _prefix(self, size: int) -> bytes:
        """Return the metadata and the length of the data; remembered for sizes that come again and again."""
        prefix = self._header + varint(size + NONCE_BYTES + TAG_BYTES)
        if size < LARGE:
            if len(self._prefixes) >= _PREFIXES:
                self._prefixes = {}
            self._prefixes[size] = prefix
        return prefix

    def _seal_large(self, prefix: bytes, nonce: bytes, plain: bytes) -> Payload:
        at = len(prefix) + NONCE_BYTES
        end = at + len(plain) + TAG_BYTES
        memory = scratch(end)
        memory[:at] = prefix + nonce
        self._aead.encrypt_into(nonce, plain, self._aad, memory[at:end])
        return parsed(memory[:end])


class Sealer:
    """The current epoch of a ring's active key."""

    def __init__(self, ring: KeyProvider, format: Format) -> None:  # noqa: A002
        self._ring, self._format = ring, format
        self._generation = -1
        self._epoch: Epoch | None = None

    def epoch(self) -> Epoch:
        """Return what to encrypt with now; a reload of the ring or its own end begins another.

        Raises:
            NoActiveKeyError: The ring has no active key.
        """
        epoch = self._epoch
        generation = self._ring.generation
        fresh = epoch is not None and time.monotonic() < epoch.expires
        if epoch is not None and fresh and generation == self._generation:
            return epoch
        key = self._ring.active()
        if epoch is None or not fresh or epoch.key != key:
            epoch = Epoch(key, self._format)
        # Another thread must never find the old epoch under the new generation.
        self._epoch = epoch
        self._generation = generation
        return epoch


def associated_data(key_id: bytes, salt: bytes, data_key: bytes) -> bytes:
    """Return what a v2 message authenticates beside its content: its metadata, each part after its length."""
    parts = (MARK_V2, V2_ALGORITHM, key_id, salt, data_key)
    return b"".join(piece for part in parts for piece in (len(part).to_bytes(4, "big"), part))


def _data_key(key: Key) -> dict[str, bytes]:
    return {DATA_KEY: key.wrapped} if key.wrapped else {}


_live: WeakSet[Epoch] = WeakSet()


def _after_fork() -> None:
    for epoch in list(_live):
        epoch.expires = float("-inf")


if hasattr(os, "register_at_fork"):
    # A child must not go on with its parent's derived key: their messages under it would add up.
    os.register_at_fork(after_in_child=_after_fork)
