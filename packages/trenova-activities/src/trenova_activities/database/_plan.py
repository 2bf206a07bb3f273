"""A plan of a nightly run: what it would change, by tenant and day, and a hash over all of it.

The hash is SHA-256, hexadecimal, over the UTF-8 of lines, each a JSON array without spaces (non-ASCII escaped) and
ended by a line feed; tenants and organizations stand in the order of their ids' code points, days in that of time::

    ["trenova-plan/1", job type, as of, [organizations asked for]]
    ["tenant", organization, business unit, setting, cut-off, reason, rows, held rows]
    ["day", "2024-02-29", rows]                       after its tenant, one for each day that has rows
    ["total", rows]
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from trenova_activities.database._tenant import Tenant

_FORMAT: Final = "trenova-plan/1"
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class PlannedTenant:
    """One tenant of a plan.

    Attributes:
        tenant: Whose rows.
        setting: The setting as found, as text.
        cutoff: Unix seconds, as the job's rule means it; None if the tenant is left alone.
        reason: Why it is left alone; None if it is not.
        days: Rows by day in UTC, counted from 1970-01-01; only days that have any, in order.
        held_rows: Rows that are old enough and that a legal hold keeps.
    """

    tenant: Tenant
    setting: str | None
    cutoff: int | None
    reason: str | None
    days: Sequence[tuple[int, int]] = ()
    held_rows: int = 0

    @property
    def rows(self) -> int:
        """Rows over all days."""
        return sum(rows for _, rows in self.days)

    @property
    def _order(self) -> tuple[str, str]:
        return self.tenant.organization_id, self.tenant.business_unit_id


@dataclass(frozen=True)
class Plan:
    """What a run would change.

    Attributes:
        job_type: E.g. ``delete_audit_entries``.
        as_of: The database's clock when it was counted, unix seconds.
        organization_ids: Those that were asked for, sorted; every one that wants the job if empty.
        tenants: In any order.
    """

    job_type: str
    as_of: int
    organization_ids: Sequence[str]
    tenants: Sequence[PlannedTenant]

    @property
    def total(self) -> int:
        """Rows over all tenants."""
        return sum(tenant.rows for tenant in self.tenants)

    def in_order(self) -> list[PlannedTenant]:
        """Return the tenants in the order of their ids."""
        return sorted(self.tenants, key=lambda one: one._order)  # noqa: SLF001 - its own module

    def hash(self) -> str:
        """Return the plan's fingerprint: the same for the same plan, wherever it is computed."""
        hashed = hashlib.sha256()
        for line in self._lines():
            hashed.update(f"{json.dumps(line, separators=(',', ':'))}\n".encode())
        return hashed.hexdigest()

    def _lines(self) -> Iterator[list[Any]]:
        yield [_FORMAT, self.job_type, self.as_of, sorted(self.organization_ids)]
        for one in self.in_order():
            yield ["tenant", *one._order, one.setting, one.cutoff, one.reason, one.rows, one.held_rows]  # noqa: SLF001
            for day, rows in one.days:
                yield ["day", day_name(day), rows]
        yield ["total", self.total]


def day_name(day: int) -> str:
    """Return the date of a day that is counted from 1970-01-01, as ISO 8601."""
    return (_EPOCH + timedelta(days=day)).isoformat()
