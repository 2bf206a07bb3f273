"""Compression of whole payloads: gzip, or zstd under its own encoding.

Wire format; change it only under a new ``encoding``. The gzip one is shared with the ``external_storage``
sample of Temporal's Python samples::

    metadata["encoding"]  b"binary/gzip" or b"binary/zstd"; there is no other metadata
    data                  one gzip member (RFC 1952, mtime 0) or one zstd frame (RFC 8878, with its content
                          size) over the serialized inner Payload

The inner Payload is kept whole, so its own metadata comes back as it was.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, get_args

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from trenova_codecs._deflating import Algorithm, compressor, fast, pays, worth_trying
from trenova_codecs._errors import CorruptPayloadError
from trenova_codecs._formats import ENCODING, MARK_GZIP, MARK_ZSTD, Layout, identify
from trenova_codecs._inflating import declared_size, inflate
from trenova_codecs._wire import header, varint
from trenova_errors import ConfigurationError, PayloadTooLargeError

_MIB: Final = 1024 * 1024
_THREAD_FROM: Final = {True: 512 * 1024, False: 128 * 1024}
"""By whether the compressor is fast: what takes 1 ms and more goes to a thread, which itself takes 0.2 ms."""
_INFLATE_THREAD_FROM: Final = _MIB
_COMPRESSED: Final = frozenset({Layout.GZIP, Layout.ZLIB, Layout.ZSTD})
_LEVELS: Final = {"gzip": 9, "zstd": 19}
DEFAULT_LIMIT: Final = 16 * _MIB


@dataclass(frozen=True, kw_only=True)
class CompressionOptions:
    """What to compress, how hard, and how much to accept.

    Attributes:
        algorithm: ``gzip``, or ``zstd`` (extra ``[zstd]``), which is smaller at the same speed but read by
            no other SDK's samples.
        threshold: Payloads whose serialized size is below this many bytes are left alone. Below about 512
            bytes compression does not pay.
        level: 1 (fastest) to 9 (smallest); zstd goes to 19. Where the library ``isal`` has a wheel, levels 1
            and 2 of gzip are its, several times as fast as zlib's.
        max_decompressed: Most bytes that one payload may have once decompressed. Larger ones are not
            compressed when they are written, and are refused when they are read.

    Raises:
        ConfigurationError: A number is out of its range.
        MissingLibraryError: The algorithm is ``zstd``, which is not installed.
    """

    algorithm: Algorithm = "gzip"
    threshold: int = 1024
    level: int = 1
    max_decompressed: int = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        if self.algorithm not in get_args(Algorithm):
            raise ConfigurationError(
                f"CompressionOptions.algorithm must be 'gzip' or 'zstd'; got {self.algorithm!r}.", option="algorithm"
            )
        _require_between("threshold", self.threshold, low=0, high=2**31)
        _require_between("level", self.level, low=1, high=_LEVELS[self.algorithm])
        _require_between("max_decompressed", self.max_decompressed, low=1, high=2**31 - 2)
        compressor(self.algorithm, self.level)


class Compressor:
    """Turns the bytes of a payload into those of a smaller one, where that pays."""

    def __init__(self, options: CompressionOptions) -> None:
        self.options = options
        self._compress = compressor(options.algorithm, options.level)
        self._thread_from = _THREAD_FROM[fast(options.algorithm, options.level)]
        self._header = header({ENCODING: MARK_ZSTD if options.algorithm == "zstd" else MARK_GZIP})

    async def smaller(self, plain: bytes) -> bytes | None:
        """Return the serialized compressed payload; None to leave the given one as it is."""
        size = len(plain)
        if not self.options.threshold <= size <= self.options.max_decompressed:
            return None
        if not worth_trying(plain, self._compress):
            return None
        packed = await self.wrap(plain)
        return packed if pays(size, len(packed)) else None

    async def wrap(self, plain: bytes) -> bytes:
        """Return the serialized compressed payload, whatever its size."""
        if len(plain) < self._thread_from:
            data = self._compress(plain)
        else:
            data = await asyncio.get_running_loop().run_in_executor(_threads(), self._compress, plain)
        return b"".join((self._header, varint(len(data)), data))


class CompressionCodec(PayloadCodec):
    """Compress payloads that are large enough to gain by it; decompress what was compressed.

    Reading does not depend on the algorithm, ``threshold`` or ``level``, so all may change while workflows
    run; the zlib of Temporal's Go SDK is read too. To stop compressing, raise ``threshold`` and keep the
    codec until no history holds compressed payloads.
    """

    def __init__(self, options: CompressionOptions | None = None) -> None:
        self.options = options or CompressionOptions()
        self.compressor = Compressor(self.options)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress each payload that becomes smaller by it; one output per input, in order.

        A payload that already looks like an output of this codec is wrapped once more, whatever its size, so
        that decoding gives back exactly what was encoded.

        Args:
            payloads: Not mutated. Those that are not compressed are returned as they are.

        Raises:
            PayloadTooLargeError: A payload looks like an output of this codec and is larger than
                ``max_decompressed``, so nobody could read it back.
        """
        return [await self._encode(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decompress what :meth:`encode` wrote, pass everything else through; one output per input, in order.

        Args:
            payloads: Not mutated. Those with another ``encoding``, or with metadata besides it, are returned
                as they are, so histories from before compression stay readable.

        Raises:
            DecompressionLimitError: A payload is larger than ``max_decompressed``; no more than that was
                decompressed.
            CorruptPayloadError: The bytes are damaged, cut short, or followed by others.
            MissingLibraryError: It is zstd, which is not installed.
        """
        return [await self._decode(payload) for payload in payloads]

    async def _encode(self, payload: Payload) -> Payload:
        if _compressed_layout(payload) is not None:
            return await self._wrap(payload)
        if payload.ByteSize() < self.options.threshold:
            return payload
        packed = await self.compressor.smaller(payload.SerializeToString())
        return payload if packed is None else Payload.FromString(packed)

    async def _wrap(self, payload: Payload) -> Payload:
        size, limit = payload.ByteSize(), self.options.max_decompressed
        if size > limit:
            raise PayloadTooLargeError(
                f"A payload of {size} bytes is marked {payload.metadata[ENCODING].decode()!r} before compression; it "
                f"can be told apart from a compressed one only up to {limit} bytes. Use another encoding or raise "
                "max_decompressed.",
                size=size,
                limit=limit,
            )
        return Payload.FromString(await self.compressor.wrap(payload.SerializeToString()))

    async def _decode(self, payload: Payload) -> Payload:
        layout = _compressed_layout(payload)
        return payload if layout is None else await decompressed(layout, payload, self.options.max_decompressed)


async def decompressed(layout: Layout, payload: Payload, limit: int) -> Payload:
    """Return the payload inside a compressed one; see :meth:`CompressionCodec.decode` for what raises."""
    data = payload.data
    expected = declared_size(layout, data)
    if _INFLATE_THREAD_FROM <= (len(data) if expected is None else expected) <= limit:
        plain = await asyncio.get_running_loop().run_in_executor(_threads(), inflate, layout, data, limit)
    else:
        plain = inflate(layout, data, limit)
    try:
        return Payload.FromString(plain)
    except DecodeError:
        raise CorruptPayloadError(
            f"A payload of {len(data)} bytes is marked {payload.metadata[ENCODING].decode()!r}, but holds no Payload. "
            "Find out what wrote it; a run that needs it waits until it can be decoded.",
            size=len(data),
        ) from None


def _compressed_layout(payload: Payload) -> Layout | None:
    """Return the layout if the payload is compressed; encrypted ones are none of this codec's business."""
    metadata = payload.metadata
    if len(metadata) != 1:
        return None
    encoding = metadata.get(ENCODING, b"")
    if b"/z" not in encoding and encoding != MARK_GZIP:
        return None
    layout = identify(metadata)
    return layout if layout in _COMPRESSED else None


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads that compress: as many as help on a small machine, and not those of activities."""
    return ThreadPoolExecutor(2, thread_name_prefix="trenova-codecs")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


def _require_between(name: str, value: object, *, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConfigurationError(
            f"CompressionOptions.{name} must be a whole number from {low} to {high}; got {value!r}.",
            option=name,
        )
