"""What an entry of the audit trail changed, field by field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trenova_schedules.store import AuditEntry

_NOT_THEIRS: Final = frozenset(
    {"etag", "revision", "nextFires", "recentRuns", "running", "counts", "updatedAt", "createdAt", "unreadable"}
)
"""What changes by itself."""
_LONGEST: Final = 300


@dataclass(frozen=True)
class FieldChange:
    """One field before and after; empty where there was nothing.

    Attributes:
        name: As on the wire.
        before: Its value as JSON, cut where it is long.
        after: Likewise.
    """

    name: str
    before: str
    after: str


def changes_of(entry: AuditEntry) -> list[FieldChange]:
    """Return what is another one afterwards; nothing for a run by hand, or where nobody knows."""
    if entry.outcome != "done" or entry.before is None or entry.after is None:
        return []
    return differences(entry.before, entry.after)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """Return the fields that differ and that somebody sets, by name."""
    names = (before.keys() | after.keys()) - _NOT_THEIRS
    changes = [
        FieldChange(name, _text(before, name), _text(after, name))
        for name in sorted(names)
        if before.get(name) != after.get(name)
    ]
    return [one for one in changes if one.before or one.after]


def problem_of(entry: AuditEntry) -> str:
    """Return why it was refused or failed, in the words of whoever asked then."""
    return str((entry.after or {}).get("problem", "")) if entry.outcome != "done" else ""


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if value in (None, "", [], {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
