"""Decrypting payloads with the one key that they name."""

from datetime import timedelta
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload

from trenova_codecs._errors import CorruptPayloadError, KeyRingError, RevokedKeyError, UnknownKeyError
from trenova_codecs._formats import (
    ALGORITHM,
    DATA_KEY,
    ENCODING,
    KEY_ID,
    MARK_COMPAT,
    MARK_V2,
    SALT,
    V2_ALGORITHM,
    V2_ENCODING,
    Layout,
    identify,
)
from trenova_codecs._keys import AuditedKeyProvider, EnvelopeKeyProvider, Key, KeyProvider, KeyState
from trenova_codecs._sealing import LARGE, NONCE_BYTES, SALT_BYTES, TAG_BYTES, V2_INFO, associated_data
from trenova_codecs._wire import CONTENT_HEADS, parsed, scratch
from trenova_errors import ConfigurationError

_LEAST: Final = NONCE_BYTES + TAG_BYTES
_COMPAT_SIZE: Final = 2
_V2_SIZE: Final = 4
_CIPHERS: Final = 1024
"""Every worker process adds one a day; with more in use than that, some are derived anew."""
_RETRY_AFTER: Final = timedelta(seconds=10)
"""Between the attempts of an activity whose input needs a key that has to be distributed first."""

_Name: TypeAlias = Any
_Cipher: TypeAlias = tuple[AESGCM, bytes | None]
_Ciphers: TypeAlias = dict[_Name, _Cipher]


class Opener:
    """Finds the key that a payload names, and decrypts with that one only.

    Ciphers are remembered by what names them, for as long as the ring stays in its generation, and only once
    a message has proved that they are used: whoever can write payloads could otherwise push out the others.
    """

    def __init__(self, ring: KeyProvider | None) -> None:
        self._ring = ring
        self._used = ring.used if isinstance(ring, AuditedKeyProvider) else None
        self._generation = -1
        self._ciphers: _Ciphers = {}

    def open_known(self, payload: Payload) -> tuple[Payload, bool] | None:
        """Decrypt one layer with a cipher that is remembered.

        Returns:
            What was inside, and whether it is content beyond doubt; None where no cipher is remembered, whatever
            the reason.

        Raises:
            CorruptPayloadError: The bytes are not what that key encrypted.
        """
        ring = self._ring
        if ring is None:
            return None
        generation = ring.generation
        if generation != self._generation:
            self._ciphers, self._generation = {}, generation
        metadata = payload.metadata
        named = metadata.get(KEY_ID)
        if named is None:
            return None
        if len(metadata) == _COMPAT_SIZE and metadata.get(ENCODING) == MARK_COMPAT:
            cipher = self._ciphers.get(named)
        else:
            cipher = self._ciphers.get(self._name(metadata, named))
        if cipher is None:
            return None
        if self._used is not None:
            self._used(named.decode(errors="replace"))
        return _decrypted(named, cipher, payload.data)

    def open(self, payload: Payload) -> Payload | None:
        """Decrypt one layer with what is held; None if the key is not held and may be asked for.

        Raises:
            RevokedKeyError: The key is revoked.
            CorruptPayloadError: The bytes are not what that key encrypted.
            ForeignEncryptionError: It was encrypted by something else.
        """
        opened = self.open_known(payload)
        return self._open_first(payload) if opened is None else opened[0]

    @staticmethod
    def _name(metadata: Any, named: bytes) -> _Name:
        """Return what a cipher is remembered by: everything of the metadata that it depends on."""
        size = len(metadata)
        if size == _COMPAT_SIZE and metadata.get(ENCODING) == MARK_COMPAT:
            return named
        if size == _V2_SIZE and metadata.get(ENCODING) == MARK_V2 and metadata.get(ALGORITHM) == V2_ALGORITHM:
            return named, metadata.get(SALT)
        if DATA_KEY in metadata:
            return tuple(sorted(metadata.items()))
        return None

    def _open_first(self, payload: Payload) -> Payload | None:
        # Held before the key is looked up: a revocation from here on leaves the cipher in what is thrown away.
        ciphers = self._ciphers
        metadata = payload.metadata
        layout, named, wrapped = identify(metadata), metadata[KEY_ID], metadata.get(DATA_KEY, b"")
        key = self._find(named.decode(errors="replace"), wrapped)
        if key is None:
            return None
        if key.state is KeyState.REVOKED:
            raise _revoked(key)
        cipher = (key.aead, None) if layout is Layout.COMPAT else _v2_cipher(key, metadata[SALT], wrapped)
        opened, _ = _decrypted(named, cipher, payload.data)
        name = self._name(metadata, named)
        if name is not None:
            _remember(ciphers, name, cipher)
        return opened

    async def fetch(self, payload: Payload) -> Payload:
        """Ask the ring's source for the key that :meth:`open` did not find, and decrypt.

        Raises:
            UnknownKeyError: The source does not know it either.
            CodecError: As for :meth:`open`, or the source cannot be reached.
        """
        key_id = payload.metadata[KEY_ID].decode(errors="replace")
        wrapped = payload.metadata.get(DATA_KEY, b"")
        ring = self._ring
        if ring is not None:
            if wrapped and isinstance(ring, EnvelopeKeyProvider):
                found = await ring.unwrap(key_id, wrapped)
            else:
                found = await refreshed(ring, key_id)
            opened = self.open(payload) if found else None
            if opened is not None:
                return opened
        held = ", ".join(ring.ids()) if ring is not None else ""
        raise UnknownKeyError(
            f"Payload needs key {key_id[:80]!r}; this process holds {held or 'no key'}. Add the key to the ring; "
            "before a key is retired anywhere, nothing may need it.",
            retry_after=_RETRY_AFTER,
            key_id=key_id,
        )

    def _find(self, key_id: str, wrapped: bytes) -> Key | None:
        ring = self._ring
        if ring is None:
            return None
        if wrapped and isinstance(ring, EnvelopeKeyProvider):
            return ring.find_wrapped(key_id, wrapped)
        return ring.find(key_id)


async def refreshed(ring: KeyProvider, key_id: str | None = None) -> bool:
    """Ask a ring's source again; see :meth:`KeyProvider.refresh`.

    Raises:
        CodecError: It cannot be reached, or holds no ring any more, which on a worker must be retryable too.
    """
    try:
        return await ring.refresh(key_id)
    except ConfigurationError as error:
        raise KeyRingError(error.message) from error


def _remember(ciphers: _Ciphers, name: _Name, cipher: _Cipher) -> None:
    """Make room by dropping the oldest; listed first, because another thread may be at it too."""
    if len(ciphers) >= _CIPHERS:
        for oldest in list(ciphers)[: _CIPHERS // 8]:
            ciphers.pop(oldest, None)
    ciphers[name] = cipher


def _v2_cipher(key: Key, salt: bytes, wrapped: bytes) -> _Cipher:
    if key.legacy or len(salt) != SALT_BYTES:
        raise CorruptPayloadError(
            f"A payload under key {key.id!r} is marked {V2_ENCODING!r}, but has a salt of {len(salt)} bytes or names "
            "a legacy key. Find out what wrote or changed it.",
            key_id=key.id,
        )
    return key.derive(salt, V2_INFO), associated_data(key.id_bytes, salt, wrapped)


def _decrypted(named: bytes, cipher: _Cipher, data: bytes) -> tuple[Payload, bool]:
    """Return what was inside, and whether its serialized bytes show that it is content."""
    aead, aad = cipher
    try:
        if len(data) < LARGE:
            small = aead.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], aad)
            return Payload.FromString(small), small.startswith(CONTENT_HEADS)
        plain = scratch(len(data))[: len(data) - _LEAST]
        aead.decrypt_into(data[:NONCE_BYTES], memoryview(data)[NONCE_BYTES:], aad, plain)
        return parsed(plain), False
    except InvalidTag:
        raise _corrupt(named, data, "does not authenticate: damaged, cut, or of another key of that id") from None
    except DecodeError:
        raise _corrupt(named, data, "holds no Payload") from None
    except ValueError:
        raise _corrupt(named, data, f"is cut short: nonce and tag alone take {_LEAST} bytes") from None


def _revoked(key: Key) -> RevokedKeyError:
    return RevokedKeyError(
        f"Payload needs key {key.id!r}, which is revoked. If it must be read, take back the revocation; "
        "otherwise end the run with `temporal workflow terminate`.",
        key_id=key.id,
    )


def _corrupt(named: bytes, data: bytes, what: str) -> CorruptPayloadError:
    key_id = named.decode(errors="replace")[:100]
    return CorruptPayloadError(
        f"A payload of {len(data)} bytes under key {key_id!r} {what}. "
        "Find out what wrote or changed it; a run that needs it waits until it can be decoded.",
        size=len(data),
        key_id=key_id,
    )
