"""Serialized payloads made by hand, where building the message would copy its data once more.

A Payload is ``map<string, bytes> metadata = 1; bytes data = 2``. The metadata of an encrypted payload is the
same for every message under one key, so that its bytes are made once.
"""

from collections.abc import Mapping
from threading import local
from typing import Any, Final, cast

from temporalio.api.common.v1 import Payload

_KEEP: Final = 8 * 1024 * 1024
"""A larger scratch is not kept; Temporal takes no payload of more than 2 MiB without external storage."""
_LEAST: Final = 1024 * 1024
_SEVEN_BITS: Final = 127

_thread = local()


def varint(number: int) -> bytes:
    """Encode an unsigned number as Protocol Buffers do."""
    if number <= _SEVEN_BITS:
        return bytes((number,))
    if number >> 14 == 0:
        return bytes((number & _SEVEN_BITS | 128, number >> 7))
    out = bytearray()
    while number > _SEVEN_BITS:
        out.append(number & _SEVEN_BITS | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def header(metadata: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a Payload with this metadata up to where the length of ``data`` follows."""
    out = bytearray()
    for name, value in metadata.items():
        key = name.encode()
        entry = b"".join((b"\x0a", varint(len(key)), key, b"\x12", varint(len(value)), value))
        out += b"".join((b"\x0a", varint(len(entry)), entry))
    return bytes(out) + b"\x12"


CONTENT_HEADS: Final = tuple(
    header({"encoding": encoding})[:-1]
    for encoding in (b"json/plain", b"binary/null", b"binary/plain", b"json/protobuf", b"binary/protobuf")
)
"""How the serialized payloads of Temporal's own converters begin. Whatever begins so is content: an encoding is
there once, and looking at serialized bytes takes a third of the time of asking the message for its metadata."""


def parsed(serialized: memoryview) -> Payload:
    """Parse a payload out of any buffer, which spares a copy; the type stubs allow ``bytes`` alone."""
    return Payload.FromString(cast("Any", serialized))


def scratch(size: int) -> memoryview:
    """Return writable memory of this thread, at least ``size`` bytes, whose content nobody relies on.

    Reusing it spares the page faults of a fresh allocation, which cost more than the encryption does. It is
    only used between two points at which a thread cannot be asked for it again.
    """
    held: memoryview | None = getattr(_thread, "held", None)
    if held is None or len(held) < size:
        held = memoryview(bytearray(max(size, _LEAST)))
        if size <= _KEEP:
            _thread.held = held
    return held
