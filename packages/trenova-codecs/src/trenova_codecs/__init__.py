"""Payload codecs for Temporal: compression that is bounded on the way in and only used where it pays."""

from trenova_codecs._compression import GZIP_ENCODING, CompressionCodec, CompressionOptions
from trenova_codecs._errors import CorruptPayloadError, DecompressionLimitError

__all__ = [
    "GZIP_ENCODING",
    "CompressionCodec",
    "CompressionOptions",
    "CorruptPayloadError",
    "DecompressionLimitError",
]
