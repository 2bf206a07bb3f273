"""The layouts of encoded payloads, told apart by their full metadata; ``docs/payload-formats.md`` describes them.

Every name here is a wire contract. Several programs use ``binary/encrypted`` and ``binary/gzip`` for other
layouts than ours, so that the encoding alone says nothing: what else the metadata holds decides.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from trenova_codecs._errors import CorruptPayloadError, ForeignEncryptionError

ENCODING: Final = "encoding"
KEY_ID: Final = "encryption-key-id"
ALGORITHM: Final = "encryption-algorithm"
SALT: Final = "encryption-salt"
DATA_KEY: Final = "encryption-data-key"
"""A data key as its key management service sealed it; only beside keys that have one."""
_JAVA_CIPHER: Final = "encryption-cipher"

COMPAT_ENCODING: Final = "binary/encrypted"
"""AES-256-GCM without associated data, as the samples of Temporal's SDKs write it."""
V2_ENCODING: Final = "binary/trenova-encrypted-v2"
"""AES-256-GCM under a derived key, with the metadata as associated data."""
GZIP_ENCODING: Final = "binary/gzip"
"""One gzip member over a whole serialized payload."""
ZLIB_ENCODING: Final = "binary/zlib"
"""One zlib stream over a whole serialized payload, as Temporal's Go SDK writes it; only ever read."""
ZSTD_ENCODING: Final = "binary/zstd"
"""One zstd frame over a whole serialized payload."""
LITERAL_ENCODING: Final = "binary/trenova-literal"
"""A whole serialized payload that is content although it looks encoded: decoding ends inside it."""

V2_ALGORITHM: Final = b"HKDF-SHA256/AES-256-GCM"

MARK_COMPAT: Final = COMPAT_ENCODING.encode()
MARK_V2: Final = V2_ENCODING.encode()
MARK_GZIP: Final = GZIP_ENCODING.encode()
MARK_ZLIB: Final = ZLIB_ENCODING.encode()
MARK_ZSTD: Final = ZSTD_ENCODING.encode()
MARK_LITERAL: Final = LITERAL_ENCODING.encode()

ENCRYPTED: Final = frozenset({MARK_COMPAT, MARK_V2})
COMPRESSED: Final = frozenset({MARK_GZIP, MARK_ZLIB, MARK_ZSTD})
OURS: Final = ENCRYPTED | COMPRESSED | {MARK_LITERAL}
"""Encodings of which at least one layout is ours; anything else is content."""

_V2_REQUIRED: Final = frozenset({ENCODING, KEY_ID, ALGORITHM, SALT})


class Layout(Enum):
    """What a payload is, by its full metadata."""

    CONTENT = auto()
    COMPAT = auto()
    V2 = auto()
    GZIP = auto()
    ZLIB = auto()
    ZSTD = auto()
    LITERAL = auto()


_ALONE: Final = {
    MARK_GZIP: Layout.GZIP,
    MARK_ZLIB: Layout.ZLIB,
    MARK_ZSTD: Layout.ZSTD,
    MARK_LITERAL: Layout.LITERAL,
}


def identify(metadata: Mapping[str, bytes]) -> Layout:
    """Say which layout the metadata describes.

    Compressed layouts carry nothing but their encoding; with more beside it they are another program's
    content. ``binary/encrypted`` is never content.

    Raises:
        ForeignEncryptionError: It was encrypted by something else.
        CorruptPayloadError: It calls itself v2, and its metadata is not that of v2.
    """
    encoding = metadata.get(ENCODING, b"")
    alone = _ALONE.get(encoding)
    if alone is not None:
        return alone if len(metadata) == 1 else Layout.CONTENT
    if encoding == MARK_COMPAT:
        return _compat(metadata)
    if encoding == MARK_V2:
        return _v2(metadata)
    return Layout.CONTENT


def refuse_foreign(metadata: Mapping[str, bytes]) -> None:
    """Refuse what another program encrypted under an encoding of its own; only where nothing else encrypted it.

    Raises:
        ForeignEncryptionError: Its encoding says so.
    """
    encoding = metadata.get(ENCODING, b"")
    if b"encrypt" in encoding or b"encript" in encoding:  # the AWS keyring sample spells it so
        raise _foreign(f"another program's {encoding.decode(errors='replace')[:100]!r}")


def _compat(metadata: Mapping[str, bytes]) -> Layout:
    others = set(metadata) - {ENCODING, KEY_ID, DATA_KEY}
    java = others == {_JAVA_CIPHER} and metadata[_JAVA_CIPHER] == b"AES/GCM/NoPadding"
    if KEY_ID in metadata and (not others or java):
        return Layout.COMPAT
    if "encryption-dek" in others:
        raise _foreign("temporal-proxy (it carries 'encryption-dek')")
    if "data_key_encrypted" in others:
        raise _foreign("the encryption_jwt sample (it carries 'data_key_encrypted')")
    if KEY_ID not in metadata:
        raise _foreign("a Tink keyset (it names no 'encryption-key-id')")
    raise _foreign(f"an unknown program (it carries {', '.join(sorted(others))[:200]!r})")


def _v2(metadata: Mapping[str, bytes]) -> Layout:
    if set(metadata) - {DATA_KEY} == _V2_REQUIRED and metadata[ALGORITHM] == V2_ALGORITHM:
        return Layout.V2
    raise CorruptPayloadError(
        f"A payload is marked {V2_ENCODING!r}, but its metadata ({', '.join(sorted(metadata))[:200]}) is not that of "
        "the format. Find out what wrote or changed it; a later version may have written it.",
    )


def _foreign(looks_like: str) -> ForeignEncryptionError:
    return ForeignEncryptionError(
        f"A payload calls itself encrypted and looks like that of {looks_like}, in a layout that is not ours. "
        "Decode it with what wrote it, e.g. by putting that codec into the chain.",
        looks_like=looks_like,
    )
