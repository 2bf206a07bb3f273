"""Temporal's JSON looked at before protobuf reads it, which skips what it does not know and drops what is no base64."""

import re
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from trenova_errors import InvalidInputError

_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/_=-]|=(?!=?$)")
"""A character that base64, standard or URL-safe, has not there."""
_SHOWN: Final = 60


def require_bytes(node: Any, descriptor: Descriptor, path: str = "") -> None:
    """Refuse text where bytes belong that is no base64, anywhere below a message's JSON.

    Args:
        node: The JSON.
        descriptor: The message that it is to become.
        path: Where it stands.

    Raises:
        InvalidInputError: It names the first such field and the place in it, not what it holds.
    """
    if not isinstance(node, dict):
        return  # what is no message is refused by who reads it
    for field, value in _fields(node, descriptor):
        name = f"{path}.{field.json_name}" if path else field.json_name
        for at, inner in _values(field, value):
            step = f"{name}{at}"
            kind = _kind(field)
            if kind.type == FieldDescriptor.TYPE_BYTES:
                _require_base64(inner, step)
            elif kind.message_type is not None:
                require_bytes(inner, kind.message_type, step)


def require_known(node: dict[str, Any], descriptor: Descriptor, what: str, path: str = "") -> None:
    """Refuse an object that has fields which the message has not, or none at all.

    Raises:
        InvalidInputError: It names those fields, not what they hold.
    """
    known = sorted({field.json_name for field in descriptor.fields})
    names = {name for field in descriptor.fields for name in (field.json_name, field.name)}
    unknown = [name for name in node if name not in names]
    where = f"{path} is" if path else "The input is"
    if unknown:
        told = ", ".join(repr(name[:_SHOWN]) for name in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""  # noqa: PLR2004 - as many as are told
        raise InvalidInputError(
            f"{where} no {what}: it has the fields {told}{more}, and a {what} has {', '.join(known)}. A JSON value of "
            "your own is encoded by 'encode --value'."
        )


def _fields(node: dict[str, Any], descriptor: Descriptor) -> Iterator[tuple[FieldDescriptor, Any]]:
    for field in descriptor.fields:
        for name in {field.json_name, field.name}:
            if node.get(name) is not None:
                yield field, node[name]


def _values(field: FieldDescriptor, value: Any) -> Iterator[tuple[str, Any]]:
    if _is_map(field):
        yield from ((f"[{name!r}]", one) for name, one in value.items()) if isinstance(value, dict) else ()
    elif field.is_repeated:
        yield from ((f"[{number}]", one) for number, one in enumerate(value)) if isinstance(value, list) else ()
    else:
        yield "", value


def _kind(field: FieldDescriptor) -> FieldDescriptor:
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and _is_map(field) else field


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _require_base64(text: Any, path: str) -> None:
    if not isinstance(text, str):
        raise InvalidInputError(f"{path} is {type(text).__name__}, not text in base64. Give Temporal's own JSON.")
    bad = _NO_BASE64.search(text)
    unpadded = text.rstrip("=")
    if bad is None and len(unpadded) % 4 != 1 and (unpadded == text or len(text) % 4 == 0):
        return
    place = f"its character {bad.start() + 1} is none of base64" if bad else f"it is cut, at {len(text)} characters"
    raise InvalidInputError(f"{path} is no base64: {place}. Give Temporal's own JSON, in which bytes are base64.")
