"""Organizations and audit entries made to order, and the job's activity called as the workflow calls it."""

import dataclasses
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from temporalio.testing import ActivityEnvironment

from trenova_activities import DeleteAuditEntriesPayload, DeleteAuditEntriesProgress, RunState
from trenova_activities.database import (
    Catalog,
    Database,
    DatabaseOptions,
    PlanOptions,
    RetentionActivities,
    Tenant,
    allow_retention,
    database_clock,
)
from trenova_activities.database._nightly import Budget
from trenova_activities.database._rows import insertable

DAY = 86_400
TABLES = ("business_units", "organizations", "data_retention", "audit_entries", "notifications")
_MANY = 500  # rows of one INSERT
_names = itertools.count(1)

Key = tuple[str, str]
"""Organization and business unit."""


@dataclass
class AuditLog:
    """A database with a clock that a test sets (None for the database's own), and when the workflow asks."""

    database: Database
    catalog: Catalog
    now: int | None = None
    asked_at: int | None = None
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    plans: PlanOptions | None = None

    async def clock(self, connection: Any) -> int:
        return await database_clock(connection) if self.now is None else self.now

    async def time(self) -> int:
        async with self.database.read() as connection:
            return await self.clock(connection)

    async def execute(self, *statements: str) -> None:
        async with self.database.write() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    async def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        found = self.catalog[table]
        async with self.database.write() as connection:
            for start in range(0, len(rows), _MANY):
                part = [insertable(found, row) for row in rows[start : start + _MANY]]
                await connection.execute(insert(found), part)

    async def organization(self, period: Any = 30, *, units: int = 1, has_row: bool = True) -> list[Tenant]:
        """Make an organization, with entries possible in several business units, the first of them its own."""
        name = f"r{next(_names):05}"
        made = [Tenant(f"org_{name}", f"bu_{name}_{unit}") for unit in range(units)]
        await self.insert(
            "business_units",
            [{"id": one.business_unit_id, "name": "B", "code": one.business_unit_id[3:]} for one in made],
        )
        about = {"name": "O", "scac_code": "TEST", "timezone": "UTC", "id": made[0].organization_id}
        await self.insert("organizations", [{**about, "business_unit_id": made[0].business_unit_id}])
        if has_row:
            row = {"id": f"dr_{name}", **made[0].values, "audit_retention_period": period}
            await self.insert("data_retention", [row])
        return made

    async def set_period(self, tenant: Tenant, period: Any) -> None:
        table = self.catalog["data_retention"]
        async with self.database.write() as connection:
            await connection.execute(update(table).where(tenant.owns(table)).values(audit_retention_period=period))

    async def entries(self, tenant: Tenant, times: Iterable[int], *, resource_id: str = "shp_1") -> list[str]:
        """Write one entry per time."""
        made = [
            {
                "id": f"ae_{next(_names):09}",
                **tenant.values,
                "principal_type": "system",
                "principal_id": "system",
                "resource": "shipment",
                "resource_id": resource_id,
                "operation": "update",
                "timestamp": at,
            }
            for at in times
        ]
        if made:
            await self.insert("audit_entries", made)
        return [row["id"] for row in made]

    async def held(self, tenant: Tenant, **columns: Any) -> None:
        row = {"id": f"hold_{next(_names)}", **tenant.values, "from_at": 0, "reason": "lawsuit", "created_at": 1}
        async with self.database.write() as connection:
            await connection.execute(insert(self.database.jobs.legal_holds).values(**(row | columns)))

    async def rows(self) -> dict[str, Row[Any]]:
        table = self.catalog["audit_entries"]
        async with self.database.read() as connection:
            return {row.id: row for row in await connection.execute(select(table))}

    async def counts(self) -> Counter[Key]:
        table = self.catalog["audit_entries"]
        keys = (table.c.organization_id, table.c.business_unit_id)
        async with self.database.read() as connection:
            rows = await connection.execute(select(*keys, func.count()).group_by(*keys))
            return Counter({(row[0], row[1]): row[2] for row in rows})

    async def own(self, name: str) -> list[Row[Any]]:
        table = getattr(self.database.jobs, name)
        async with self.database.read() as connection:
            return list(await connection.execute(select(table).order_by(*table.primary_key.columns)))

    async def call(
        self, *, run_id: str = "run", budget: Budget | None = None, failed: bool = False, **asked: Any
    ) -> DeleteAuditEntriesProgress:
        """Call the activity once."""
        state = RunState(run_id=run_id, workflow_time=self.asked_at or await self.time(), failed=failed)
        environment = ActivityEnvironment()
        moment = datetime(2001, 1, 1, tzinfo=UTC)
        environment.info = dataclasses.replace(
            ActivityEnvironment.default_info(),
            workflow_id=f"delete-audit-entries/{run_id}",
            heartbeat_timeout=timedelta(seconds=10),
            scheduled_time=moment,
            started_time=moment,
        )
        activities = RetentionActivities(self.database, self.catalog, budget=budget, plans=self.plans)
        return await environment.run(activities.delete, DeleteAuditEntriesPayload(**asked).at(state))

    async def run(self, *, run_id: str | None = None, **asked: Any) -> DeleteAuditEntriesProgress:
        """Call it until the run is done."""
        run_id = run_id or f"run-{next(self.runs)}"
        while not (progress := await self.call(run_id=run_id, **asked)).done:
            pass
        return progress


@asynccontextmanager
async def opened(url: str, *, allow: bool = True, **options: Any) -> AsyncIterator[AuditLog]:
    logs: list[AuditLog] = []

    async def clock(connection: Any) -> int:
        return await logs[0].clock(connection)

    async with Database.open(DatabaseOptions(url=url, **options), clock=clock) as database:
        logs.append(AuditLog(database, await Catalog.reflect(database, TABLES)))
        if allow:
            await allow_retention(database)
        yield logs[0]


def past(*moment: int) -> int:
    """Return a moment of UTC in unix seconds, which must be in the past: the log's guard has its own clock."""
    at = int(datetime(*moment, tzinfo=UTC).timestamp())
    return min(at, int(time.time()))
