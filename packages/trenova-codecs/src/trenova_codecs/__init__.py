"""Payload codecs for Temporal: encrypt and compress everything, rotate keys, read whatever was written before."""

from trenova_codecs._chain import MAX_PAYLOADS_BYTES, CodecChain
from trenova_codecs._compression import CompressionCodec, CompressionOptions
from trenova_codecs._encryption import EncryptionCodec
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
from trenova_codecs._formats import COMPAT_ENCODING, GZIP_ENCODING, V2_ENCODING, ZLIB_ENCODING, ZSTD_ENCODING
from trenova_codecs._keys import EnvelopeKeyProvider, Key, KeyProvider, KeyRing, KeyState
from trenova_codecs._side import Side
from trenova_codecs._usage import KeyUsage, key_usage

__all__ = [
    "COMPAT_ENCODING",
    "GZIP_ENCODING",
    "MAX_PAYLOADS_BYTES",
    "V2_ENCODING",
    "ZLIB_ENCODING",
    "ZSTD_ENCODING",
    "CodecChain",
    "CodecError",
    "CompressionCodec",
    "CompressionOptions",
    "CorruptPayloadError",
    "DecompressionLimitError",
    "EncryptionCodec",
    "EnvelopeKeyProvider",
    "ForeignEncryptionError",
    "Key",
    "KeyProvider",
    "KeyRing",
    "KeyRingError",
    "KeyState",
    "KeyUsage",
    "MissingLibraryError",
    "NoActiveKeyError",
    "PlaintextRejectedError",
    "RevokedKeyError",
    "Side",
    "UnknownKeyError",
    "key_usage",
]
