"""What ``inspect``, ``encode`` and ``decode`` read and print: a payload, payloads, a history, or a live run."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from trenova_codecs._formats import OURS
from trenova_codecs._payload_json import require_bytes, require_known
from trenova_errors import InvalidInputError

_PAYLOAD_FIELDS: Final = {"metadata", "data", "externalPayloads"}
_NONE: Final = "no payload, no payloads and no history in Temporal's JSON"
_GIVE: Final = (
    'Give {"metadata": ..., "data": ...}, {"payloads": [...]}, or what `temporal workflow show -o json` prints.'
)
_JSON: Final = (b"json/plain", b"json/protobuf")


@dataclass(frozen=True)
class Document:
    """Messages of Temporal's API by name; the name of a lone one is empty."""

    parts: Mapping[str, Message]

    def to_json(self, *, readable: bool) -> str:
        """Return JSON: the protocol's own, or one in which payloads of JSON stand as what they hold.

        A payload that is still encoded is in the protocol's own JSON either way, and so is a list of nothing else, so
        that what was not decoded can be read again.
        """
        printed = {name: json_format.MessageToDict(part) for name, part in self.parts.items()}
        content: Any = printed.get("", printed)
        return json.dumps(_readable(content) if readable else content, indent=2, ensure_ascii=False)


def read_document(text: str) -> Document:
    """Read protocol JSON: of a Payload, of Payloads, or of a history as ``temporal workflow show -o json`` prints it.

    Raises:
        InvalidInputError: It is none of them, or bytes in it are no base64. The message does not quote it, but for
            the names of fields.
    """
    try:
        content = _object(text)
        if "events" in content:
            require_bytes(content, History.DESCRIPTOR)
            return Document({"": History(events=WorkflowHistory.from_json("", content).events)})
        kind = Payloads if "payloads" in content else Payload
        _require_payloads(content)
        require_bytes(content, kind.DESCRIPTOR)
        return Document({"": json_format.ParseDict(content, kind())})
    except (ValueError, TypeError, AttributeError, RecursionError, json_format.ParseError) as error:
        raise InvalidInputError(f"The input is {_NONE} ({type(error).__name__}). {_GIVE}") from None


def _object(text: str) -> dict[str, Any]:
    if not text.strip():
        raise InvalidInputError(f"The input is empty. {_GIVE}")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError(f"The input is {_NONE}: it is no JSON from {at} on. {_GIVE}") from None
    if not isinstance(content, dict):
        raise InvalidInputError(f"The input is {_NONE}: it is JSON of type {type(content).__name__}. {_GIVE}")
    if not content:
        raise InvalidInputError(f"The input is {_NONE}: it is an object without fields. {_GIVE}")
    return content


def _require_payloads(content: dict[str, Any]) -> None:
    if "payloads" not in content:
        require_known(content, Payload.DESCRIPTOR, "payload")
        return
    require_known(content, Payloads.DESCRIPTOR, "list of payloads")
    for number, one in enumerate(content["payloads"] or ()):
        if isinstance(one, dict):
            require_known(one, Payload.DESCRIPTOR, "payload", f"payloads[{number}]")


def value_document(text: str) -> Document:
    """Make a payload of any JSON value, as Temporal's default converters do.

    Raises:
        InvalidInputError: It is no JSON.
    """
    try:
        data = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidInputError("The input is no JSON value. Quote strings, or leave --value out.") from None
    return Document({"": Payload(metadata={"encoding": b"json/plain"}, data=data)})


def _readable(node: Any) -> Any:
    if isinstance(node, list):
        return [_readable(one) for one in node]
    if not isinstance(node, dict):
        return node
    if _is_payload(node):
        return node if _is_encoded(node) else _content(node)
    if node.keys() == {"payloads"}:
        return node if all(map(_is_encoded, node["payloads"])) else _readable(node["payloads"])
    return {name: _readable(value) for name, value in node.items()}


def _is_payload(node: Mapping[str, Any]) -> bool:
    return "encoding" in (node.get("metadata") or {}) and not node.keys() - _PAYLOAD_FIELDS


def _is_encoded(node: Mapping[str, Any]) -> bool:
    return _is_payload(node) and base64.b64decode(node["metadata"]["encoding"]) in OURS


def _content(node: Mapping[str, Any]) -> Any:
    """Return what a payload holds if that is JSON or nothing; otherwise its metadata as text and its data."""
    metadata = {name: base64.b64decode(value) for name, value in node["metadata"].items()}
    if metadata["encoding"] == b"binary/null":
        return None
    if metadata["encoding"] in _JSON:
        try:
            return json.loads(base64.b64decode(node.get("data", "")))
        except (ValueError, RecursionError):
            pass  # it says that it is JSON, and is not
    texts = {name: value.decode(errors="replace") for name, value in metadata.items()}
    return {"metadata": texts, "data": node.get("data", "")}
