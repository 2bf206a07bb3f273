"""Decoding and encoding of whole documents, in place, with what could not be decoded set aside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.converter import PayloadCodec

from trenova_codecs._payload_document import Document
from trenova_codecs._payload_places import Place, places
from trenova_errors import ApplicationError, InvalidInputError


@dataclass(frozen=True)
class Undecoded:
    """A payload that stayed as it was, and why."""

    path: str
    code: str
    reason: str


def all_places(document: Document) -> list[Place]:
    """Return every payload of a document."""
    return [place for name, part in document.parts.items() for place in places(part, name)]


async def decode_document(document: Document, codec: PayloadCodec) -> Sequence[Undecoded]:
    """Decode every payload in place, and give failures their message and stack trace back.

    Returns:
        Those that could not be decoded; they stay as they were.
    """
    undecoded = []
    for place in all_places(document):
        try:
            (decoded,) = await codec.decode([place.payload])
        except ApplicationError as error:
            undecoded.append(Undecoded(place.path, error.code, error.message))
            continue
        if place.failure is None or not _restored(place.failure, decoded):
            place.payload.CopyFrom(decoded)
    return undecoded


async def encode_document(document: Document, codec: PayloadCodec) -> None:
    """Encode a payload or payloads in place.

    Raises:
        InvalidInputError: It is a history, of which nobody could do anything with an encoded copy.
        CodecError: There is no key to encode with.
    """
    for part in document.parts.values():
        for payload in _payloads(part):
            (encoded,) = await codec.encode([payload])
            payload.CopyFrom(encoded)


def _payloads(part: Message) -> Sequence[Payload]:
    if isinstance(part, Payload):
        return [part]
    if isinstance(part, Payloads):
        return part.payloads
    raise InvalidInputError("Only a payload or payloads can be encoded; the input is a history. Give what it is to be.")


def _restored(failure: Failure, decoded: Payload) -> bool:
    """Put a failure's own message and stack trace where "Encoded failure" stands, as the SDKs do."""
    try:
        common = json.loads(decoded.data)
        failure.message, failure.stack_trace = str(common["message"]), str(common.get("stack_trace", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    failure.ClearField("encoded_attributes")
    return True
