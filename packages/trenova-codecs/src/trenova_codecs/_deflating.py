"""Compression of serialized payloads, and when not to try."""

import zlib
from collections.abc import Callable
from threading import local
from typing import Any, Final, Literal, TypeAlias

from trenova_codecs._errors import MissingLibraryError
from trenova_codecs._libraries import igzip_lib, zstandard

Algorithm: TypeAlias = Literal["gzip", "zstd"]
Compress: TypeAlias = Callable[[bytes], bytes]

_GZIP_WBITS: Final = 31
_IGZIP_LEVELS: Final = (1, 2)
"""Above these igzip takes longer than zlib for less. Its level 0 makes some payloads larger."""
_PROBE_FROM: Final = 64 * 1024
"""Below this, compressing everything costs little more than probing."""
_PROBE: Final = 4 * 1024
_LEAST_BYTES: Final = 64
_LEAST_SHARE: Final = 20
"""A twentieth: what saves less than 5 % or 64 bytes is not worth inflating at every replay."""

_thread = local()


def compressor(algorithm: Algorithm, level: int) -> Compress:
    """Return a function that compresses whole payloads, the same way every time.

    Raises:
        MissingLibraryError: zstd is asked for and not installed.
    """
    if algorithm == "zstd":
        if zstandard is None:
            raise MissingLibraryError("Compression with zstd needs trenova-codecs[zstd]. Install it.", extra="zstd")
        return lambda plain: _zstd(level).compress(plain)
    if igzip_lib is not None and level in _IGZIP_LEVELS:
        return lambda plain: igzip_lib.compress(plain, level, igzip_lib.COMP_GZIP)
    return lambda plain: zlib.compress(plain, level, wbits=_GZIP_WBITS)


def fast(algorithm: Algorithm, level: int) -> bool:
    """Whether a megabyte takes about 2 ms, rather than 10 and more."""
    return (algorithm == "zstd" and level <= 1) or (igzip_lib is not None and level in _IGZIP_LEVELS)


def pays(before: int, after: int) -> bool:
    """Whether a compressed size is so much smaller that it is kept."""
    return before - after >= max(_LEAST_BYTES, before // _LEAST_SHARE)


def worth_trying(plain: bytes, compress: Compress) -> bool:
    """Compress two small pieces of a large payload, and say whether either became smaller."""
    if len(plain) < _PROBE_FROM:
        return True
    middle = len(plain) // 2
    pieces = (plain[_PROBE : 2 * _PROBE], plain[middle : middle + _PROBE])
    return any(pays(_PROBE, len(compress(piece))) for piece in pieces)


def _zstd(level: int) -> Any:
    """One context per thread and level: making one costs more than compressing a small payload with it."""
    held: dict[int, Any] = _thread.__dict__.setdefault("zstd", {})
    if level not in held:
        held[level] = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
    return held[level]
