"""What a job should have made beside what the database holds; for demonstrations, drills and tests."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._duplication_contract import DuplicateShipmentPayload
from trenova_activities.database._catalog import Catalog, label
from trenova_activities.database._engine import Database
from trenova_activities.database._shipment_rules import NEW
from trenova_activities.database._tenant import Tenant

Counts = dict[str, int]
"""Rows by table name."""


async def organization_names(database: Database) -> dict[str, str]:
    """Return the name of every organization by its id."""
    table = (await Catalog.reflect(database, ["organizations"]))["organizations"]
    async with database.read() as connection:
        return {row[0]: row[1] for row in await connection.execute(select(table.c.id, table.c.name))}


async def asked_for(connection: AsyncConnection, catalog: Catalog, payload: DuplicateShipmentPayload) -> Counts:
    """Return the rows that a request must make: ``count`` times what the source has now, and an audit entry each."""
    tenant = Tenant(payload.organization_id, payload.business_unit_id)
    one = await _below(connection, catalog, tenant, [payload.shipment_id])
    one["shipments"] = one["audit_entries"] = 1
    if not payload.include_commodities:
        one["shipment_commodities"] = 0
    if not payload.include_additional_charges:
        one["additional_charges"] = 0
    return {table: rows * payload.count for table, rows in one.items()}


async def found(
    connection: AsyncConnection,
    catalog: Catalog,
    payload: DuplicateShipmentPayload,
    shipment_ids: Sequence[str],
) -> Counts:
    """Return the rows that belong to the copies; a shipment counts if it is New and entered by the requester."""
    tenant = Tenant(payload.organization_id, payload.business_unit_id)
    counts = await _below(connection, catalog, tenant, shipment_ids)
    shipments, audit = catalog["shipments"], catalog["audit_entries"]
    counts["shipments"] = await _count(
        connection,
        shipments,
        tenant,
        shipments.c.id.in_(shipment_ids),
        shipments.c.status == label(shipments.c.status, NEW),
        shipments.c.entered_by_id == payload.user_id,
    )
    counts["audit_entries"] = await _count(
        connection, audit, tenant, audit.c.resource_id.in_(shipment_ids), audit.c.operation == "duplicate"
    )
    return counts


async def _below(connection: AsyncConnection, catalog: Catalog, tenant: Tenant, shipment_ids: Sequence[str]) -> Counts:
    moves, stops = catalog["shipment_moves"], catalog["stops"]
    mine = select(moves.c.id).where(tenant.owns(moves), moves.c.shipment_id.in_(shipment_ids))
    counts = {"stops": await _count(connection, stops, tenant, stops.c.shipment_move_id.in_(mine))}
    for name in ("shipment_moves", "shipment_commodities", "additional_charges"):
        table = catalog[name]
        counts[name] = await _count(connection, table, tenant, table.c.shipment_id.in_(shipment_ids))
    return counts


async def _count(connection: AsyncConnection, table: Table, tenant: Tenant, *conditions: ColumnElement[Any]) -> int:
    query = select(func.count()).select_from(table).where(tenant.owns(table), *conditions)
    return int((await connection.execute(query)).scalar_one())
