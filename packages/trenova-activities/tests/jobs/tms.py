"""A TMS database with one shipment worth copying, on every kind of database that jobs must work on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from trenova_activities import DUPLICATE_SHIPMENT_JOB, DuplicateShipmentPayload
from trenova_activities.database import Catalog, Database, DatabaseOptions, Tenant, ready_catalog, seed


@dataclass(frozen=True)
class Tms:
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

    async def rows(self, table: str, **equal: Any) -> list[Row[Any]]:
        rows = self.catalog[table]
        query = select(rows).where(*(rows.c[name] == value for name, value in equal.items())).order_by(rows.c.id)
        async with self.database.read() as connection:
            return list(await connection.execute(query))

    async def children(self, shipment_id: str) -> dict[str, list[Row[Any]]]:
        moves = await self.rows("shipment_moves", shipment_id=shipment_id)
        stops = [stop for move in moves for stop in await self.rows("stops", shipment_move_id=move.id)]
        return {
            "shipment_moves": moves,
            "stops": stops,
            "shipment_commodities": await self.rows("shipment_commodities", shipment_id=shipment_id),
            "additional_charges": await self.rows("additional_charges", shipment_id=shipment_id),
        }

    async def counts(self) -> dict[str, int]:
        counts = {}
        async with self.database.read() as connection:
            for name, table in {**self.catalog.tables, "keys": self.database.jobs.idempotency_keys}.items():
                counts[name] = int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
        return counts


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Tms]:
    async with Database.open(DatabaseOptions(url=url)) as database:
        catalog = await ready_catalog(database, DUPLICATE_SHIPMENT_JOB)
        async with database.read() as connection:
            shipments, goods = catalog["shipments"], catalog["shipment_commodities"]
            charges = catalog["additional_charges"]
            full = select(shipments).where(
                shipments.c.bol.is_not(None),
                shipments.c.id.in_(select(goods.c.shipment_id)),
                shipments.c.id.in_(select(charges.c.shipment_id)),
            )
            source = (await connection.execute(full.order_by(shipments.c.id).limit(1))).one()
            others = select(shipments.c.organization_id, shipments.c.business_unit_id).where(
                shipments.c.organization_id != source.organization_id
            )
            other = (await connection.execute(others.limit(1))).one()
        yield Tms(
            database=database,
            catalog=catalog,
            tenant=Tenant(source.organization_id, source.business_unit_id),
            other=Tenant(other.organization_id, other.business_unit_id),
            user_id=source.entered_by_id,
            shipment_id=source.id,
        )


async def seeded(url: str) -> str:
    async with Database.open(DatabaseOptions(url=url)) as database:
        await seed(database, organizations=2, shipments=30)
    return url
