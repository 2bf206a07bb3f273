"""Entries of the TMS's audit log, as a job writes them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._alike_rows import insert_alike, takes_alike
from trenova_activities.database._ids import new_id
from trenova_activities.database._rows import insertable
from trenova_activities.database._tenant import Tenant

_CORRELATION_LENGTH = 100  # characters of audit_entries.correlation_id


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done to one record.

    Attributes:
        resource: What kind of record, e.g. ``shipment``.
        resource_id: Which one.
        operation: What was done, e.g. ``duplicate``.
        user_id: Who asked for it; None for the system itself.
        correlation_id: The workflow id; cut to what the column holds.
        comment: One sentence for the reader of the log.
        current_state: The record as it is now, in the TMS's camelCase.
        previous_state: What of it was otherwise before.
        metadata: What else helps to understand the entry.
    """

    resource: str
    resource_id: str
    operation: str
    user_id: str | None
    correlation_id: str
    comment: str
    current_state: dict[str, Any] = field(default_factory=dict)
    previous_state: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


AUDIT_COLUMNS = frozenset(
    {
        *("id", "organization_id", "business_unit_id", "user_id", "resource", "resource_id", "operation"),
        *("timestamp", "changes", "previous_state", "current_state", "metadata", "correlation_id", "comment"),
        *(
            "sensitive_data",
            "critical",
            "principal_type",
            "principal_id",
            "category",
            "created_at",
            "updated_at",
        ),
    }
)
"""What :func:`write_audit` fills where the log has it; a log that needs more cannot be written by a job."""


async def write_audit(
    connection: AsyncConnection, table: Table, tenant: Tenant, entries: Iterable[AuditEntry], *, at: int
) -> None:
    """Append entries in the caller's transaction; ``at`` is unix seconds."""
    written = list(entries)
    if not written:
        return
    first = insertable(table, _row(tenant, written[0], at))
    if len({_common(entry) for entry in written}) == 1 and takes_alike(connection, table, list(first)):
        same = {name: value for name, value in first.items() if name not in _OF_EACH}
        each = {name: texts_of(written) for name, texts_of in _OF_EACH.items() if name in first}
        await insert_alike(connection, table, same, each)
        return
    await connection.execute(insert(table), [insertable(table, _row(tenant, entry, at)) for entry in written])


def _common(entry: AuditEntry) -> tuple[str | None, ...]:
    """What the entries of one batch of a job have in common, beside tenant and time."""
    return entry.resource, entry.operation, entry.user_id, entry.correlation_id, entry.comment


_OF_EACH: Final[Mapping[str, Callable[[Sequence[AuditEntry]], list[str]]]] = {
    "id": lambda entries: [new_id("ae") for _ in entries],
    "resource_id": lambda entries: [entry.resource_id for entry in entries],
    "previous_state": lambda entries: [_json(entry.previous_state) for entry in entries],
    "current_state": lambda entries: [_json(entry.current_state) for entry in entries],
    "metadata": lambda entries: [_json(entry.metadata) for entry in entries],
}
"""The columns in which such entries differ, as text."""


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def _json(state: Mapping[str, Any]) -> str:
    return _ENCODER.encode(state)


def _row(tenant: Tenant, entry: AuditEntry, at: int) -> dict[str, Any]:
    return {
        **tenant.values,
        "id": new_id("ae"),
        "user_id": entry.user_id,
        "principal_type": "system" if entry.user_id is None else "session_user",
        "principal_id": entry.user_id or "system",
        "resource": entry.resource,
        "resource_id": entry.resource_id,
        "operation": entry.operation,
        "timestamp": at,
        "changes": {},
        "previous_state": entry.previous_state,
        "current_state": entry.current_state,
        "metadata": entry.metadata,
        "correlation_id": entry.correlation_id[:_CORRELATION_LENGTH],
        "comment": entry.comment,
        "category": entry.resource,
        "sensitive_data": False,
        "critical": False,
        "created_at": at,
        "updated_at": at,
    }
