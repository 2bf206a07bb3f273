"""Payload codecs for Temporal: compression that is bounded on the way in and only used where it pays."""

from trenova_codecs._compression import GZIP_ENCODING, CompressionCodec, CompressionOptions
from trenova_codecs._errors import (
    CodecError,
    CorruptPayloadError,
    DecompressionLimitError,
    ForeignEncryptionError,
    KeyRingError,
    MissingLibraryError,
    NoActiveKeyError,
    PlaintextRejectedError,
    RevokedKeyError,
    UnknownKeyError,
)
from trenova_codecs._keys import EnvelopeKeyProvider, Key, KeyProvider, KeyRing, KeyState
from trenova_codecs._side import Side

__all__ = [
    "GZIP_ENCODING",
    "CodecError",
    "CompressionCodec",
    "CompressionOptions",
    "CorruptPayloadError",
    "DecompressionLimitError",
    "EnvelopeKeyProvider",
    "ForeignEncryptionError",
    "Key",
    "KeyProvider",
    "KeyRing",
    "KeyRingError",
    "KeyState",
    "MissingLibraryError",
    "NoActiveKeyError",
    "PlaintextRejectedError",
    "RevokedKeyError",
    "Side",
    "UnknownKeyError",
]
