"""Encrypting serialized payloads under the active key of a ring."""

import os
import time
from typing import Final, Literal, TypeAlias

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

_forks = 0


class Epoch:
    """One key in use: its cipher, and everything that is the same for all of its messages."""

    __slots__ = ("_aad", "_aead", "_bytes_left", "_counter", "_expires", "_forks", "_header", "_messages_left", "key")

    def __init__(self, key: Key, format: Format) -> None:  # noqa: A002
        self.key = key
        self._counter = counter(key.id, format)
        self._forks = _forks
        self._aead: AESGCM
        self._aad: bytes | None
        self._messages_left: float = float("inf")
        self._bytes_left: float = float("inf")
        self._expires = float("inf")
        if format == "v2":
            self._begin_v2(key)
        else:
            self._aead, self._aad = key.aead, None
            self._header = header({ENCODING: MARK_COMPAT, KEY_ID: key.id_bytes, **_data_key(key)})

    def _begin_v2(self, key: Key) -> None:
        salt = os.urandom(SALT_BYTES)
        self._aead = key.derive(salt, V2_INFO)
        key.keep(salt, V2_INFO, self._aead)
        self._aad = associated_data(key.id_bytes, salt, key.wrapped)
        self._header = header(
            {ENCODING: MARK_V2, KEY_ID: key.id_bytes, ALGORITHM: V2_ALGORITHM, SALT: salt, **_data_key(key)}
        )
        self._messages_left, self._bytes_left = EPOCH_MESSAGES, EPOCH_BYTES
        self._expires = time.monotonic() + EPOCH_SECONDS

    def over(self) -> bool:
        """Whether a new epoch has to begin: enough was encrypted, a day has passed, or the process forked."""
        return (
            self._messages_left <= 0
            or self._bytes_left <= 0
            or self._forks != _forks
            or (self._aad is not None and time.monotonic() > self._expires)
        )

    def count(self, messages: int, size: int) -> None:
        """Record what is about to be encrypted."""
        self._counter.add(messages, size)
        self._messages_left -= messages
        self._bytes_left -= size

    def seal(self, plain: bytes) -> Payload:
        """Encrypt a serialized payload under a nonce of its own."""
        nonce = os.urandom(NONCE_BYTES)
        if len(plain) >= LARGE:
            return self._seal_large(nonce, plain)
        size = varint(len(plain) + NONCE_BYTES + TAG_BYTES)
        sealed = self._aead.encrypt(nonce, plain, self._aad)
        return Payload.FromString(b"".join((self._header, size, nonce, sealed)))

    def _seal_large(self, nonce: bytes, plain: bytes) -> Payload:
        start = b"".join((self._header, varint(len(plain) + NONCE_BYTES + TAG_BYTES), nonce))
        at, end = len(start), len(start) + len(plain) + TAG_BYTES
        memory = scratch(end)
        memory[:at] = start
        self._aead.encrypt_into(nonce, plain, self._aad, memory[at:end])
        return parsed(memory[:end])


class Sealer:
    """The current epoch of a ring's active key."""

    def __init__(self, ring: KeyProvider, format: Format) -> None:  # noqa: A002
        self._ring, self._format = ring, format
        self._current: tuple[int, Epoch] | None = None

    def epoch(self) -> Epoch:
        """Return what to encrypt with now; a reload of the ring or its own end begins another.

        Raises:
            NoActiveKeyError: The ring has no active key.
        """
        current = self._current
        generation = self._ring.generation
        if current is not None and current[0] == generation and not current[1].over():
            return current[1]
        return self._begin(generation)

    def _begin(self, generation: int) -> Epoch:
        key = self._ring.active()
        current = self._current
        if current is not None and current[1].key == key and not current[1].over():
            epoch = current[1]
        else:
            epoch = Epoch(key, self._format)
        self._current = generation, epoch
        return epoch


def associated_data(key_id: bytes, salt: bytes, data_key: bytes) -> bytes:
    """Return what a v2 message authenticates beside its content: its metadata, each part after its length."""
    parts = (MARK_V2, V2_ALGORITHM, key_id, salt, data_key)
    return b"".join(piece for part in parts for piece in (len(part).to_bytes(4, "big"), part))


def _data_key(key: Key) -> dict[str, bytes]:
    return {DATA_KEY: key.wrapped} if key.wrapped else {}


def _after_fork() -> None:
    global _forks  # noqa: PLW0603 - a child must not go on with its parent's derived key
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
