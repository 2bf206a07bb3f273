"""gzip over whole payloads.

Wire format, shared with the ``external_storage`` sample of Temporal's Python samples; change it only under a
new ``encoding``::

    metadata["encoding"]  b"binary/gzip"; there is no other metadata
    data                  one gzip member (RFC 1952, mtime 0) over the serialized inner Payload

The inner Payload is kept whole, so its own metadata comes back as it was.
"""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from trenova_codecs._errors import CorruptPayloadError, DecompressionLimitError
from trenova_errors import ConfigurationError, PayloadTooLargeError

GZIP_ENCODING: Final = "binary/gzip"
"""Value of ``metadata["encoding"]`` of everything that :class:`CompressionCodec` writes."""

_MARK: Final = GZIP_ENCODING.encode()
_GZIP_WBITS: Final = 31
"""zlib's number for "gzip header and trailer, 32 KiB window"."""
_TRAILER_SIZE_FIELD: Final = 4
"""A gzip member ends in the size of its content, modulo 2**32, little-endian (RFC 1952, 2.3.1)."""
_THREAD_FROM: Final = 256 * 1024
"""Payloads of this many bytes take a few milliseconds; a thread costs 0.2 ms and zlib releases the GIL."""


@dataclass(frozen=True, kw_only=True)
class CompressionOptions:
    """What to compress, how hard, and how much to accept.

    Attributes:
        threshold: Payloads whose serialized size is below this many bytes are left alone. Below about 512
            bytes gzip does not pay.
        level: 1 (fastest) to 9 (smallest). On JSON of 256 KiB level 6 takes 2.5 times as long as level 1 and
            saves a fifth more.
        max_decompressed: Most bytes that one payload may have once decompressed. Larger ones are not
            compressed when they are written, and are refused when they are read.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    threshold: int = 1024
    level: int = 1
    max_decompressed: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        _require_between("threshold", self.threshold, low=0, high=2**31)
        _require_between("level", self.level, low=1, high=9)
        _require_between("max_decompressed", self.max_decompressed, low=1, high=2**31)


class CompressionCodec(PayloadCodec):
    """Compress payloads that are large enough to gain by it; decompress what was compressed.

    Reading does not depend on ``threshold`` or ``level``, so both may change while workflows run. To stop
    compressing, raise ``threshold`` and keep the codec until no history holds compressed payloads.
    """

    def __init__(self, options: CompressionOptions | None = None) -> None:
        self._options = options or CompressionOptions()

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
        return [await self._compress(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decompress what :meth:`encode` wrote, pass everything else through; one output per input, in order.

        Args:
            payloads: Not mutated. Those with another ``encoding``, or with metadata besides it, are returned
                as they are, so histories from before compression stay readable.

        Raises:
            DecompressionLimitError: A payload is larger than ``max_decompressed``; it was not decompressed.
            CorruptPayloadError: The bytes are damaged, cut short, or followed by others.
        """
        return [await self._decompress(payload) for payload in payloads]

    async def _compress(self, payload: Payload) -> Payload:
        size, limit = payload.ByteSize(), self._options.max_decompressed
        ambiguous = _is_compressed(payload)
        if ambiguous and size > limit:
            raise PayloadTooLargeError(
                f"A payload of {size} bytes is marked {GZIP_ENCODING!r} before compression; it can be "
                f"told apart from a compressed one only up to {limit} bytes. Use another encoding or raise "
                "max_decompressed.",
                size=size,
                limit=limit,
            )
        if not ambiguous and not self._options.threshold <= size <= limit:
            return payload
        plain = payload.SerializeToString()
        if size >= _THREAD_FROM:
            data = await asyncio.to_thread(_deflate, plain, self._options.level)
        else:
            data = _deflate(plain, self._options.level)
        packed = Payload(metadata={"encoding": _MARK}, data=data)
        return packed if ambiguous or packed.ByteSize() < size else payload

    async def _decompress(self, payload: Payload) -> Payload:
        if not _is_compressed(payload):
            return payload
        data = payload.data
        declared = int.from_bytes(data[-_TRAILER_SIZE_FIELD:], "little")
        limit = self._options.max_decompressed
        if declared > limit:
            raise DecompressionLimitError(
                f"A payload of {len(data)} bytes declares {declared} bytes once decompressed; this process "
                f"accepts {limit}. Raise max_decompressed if the payload is genuine.",
                size=declared,
                limit=limit,
            )
        if declared >= _THREAD_FROM:
            plain = await asyncio.to_thread(_inflate, data, declared)
        else:
            plain = _inflate(data, declared)
        try:
            return Payload.FromString(plain)
        except DecodeError as error:
            raise _corrupt(data, "holds no Payload") from error


def _is_compressed(payload: Payload) -> bool:
    return len(payload.metadata) == 1 and payload.metadata.get("encoding") == _MARK


def _deflate(plain: bytes, level: int) -> bytes:
    return zlib.compress(plain, level, wbits=_GZIP_WBITS)


def _inflate(data: bytes, declared: int) -> bytes:
    """Decompress one gzip member without ever holding more than the bytes that it declares, and one."""
    stream = zlib.decompressobj(wbits=_GZIP_WBITS)
    try:
        plain = stream.decompress(data, declared + 1)
    except zlib.error as error:
        raise _corrupt(data, "is not gzip") from error
    if not stream.eof:
        raise _corrupt(data, "is cut short or declares fewer bytes than it holds")
    if stream.unused_data:
        raise _corrupt(data, "is followed by other bytes")
    return plain


def _corrupt(data: bytes, what: str) -> CorruptPayloadError:
    return CorruptPayloadError(
        f"A payload of {len(data)} bytes is marked {GZIP_ENCODING!r}, but {what}. "
        "Find out what wrote it; a run that needs it waits until it can be decoded.",
        size=len(data),
    )


def _require_between(name: str, value: object, *, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConfigurationError(
            f"CompressionOptions.{name} must be a whole number from {low} to {high}; got {value!r}.",
            option=name,
        )
