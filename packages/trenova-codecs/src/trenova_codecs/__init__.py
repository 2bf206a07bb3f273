"""Payload codecs for Temporal: encrypt and compress everything, rotate keys, read whatever was written before."""

from typing import TYPE_CHECKING, Any

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
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._keys import EnvelopeKeyProvider, Key, KeyProvider, KeyState
from trenova_codecs._side import Side
from trenova_codecs._usage import KeyUsage, key_usage

if TYPE_CHECKING:
    from trenova_codecs._options import (
        CodecOptions,
        EncryptionOptions,
        KeyAwsKms,
        KeyDirectory,
        KeyEnvironment,
        KeyFile,
        KeySourceOptions,
    )
    from trenova_codecs._plugin import CodecPlugin
    from trenova_codecs._ring_watch import KeySource, LoadedKeys

__all__ = [
    "COMPAT_ENCODING",
    "GZIP_ENCODING",
    "MAX_PAYLOADS_BYTES",
    "V2_ENCODING",
    "ZLIB_ENCODING",
    "ZSTD_ENCODING",
    "CodecChain",
    "CodecError",
    "CodecOptions",
    "CodecPlugin",
    "CompressionCodec",
    "CompressionOptions",
    "CorruptPayloadError",
    "DecompressionLimitError",
    "EncryptionCodec",
    "EncryptionOptions",
    "EnvelopeKeyProvider",
    "ForeignEncryptionError",
    "Key",
    "KeyAwsKms",
    "KeyDirectory",
    "KeyEnvironment",
    "KeyFile",
    "KeyProvider",
    "KeyRing",
    "KeyRingError",
    "KeySource",
    "KeySourceOptions",
    "KeyState",
    "KeyUsage",
    "LoadedKeys",
    "MissingLibraryError",
    "NoActiveKeyError",
    "PlaintextRejectedError",
    "RevokedKeyError",
    "Side",
    "UnknownKeyError",
    "key_usage",
]

_LAZY = {
    "CodecOptions": "_options",
    "EncryptionOptions": "_options",
    "KeyAwsKms": "_options",
    "KeyDirectory": "_options",
    "KeyEnvironment": "_options",
    "KeyFile": "_options",
    "KeySource": "_ring_watch",
    "KeySourceOptions": "_options",
    "CodecPlugin": "_plugin",
    "LoadedKeys": "_ring_watch",
}


def __getattr__(name: str) -> Any:
    # These need temporalio.client, temporalio.worker and pydantic, which code that only decodes does not.
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
