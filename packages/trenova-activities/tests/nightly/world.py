"""Tenants and shipments made to order, on every kind of database that the cancellation must work on."""

import dataclasses
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from temporalio.testing import ActivityEnvironment

from trenova_activities import CANCEL_SHIPMENTS_JOB, CancelShipmentsPayload, CancelShipmentsProgress, RunState
from trenova_activities.database import (
    CancellationActivities,
    Catalog,
    Database,
    DatabaseOptions,
    PlanOptions,
    Tenant,
    database_clock,
)
from trenova_activities.database._nightly import Budget
from trenova_activities.database._requirements import NEEDS
from trenova_activities.database._rows import insertable

DAY = 86_400
NOW = int(datetime(2026, 3, 1, 0, 0, 7, tzinfo=UTC).timestamp())
MASTER = ("customers", "service_types", "shipment_types", "locations", "formula_templates")
CHANGED = ("shipments", "shipment_moves", "stops", "assignments")


@dataclass
class World:
    """A database with a clock that a test sets."""

    database: Database
    catalog: Catalog
    now: int | None = NOW
    numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    runs: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    stages: list[str] = field(default_factory=list)
    plans: PlanOptions | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)

    async def clock(self, connection: Any) -> int:
        return await database_clock(connection) if self.now is None else self.now

    def told(self, stage: str, facts: Mapping[str, Any] | None = None) -> None:
        self.stages.append(stage)
        self.facts.append(dict(facts or {}))

    async def insert(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        async with self.database.write() as connection:
            for name, several in rows.items():
                if several and name in self.catalog:
                    table = self.catalog[name]
                    await connection.execute(insert(table), [insertable(table, row) for row in several])

    async def tenants(self, count: int, *, enabled: Any = True, threshold: Any = 30, prefix: str = "t") -> list[Tenant]:
        made = [f"{prefix}{next(self.numbers):04}" for _ in range(count)]
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("business_units", "organizations", *MASTER)}
        for name in made:
            unit, organization = f"bu_{name}", f"org_{name}"
            tenant = {"business_unit_id": unit, "organization_id": organization}
            rows["business_units"].append({"id": unit, "name": name, "code": name})
            about = {"name": name, "scac_code": "TEST", "timezone": "UTC"}
            rows["organizations"].append({"id": organization, "business_unit_id": unit, **about})
            for table in MASTER:
                row = {"code": name, "name": name, "description": name, "address_line_1": "-", "city": "-"}
                row |= {"state": "--", "postal_code": "-"}
                rows[table].append({"id": f"{table[:4]}_{name}", **tenant, **row})
        await self.insert(rows)
        tenants = [Tenant(f"org_{name}", f"bu_{name}") for name in made]
        for tenant in tenants:
            await self.control(tenant, enabled=enabled, threshold=threshold)
        return tenants

    async def control(self, tenant: Tenant, *, enabled: Any, threshold: Any) -> None:
        """Set a tenant's settings; what our own schema would not refuse is written as it is."""
        table = self.catalog["shipment_controls"]
        values = {"auto_cancel_shipments": enabled, "auto_cancel_shipments_threshold": threshold}
        async with self.database.write() as connection:
            done = await connection.execute(update(table).where(tenant.owns(table)).values(values))
            if not done.rowcount:
                row = {"id": f"sctl_{tenant.organization_id}", **tenant.values, **values}
                await connection.execute(insert(table).values(row))

    async def shipments(
        self, tenant: Tenant, created: Sequence[int | None], *, status: str = "New", moves: Sequence[str] = ()
    ) -> list[str]:
        """Insert one shipment per time, each with one move per status given, that with three stops and one driver."""
        name = tenant.organization_id.removeprefix("org_")
        rows: dict[str, list[dict[str, Any]]] = {table: [] for table in CHANGED}
        for created_at in created:
            number = next(self.numbers)
            key = f"{name}_{number:06}"
            row = {"id": f"shp_{key}", **tenant.values, "status": status, "pro_number": f"S{key}", "rating_unit": 1}
            row |= {"version": 3, "created_at": created_at, "updated_at": 1, "entry_method": "Manual"}
            refers = zip(
                ("customer", "service_type", "shipment_type", "location", "formula_template"), MASTER, strict=True
            )
            row |= {f"{one}_id": f"{table[:4]}_{name}" for one, table in refers}
            rows["shipments"].append(row)
            for sequence, move_status in enumerate(moves):
                move = f"smv_{key}_{sequence}"
                stamps = {**tenant.values, "version": 5, "created_at": 1, "updated_at": 1}
                base = {"id": move, **stamps, "shipment_id": row["id"], "status": move_status, "sequence": sequence}
                rows["shipment_moves"].append({**base, "loaded": True})
                for place, stop_status in enumerate(("Completed", "New", "Canceled")):
                    stop = {"id": f"stp_{key}_{sequence}{place}", **stamps, "shipment_move_id": move}
                    stop |= {"location_id": f"loca_{name}", "status": stop_status, "type": "Pickup", "sequence": place}
                    stop |= {"planned_arrival": 1, "planned_departure": 2, "scheduled_window_start": 1}
                    rows["stops"].append(stop)
                driver = {"id": f"asn_{key}_{sequence}", **stamps, "shipment_move_id": move, "status": "New"}
                rows["assignments"].append(driver)
        await self.insert(rows)
        return [row["id"] for row in rows["shipments"]]

    async def system_user(self, tenant: Tenant) -> str:
        row = {"id": "usr_system", **tenant.values, "name": "System", "username": "system", "timezone": "UTC"}
        row |= {"email_address": "system@trenova.app", "status": "Active", "password": "-"}
        await self.insert({"users": [row]})
        return "usr_system"

    async def rows(self, table: str, *tenants: Tenant) -> dict[str, Row[Any]]:
        """Read a table by id; all of it, or the rows of some tenants."""
        found = self.catalog[table]
        query = select(found).order_by(found.c.id)
        if tenants:
            query = query.where(found.c.organization_id.in_([tenant.organization_id for tenant in tenants]))
        async with self.database.read() as connection:
            return {row.id: row for row in await connection.execute(query)}

    async def everything(self) -> dict[str, dict[str, Row[Any]]]:
        return {table: await self.rows(table) for table in (*CHANGED, "audit_entries")}

    async def own(self, name: str, **equal: Any) -> list[Row[Any]]:
        """Read one of our own tables."""
        table = getattr(self.database.jobs, name)
        query = select(table).where(*(table.c[column] == value for column, value in equal.items()))
        async with self.database.read() as connection:
            return list(await connection.execute(query.order_by(*table.primary_key.columns)))

    async def call(
        self,
        payload: CancelShipmentsPayload | None = None,
        *,
        run_id: str = "run",
        server_time: int | None = None,
        budget: Budget | None = None,
        failed: bool = False,
        draining: bool = False,
        **options: Any,
    ) -> CancelShipmentsProgress:
        """Call the activity once, as the workflow does."""
        asked_at = server_time if server_time is not None else self.now
        asked = (payload or CancelShipmentsPayload(**options)).at(
            RunState(run_id=run_id, workflow_time=asked_at, failed=failed)
        )
        activities = CancellationActivities(self.database, self.catalog, budget=budget, plans=self.plans)
        environment = ActivityEnvironment()
        environment.on_heartbeat = self.told
        if draining:
            environment.worker_shutdown()
        moment = datetime(2001, 1, 1, tzinfo=UTC)
        environment.info = dataclasses.replace(
            ActivityEnvironment.default_info(),
            workflow_id=f"cancel-shipments/{run_id}",
            heartbeat_timeout=timedelta(seconds=10),
            scheduled_time=moment,
            started_time=moment,
        )
        return await environment.run(activities.cancel, asked)

    async def run(self, *, run_id: str | None = None, **options: Any) -> CancelShipmentsProgress:
        """Call the activity until the run is done."""
        run_id = run_id or f"run-{next(self.runs)}"
        while True:
            progress = await self.call(run_id=run_id, **options)
            if progress.done:
                return progress

    def expected(self, shipments: Mapping[str, Row[Any]], controls: Mapping[str, Row[Any]]) -> set[str]:
        """Say by the calendar, not by the job's arithmetic, which shipments have to be canceled."""
        days = {
            (row.organization_id, row.business_unit_id): row.auto_cancel_shipments_threshold
            for row in controls.values()
            if row.auto_cancel_shipments is True
        }
        return {id_ for id_, row in shipments.items() if row.status == "New" and self._is_stale(row, days)}

    def _is_stale(self, row: Row[Any], days: Mapping[tuple[str, str], Any]) -> bool:
        threshold = days.get((row.organization_id, row.business_unit_id))
        if threshold not in range(1, 91) or row.created_at is None or not 0 <= row.created_at <= self.now:
            return False
        now = datetime.fromtimestamp(self.now, UTC)
        return datetime.fromtimestamp(row.created_at, UTC) <= now - timedelta(days=threshold)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[World]:
    worlds: list[World] = []

    async def clock(connection: Any) -> int:
        return await worlds[0].clock(connection)

    async with Database.open(DatabaseOptions(url=url, **options), clock=clock) as database:
        needed = {need.table for need in NEEDS[CANCEL_SHIPMENTS_JOB]}
        names = {*needed, *MASTER, "users", "organizations", "business_units", "notifications"}
        worlds.append(World(database, await Catalog.reflect(database, names)))
        yield worlds[0]
