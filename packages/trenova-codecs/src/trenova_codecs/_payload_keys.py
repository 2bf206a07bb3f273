"""Which keys the payloads of a history, a schedule or any other message of Temporal's API need."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from temporalio.api.common.v1 import Payload, SearchAttributes

from trenova_codecs._errors import CodecError
from trenova_codecs._formats import COMPRESSED, ENCODING, ENCRYPTED, KEY_ID, identify
from trenova_codecs._inflating import inflate

PLAIN: Final = ""
"""Stands for payloads that are not encrypted; no key id is empty."""

_LIMIT: Final = 16 * 1024 * 1024
_LAYERS: Final = 4
_NEVER_ENCODED: Final = (SearchAttributes,)


def keys_of(message: Message) -> set[str]:
    """Return the ids of all keys that the payloads in a message need, and :data:`PLAIN` where some need none.

    Search attributes are left out: they are never encoded.
    """
    return {key for payload in payloads_of(message) if (key := key_of(payload)) is not None}


def payloads_of(message: Message) -> Iterator[Payload]:
    """Walk all payloads of a message, wherever they are."""
    if isinstance(message, Payload):
        yield message
        return
    if isinstance(message, _NEVER_ENCODED):
        return
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in _messages(field, value):
                yield from payloads_of(inner)


def key_of(payload: Payload) -> str | None:
    """Return the id of the key that a payload needs, :data:`PLAIN` for none, and None for one without content.

    What was compressed after it was encrypted is looked into, because the replaced system did that.
    """
    for _ in range(_LAYERS):
        encoding = payload.metadata.get(ENCODING, b"")
        if encoding in ENCRYPTED:
            return payload.metadata.get(KEY_ID, b"").decode(errors="replace") or PLAIN
        inner = _inflated(payload) if encoding in COMPRESSED else None
        if inner is None:
            break
        payload = inner
    return PLAIN if payload.metadata or payload.data else None


def _inflated(payload: Payload) -> Payload | None:
    try:
        return Payload.FromString(inflate(identify(payload.metadata), payload.data, _LIMIT))
    except (CodecError, DecodeError, KeyError):
        return None  # another program's content: it names no key


def _messages(field: FieldDescriptor, value: object) -> Iterator[Message]:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        if entry.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
            yield from value.values()  # type: ignore[attr-defined] # a map of messages
    elif isinstance(value, Message):
        yield value
    else:
        yield from value  # type: ignore[misc] # a repeated field
