"""Decompression that never holds more than it may, whatever a stream declares.

Every function takes one whole stream and refuses what is empty, cut short, damaged, or followed by anything.
"""

import zlib
from threading import local
from typing import Any, Final

from trenova_codecs._errors import CorruptPayloadError, DecompressionLimitError, MissingLibraryError
from trenova_codecs._formats import GZIP_ENCODING, ZLIB_ENCODING, ZSTD_ENCODING, Layout
from trenova_codecs._libraries import igzip_lib, zstandard

_TRAILER_SIZE_FIELD: Final = 4
"""A gzip member ends in the size of its content, modulo 2**32, little-endian (RFC 1952, 2.3.1)."""
_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_GZIP_WBITS: Final = 31
_ZLIB_WBITS: Final = 15
_NAMES: Final = {Layout.GZIP: GZIP_ENCODING, Layout.ZLIB: ZLIB_ENCODING, Layout.ZSTD: ZSTD_ENCODING}
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW: Final = 8 * 1024 * 1024
"""What RFC 8878 recommends that every decoder supports; levels up to 19 stay within it."""

_DAMAGED: Final[tuple[type[Exception], ...]] = (zlib.error, *((igzip_lib.IsalError,) if igzip_lib else ()))

_thread = local()


def declared_size(layout: Layout, data: bytes) -> int | None:
    """Return the size that a stream declares, which may be a lie; None where it declares none."""
    if layout is Layout.GZIP and data.startswith(_GZIP_MAGIC):
        return int.from_bytes(data[-_TRAILER_SIZE_FIELD:], "little")
    if layout is Layout.ZSTD and zstandard is not None and data.startswith(_ZSTD_MAGIC):
        try:
            size = zstandard.frame_content_size(data)
        except zstandard.ZstdError:
            return None
        return None if size < 0 else size
    return None


def inflate(layout: Layout, data: bytes, limit: int) -> bytes:
    """Decompress one stream of at most ``limit`` bytes of content.

    Raises:
        DecompressionLimitError: It is larger; no more than ``limit`` bytes were decompressed.
        CorruptPayloadError: It is not one whole stream.
        MissingLibraryError: It is zstd, which is not installed.
    """
    declared = declared_size(layout, data)
    if declared is not None and declared > limit:
        raise _too_large(layout, data, limit, declared)
    if not data:
        raise _corrupt(layout, data, "is cut short: there is nothing")
    if layout is Layout.ZSTD:
        return _unzstd(data, limit, declared)
    return _inflate(layout, data, limit, declared)


def _inflate(layout: Layout, data: bytes, limit: int, declared: int | None) -> bytes:
    """One byte more than is accepted is asked for, so that a stream that goes on is seen to go on."""
    most = limit if declared is None else declared
    stream = _stream(layout)
    try:
        plain: bytes = stream.decompress(data, most + 1)
    except _DAMAGED:
        raise _corrupt(layout, data, f"is not {_NAMES[layout].removeprefix('binary/')}") from None
    if len(plain) > most and declared is None:
        raise _too_large(layout, data, limit, None)
    if not stream.eof:
        raise _corrupt(layout, data, "is cut short or declares fewer bytes than it holds")
    if stream.unused_data:
        raise _corrupt(layout, data, "is followed by other bytes")
    if declared is not None and len(plain) != declared:
        raise _corrupt(layout, data, "declares another size than it has")
    return plain


def _stream(layout: Layout) -> Any:
    gzip = layout is Layout.GZIP
    if igzip_lib is not None:
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP if gzip else igzip_lib.DECOMP_ZLIB)
    return zlib.decompressobj(wbits=_GZIP_WBITS if gzip else _ZLIB_WBITS)


def _unzstd(data: bytes, limit: int, declared: int | None) -> bytes:
    """Decompress a frame into exactly the size that it declares; the library allocates no more than that."""
    if zstandard is None:
        raise MissingLibraryError(
            f"A payload of {len(data)} bytes is marked {ZSTD_ENCODING!r}. Install trenova-codecs[zstd] to read it.",
            extra="zstd",
        )
    if declared is None:
        raise _corrupt(Layout.ZSTD, data, "is not zstd or does not declare its size")
    held = getattr(_thread, "zstd", None)
    if held is None:
        held = _thread.zstd = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    try:
        plain: bytes = held.decompress(data, max_output_size=limit, read_across_frames=False, allow_extra_data=False)
    except zstandard.ZstdError:
        raise _corrupt(Layout.ZSTD, data, "is damaged, cut short, or followed by other bytes") from None
    if len(plain) != declared:
        raise _corrupt(Layout.ZSTD, data, "declares another size than it has")
    return plain


def _too_large(layout: Layout, data: bytes, limit: int, declared: int | None) -> DecompressionLimitError:
    grows = "holds more than that" if declared is None else f"declares {declared} bytes"
    return DecompressionLimitError(
        f"A {_NAMES[layout]!r} payload of {len(data)} bytes {grows} once decompressed; this process accepts {limit}. "
        "Raise max_decompressed if the payload is genuine.",
        size=declared,
        limit=limit,
    )


def _corrupt(layout: Layout, data: bytes, what: str) -> CorruptPayloadError:
    return CorruptPayloadError(
        f"A payload of {len(data)} bytes is marked {_NAMES[layout]!r}, but {what}. "
        "Find out what wrote it; a run that needs it waits until it can be decoded.",
        size=len(data),
    )
