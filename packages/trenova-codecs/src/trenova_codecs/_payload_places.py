"""Every payload of a message of Temporal's API, by where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.failure.v1 import Failure

_NEVER_ENCODED: Final = (SearchAttributes,)


@dataclass(frozen=True)
class Place:
    """A payload inside a message, which may be exchanged there.

    Attributes:
        path: Where, as in ``events[3].activityTaskCompletedEventAttributes.result.payloads[0]``.
        payload: The payload itself, not a copy.
        failure: The failure whose message and stack trace it holds, if it does.
    """

    path: str
    payload: Payload
    failure: Failure | None = None


def places(message: Message, path: str = "") -> Iterator[Place]:
    """Walk all payloads of a message but search attributes, which are never encoded."""
    if isinstance(message, Payload):
        yield Place(path or "payload", message)
        return
    if isinstance(message, _NEVER_ENCODED):
        return
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        for step, inner in _inner(field, value):
            at = f"{path}.{field.json_name}{step}" if path else f"{field.json_name}{step}"
            if isinstance(message, Failure) and field.name == "encoded_attributes":
                yield Place(at, inner, message)
            else:
                yield from places(inner, at)


def _inner(field: FieldDescriptor, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Message):
        yield "", value
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        if field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_MESSAGE:
            for name in sorted(value, key=str):
                yield f"[{name!r}]", value[name]
    else:
        yield from ((f"[{number}]", one) for number, one in enumerate(value))
