"""Payloads as plain JSON values, so that two which were encrypted at different times compare equal."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from trenova_errors import ApplicationError, UnavailableError

Json: TypeAlias = Any
"""What ``json.loads`` returns."""

_JSON: Final = frozenset({b"json/plain", b"json/protobuf"})
_NULL: Final = b"binary/null"


async def plain_values(converter: DataConverter, payloads: Sequence[Payload]) -> list[Json]:
    """Return what the payloads hold, decrypted and uncompressed; of one that is not JSON, its encoding and digest.

    Raises:
        ApplicationError: The payload codec cannot decode them, as where a key is missing.
    """
    if not payloads:
        return []
    try:
        raw = await converter.decode(payloads, [RawValue] * len(payloads))
        return [_plain(value.payload) for value in raw]
    except ApplicationError:
        raise
    except Exception as error:  # a codec may raise anything; its text may hold anything
        raise UnavailableError(
            f"A payload cannot be decoded here ({type(error).__name__}); give this client the workers' codec and keys."
        ) from error


async def plain_fields(converter: DataConverter, fields: Mapping[str, Payload]) -> dict[str, Json]:
    """Return the same for a memo, sorted by name."""
    names = sorted(fields)
    values = await plain_values(converter, [fields[name] for name in names])
    return dict(zip(names, values, strict=True))


def clear_fields(fields: Mapping[str, Payload]) -> dict[str, Json]:
    """Return the same for search attributes, which are never encrypted and which a strict codec would refuse."""
    return {name: _plain(fields[name]) for name in sorted(fields)}


def digest_of(value: Json) -> str:
    """Return SHA-256 over the canonical JSON of a value, hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def canonical(value: Json) -> str:
    """Return the one JSON text of a value: names sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(payload: Payload) -> Json:
    encoding = payload.metadata.get("encoding", b"")
    if encoding == _NULL:
        return None
    if encoding in _JSON:
        return json.loads(payload.data)
    return {"encoding": encoding.decode(errors="replace"), "sha256": hashlib.sha256(payload.data).hexdigest()}
