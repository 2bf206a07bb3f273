"""What the TMS's database holds, seen from outside of the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities import DUPLICATE_SHIPMENT_JOB, NOTIFICATION_JOB, DuplicateShipmentPayload
from trenova_activities.database import (
    Catalog,
    Database,
    DatabaseOptions,
    Tenant,
    asked_for,
    found,
    migrate,
    ready_catalog,
    seed,
)


@dataclass(frozen=True)
class Tms:
    """One database with a shipment that has children of every kind."""

    database: Database
    catalog: Catalog
    tenant: Tenant
    other: Tenant
    user_id: str
    shipment_id: str

    def request(self, **changes: Any) -> DuplicateShipmentPayload:
        asked = {
            **self.tenant.values,
            "user_id": self.user_id,
            "idempotency_key": "key-1",
            "shipment_id": self.shipment_id,
            "count": 3,
            "include_commodities": True,
            "include_additional_charges": True,
        }
        return DuplicateShipmentPayload(**(asked | changes))

    async def counts(self) -> dict[str, int]:
        """Rows of every table of the database, whoever owns it."""
        async with self.database.read() as connection:
            return await connection.run_sync(_counts)

    async def asked(self, request: DuplicateShipmentPayload) -> dict[str, int]:
        async with self.database.read() as connection:
            return await asked_for(connection, self.catalog, request)

    async def found(self, request: DuplicateShipmentPayload, shipment_ids: list[str]) -> dict[str, int]:
        async with self.database.read() as connection:
            return await found(connection, self.catalog, request, shipment_ids)

    async def audited(self, shipment_ids: list[str]) -> list[str]:
        """Ids of the audit entries' subjects, one for each entry."""
        audit = self.catalog["audit_entries"]
        query = select(audit.c.resource_id).where(audit.c.resource_id.in_(shipment_ids))
        async with self.database.read() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def notifications(self, job_id: str) -> list[Row[Any]]:
        table = self.catalog["notifications"]
        async with self.database.read() as connection:
            return list(await connection.execute(select(table).where(table.c.job_id == job_id)))

    async def keys(self, key: str) -> list[Row[Any]]:
        table = self.database.jobs.idempotency_keys
        async with self.database.read() as connection:
            return list(await connection.execute(select(table).where(table.c.key == key)))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Tms]:
    """Open a database that holds shipments."""
    async with Database.open(DatabaseOptions(url=url)) as database:
        tables = {
            **(await ready_catalog(database, DUPLICATE_SHIPMENT_JOB)).tables,
            **(await ready_catalog(database, NOTIFICATION_JOB)).tables,
        }
        shipments = tables["shipments"]
        full = select(shipments).where(
            shipments.c.bol.is_not(None),
            *(
                shipments.c.id.in_(select(tables[name].c.shipment_id))
                for name in ("shipment_moves", "shipment_commodities", "additional_charges")
            ),
        )
        others = select(shipments.c.organization_id, shipments.c.business_unit_id)
        async with database.read() as connection:
            source = (await connection.execute(full.order_by(shipments.c.id).limit(1))).one()
            elsewhere = others.where(shipments.c.organization_id != source.organization_id).limit(1)
            other = (await connection.execute(elsewhere)).one()
        yield Tms(
            database=database,
            catalog=Catalog(tables),
            tenant=Tenant(source.organization_id, source.business_unit_id),
            other=Tenant(other.organization_id, other.business_unit_id),
            user_id=source.entered_by_id,
            shipment_id=source.id,
        )


async def seeded(url: str) -> str:
    """Fill an embedded TMS with two small organizations."""
    async with Database.open(DatabaseOptions(url=url)) as database:
        await migrate(database)
        await seed(database, organizations=2, shipments=30)
    return url


def sqlite_url(folder: Any) -> str:
    """The database that services in ``dev`` use in a data folder."""
    return f"sqlite+aiosqlite:///{folder}/tms.db"


def _counts(connection: Connection) -> dict[str, int]:
    inspector = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    schemas = [None] if connection.dialect.name == "sqlite" else ["public", "trenova_jobs"]
    return {
        f"{schema}.{table}" if schema else table: connection.execute(
            text(f"SELECT count(*) FROM {f'{schema}.' if schema else ''}{quote(table)}")
        ).scalar_one()
        for schema in schemas
        for table in inspector.get_table_names(schema=schema)
    }


async def enlarge(url: str, *, moves: int, stops: int, goods: int, charges: int) -> None:
    """Give the shipment that ``opened`` finds many more children; ``stops`` are per move."""
    async with opened(url) as tms:
        mine = {"shipment_id": tms.shipment_id}
        async with tms.database.write() as connection:
            added = [f"smv_large_{number:03}" for number in range(moves)]
            await _multiply(connection, tms.catalog["shipment_moves"], mine, [{"id": id_} for id_ in added])
            existing = await _first(connection, tms.catalog["shipment_moves"], mine)
            places = [
                {"id": f"stp_large_{move}_{number:03}", "shipment_move_id": move, "sequence": number}
                for move in added
                for number in range(stops)
            ]
            await _multiply(connection, tms.catalog["stops"], {"shipment_move_id": existing["id"]}, places)
            for table, rows in (("shipment_commodities", goods), ("additional_charges", charges)):
                ids = [{"id": f"{table}_large_{number:03}"} for number in range(rows)]
                await _multiply(connection, tms.catalog[table], mine, ids)


async def _first(connection: AsyncConnection, table: Table, equal: dict[str, str]) -> dict[str, Any]:
    query = select(table).where(*(table.c[name] == value for name, value in equal.items())).order_by(table.c.id)
    return dict((await connection.execute(query.limit(1))).mappings().one())


async def _multiply(
    connection: AsyncConnection, table: Table, equal: dict[str, str], changes: list[dict[str, Any]]
) -> None:
    """Insert copies of the first row that is equal, each with changes of its own."""
    row = await _first(connection, table, equal)
    await connection.execute(insert(table), [row | change for change in changes])
