"""Payloads as Temporal's remote codecs exchange them: proto3 JSON of ``temporal.api.common.v1.Payloads``."""

import asyncio
import json
from collections.abc import Callable
from typing import Final, TypeVar

from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from trenova_errors import InvalidInputError

_THREAD_FROM: Final = 128 * 1024
"""Bytes; JSON of this size holds the event loop for about a millisecond."""

Result = TypeVar("Result")


async def read_payloads(body: bytes) -> list[Payload]:
    """Parse a request.

    Raises:
        InvalidInputError: It is not the JSON of a Payloads message. The message does not quote it.
    """
    return await _aside(len(body), lambda: _parse(body))


async def write_payloads(payloads: list[Payload]) -> bytes:
    """Return the JSON of an answer."""
    size = sum(payload.ByteSize() for payload in payloads)
    return await _aside(size, lambda: _print(payloads))


async def _aside(size: int, work: Callable[[], Result]) -> Result:
    return await asyncio.to_thread(work) if size >= _THREAD_FROM else work()


def _parse(body: bytes) -> list[Payload]:
    try:
        # What is no object has no items, and is refused with all else that is no Payloads. What protobuf does not know
        # it skips, so that any other object would have no payloads.
        document = dict(json.loads(body).items())
        document = document and {**document, "payloads": document["payloads"]}
        return list(json_format.ParseDict(document, Payloads(), ignore_unknown_fields=True).payloads)
    except (json_format.ParseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInputError(
            "The request's body is not the JSON of payloads. Send "
            '{"payloads": [{"metadata": {"encoding": "<base64>"}, "data": "<base64>"}]}.',
            reason="not_payloads",
        ) from None


def _print(payloads: list[Payload]) -> bytes:
    document = json_format.MessageToDict(Payloads(payloads=payloads))
    document.setdefault("payloads", [])
    return json.dumps(document, separators=(",", ":")).encode()
