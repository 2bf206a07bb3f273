"""The memo ``trenova.applied``: what was last applied, kept where the schedule is, so that it cannot be lost apart.

Wire contract of version 1, a JSON text that passes the data converter and so may be encrypted::

    {"v": 1, "hash": "<SHA-256 of the canonical JSON of fields>", "fields": {...}}

Every run of the schedule carries it, so arguments, memo and details are there as ``{"sha256": ...}`` only.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._reconciling._plain import Json, canonical, digest_of

_DIGESTED: Final = frozenset({"args", "runMemo", "runDetails"})
_VERSION: Final = 1


def kept_fields(definition: ScheduleDefinition) -> dict[str, Json]:
    """Return the fields of a definition that the server has no place for; the record is where they are read."""
    return {
        "description": definition.description,
        "labels": dict(definition.labels),
        "runbook": definition.runbook,
        "slo": definition.slo.model_dump(mode="json", by_alias=True),
        "backfill": definition.backfill.value,
    }


def as_recorded(name: str, value: Json) -> Json:
    """Return a field as the record has it."""
    return {"sha256": digest_of(value)} if name in _DIGESTED else value


def record_text(fields: Mapping[str, Json]) -> str:
    """Return the text of the memo for fields :func:`as_recorded`."""
    return canonical({"v": _VERSION, "hash": digest_of(dict(fields)), "fields": dict(fields)})


def recorded_fields(text: Any) -> dict[str, Json] | None:
    """Return the fields in such a text; None for nothing, for a damaged one and for a version that is not ours.

    A damaged record is as good as none: the schedule is then taken over like one that never had a record.
    """
    try:
        record = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("v") != _VERSION or not isinstance(record.get("fields"), dict):
        return None
    fields: dict[str, Json] = record["fields"]
    return fields if record.get("hash") == digest_of(fields) else None
