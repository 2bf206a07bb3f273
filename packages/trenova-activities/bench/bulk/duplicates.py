"""One duplication of a shipment, and the insertion of the very rows that it made."""

import time
from dataclasses import dataclass
from typing import Final

import asyncpg

from bulk.calls import environment
from bulk.fleet import ROUTE
from bulk.site import connected
from bulk.verdicts import WrongResultError
from trenova_activities import DuplicateShipmentPayload
from trenova_activities.database import ShipmentActivities

# Which rows of a table belong to shipments, parents first: a copy under other ids must find its parent.
_TABLES: Final = {
    "shipments": "id = ANY ($1)",
    "shipment_moves": "shipment_id = ANY ($1)",
    "stops": "shipment_move_id IN (SELECT id FROM shipment_moves WHERE shipment_id = ANY ($1))",
    "shipment_commodities": "shipment_id = ANY ($1)",
    "additional_charges": "shipment_id = ANY ($1)",
    "audit_entries": "resource_id = ANY ($1)",
}
_IDS: Final = frozenset({"id", "shipment_id", "shipment_move_id", "resource_id", "pro_number"})


@dataclass(frozen=True)
class Duplicated:
    """One round.

    Attributes:
        rows: Rows that the job wrote into the TMS's tables.
        job_s: Seconds of the job's activity.
        raw_s: Seconds of inserting the same rows, in one transaction.
    """

    rows: int
    job_s: float
    raw_s: float

    @property
    def ratio(self) -> float:
        """What the job took, by what the bare inserts took."""
        return self.job_s / self.raw_s


async def duplicate(activities: ShipmentActivities, url: str, *, copies: int, key: str) -> Duplicated:
    """Duplicate the shipment with twenty stops and insert the copies' rows once more, under other ids.

    Raises:
        WrongResultError: There are fewer or more rows than the copies have.
    """
    payload = DuplicateShipmentPayload(
        shipment_id=ROUTE,
        organization_id="org_north",
        business_unit_id="bu_north",
        user_id="usr_north",
        idempotency_key=key,
        count=copies,
        override_dates=True,
        include_commodities=True,
        include_additional_charges=True,
    )
    begun = time.perf_counter()
    result = await environment(f"bench/{key}").run(activities.duplicate, payload)
    job_s = time.perf_counter() - begun
    async with connected(url) as connection:
        inserts = [await _kept(connection, table, result.shipment_ids) for table in _TABLES]
        begun = time.perf_counter()
        async with connection.transaction():
            done = [await connection.execute(insert) for insert in inserts]
        raw_s = time.perf_counter() - begun
    rows = [int(status.rpartition(" ")[2]) for status in done]
    if rows != [copies, 4 * copies, 20 * copies, 2 * copies, 2 * copies, copies]:
        raise WrongResultError(f"{copies} copies have {dict(zip(_TABLES, rows, strict=True))}.")
    return Duplicated(sum(rows), job_s, raw_s)


async def _kept(connection: asyncpg.Connection, table: str, shipments: list[str]) -> str:
    """Keep the job's rows of a table aside and return the statement that inserts them under other ids."""
    names = await connection.fetchval(
        "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::text::regclass "
        "AND attnum > 0 AND attgenerated = '' AND NOT attisdropped",
        table,
    )
    columns = ", ".join(names)
    values = ", ".join(f"{name} || 'r'" if name in _IDS else name for name in names)
    await connection.execute(f"CREATE TEMP TABLE kept_{table} (LIKE {table})")
    query = f"INSERT INTO kept_{table} ({columns}) SELECT {values} FROM {table} WHERE {_TABLES[table]}"
    await connection.execute(query, shipments)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table}"
