"""Decrypting payloads with the one key that they name."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload

from trenova_codecs._errors import CorruptPayloadError, RevokedKeyError, UnknownKeyError
from trenova_codecs._formats import DATA_KEY, ENCODING, KEY_ID, MARK_COMPAT, SALT, Layout, identify
from trenova_codecs._keys import EnvelopeKeyProvider, Key, KeyProvider, KeyState
from trenova_codecs._sealing import LARGE, NONCE_BYTES, SALT_BYTES, TAG_BYTES, V2_INFO, associated_data
from trenova_codecs._wire import parsed, scratch

_LEAST: Final = NONCE_BYTES + TAG_BYTES
_COMPAT_SIZE: Final = 2
_V2_SIZE: Final = 4


class Opener:
    """Finds the key that a payload names, and decrypts with that one only."""

    def __init__(self, ring: KeyProvider | None) -> None:
        self._ring = ring

    def open(self, payload: Payload) -> Payload | None:
        """Decrypt one layer with what is held; None if the key is not held and may be asked for.

        Raises:
            RevokedKeyError: The key is revoked.
            CorruptPayloadError: The bytes are not what that key encrypted.
            ForeignEncryptionError: It was encrypted by something else.
        """
        metadata = payload.metadata
        encoding = metadata.get(ENCODING)
        named = metadata.get(KEY_ID)
        if len(metadata) == _COMPAT_SIZE and named is not None and encoding == MARK_COMPAT:
            layout, wrapped = Layout.COMPAT, b""
        else:
            layout, named, wrapped = identify(metadata), metadata[KEY_ID], metadata.get(DATA_KEY, b"")
        key = self._find(named.decode(errors="replace"), wrapped)
        if key is None:
            return None
        if key.state is KeyState.REVOKED:
            raise _revoked(key)
        if layout is Layout.COMPAT:
            return _decrypted(key, key.aead, payload.data, None)
        return _open_v2(key, payload)

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
                found = await ring.refresh(key_id)
            opened = self.open(payload) if found else None
            if opened is not None:
                return opened
        held = ", ".join(ring.ids()) if ring is not None else ""
        raise UnknownKeyError(
            f"Payload needs key {key_id[:80]!r}; this process holds {held or 'no key'}. Add the key to the ring; "
            "before a key is retired anywhere, nothing may need it.",
            key_id=key_id,
        )

    def _find(self, key_id: str, wrapped: bytes) -> Key | None:
        ring = self._ring
        if ring is None:
            return None
        if wrapped and isinstance(ring, EnvelopeKeyProvider):
            return ring.find_wrapped(key_id, wrapped)
        return ring.find(key_id)


def _open_v2(key: Key, payload: Payload) -> Payload:
    metadata = payload.metadata
    salt = metadata[SALT]
    if key.legacy or len(salt) != SALT_BYTES:
        raise _corrupt(key, payload.data, f"has a salt of {len(salt)} bytes or names a legacy key")
    subkey = key.derive(salt, V2_INFO)
    wrapped = metadata.get(DATA_KEY, b"") if len(metadata) > _V2_SIZE else b""
    opened = _decrypted(key, subkey, payload.data, associated_data(key.id_bytes, salt, wrapped))
    key.keep(salt, V2_INFO, subkey)
    return opened


def _decrypted(key: Key, aead: AESGCM, data: bytes, aad: bytes | None) -> Payload:
    size = len(data) - _LEAST
    if size < 0:
        raise _corrupt(key, data, f"is cut short: nonce and tag alone take {_LEAST} bytes")
    try:
        if size < LARGE:
            return Payload.FromString(aead.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], aad))
        plain = scratch(size)[:size]
        aead.decrypt_into(data[:NONCE_BYTES], memoryview(data)[NONCE_BYTES:], aad, plain)
        return parsed(plain)
    except InvalidTag:
        raise _corrupt(
            key, data, "does not authenticate: damaged, tampered with, or of another key of that id"
        ) from None
    except DecodeError:
        raise _corrupt(key, data, "holds no Payload") from None


def _revoked(key: Key) -> RevokedKeyError:
    return RevokedKeyError(
        f"Payload needs key {key.id!r}, which is revoked. If it must be read, take back the revocation; "
        "otherwise end the run with `temporal workflow terminate`.",
        key_id=key.id,
    )


def _corrupt(key: Key, data: bytes, what: str) -> CorruptPayloadError:
    return CorruptPayloadError(
        f"A payload of {len(data)} bytes under key {key.id!r} {what}. "
        "Find out what wrote or changed it; a run that needs it waits until it can be decoded.",
        size=len(data),
        key_id=key.id,
    )
