"""What the nightly jobs have to find: outlived audit entries and stale shipments, each on record once it is there."""

import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, String, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tms_rows import Tms

from trenova_activities.database import Catalog

DAY_S = 86_400
OUTLIVED = 300
"""Audit entries that each purge finds."""
STALE = 12
"""Shipments that each cancellation finds."""
SPARED = 3
"""Shipments of each kind that it must leave alone: too young, or under way."""
THRESHOLD_DAYS = 30
TABLES = ("shipments", "shipment_moves", "stops", "assignments", "audit_entries")

_RECORD = Table(
    "soak_planted", MetaData(), Column("id", String(100), primary_key=True), Column("kind", String(20), nullable=False)
)
"""Written in the transaction that plants, so that an answer that was lost leaves no doubt."""


@dataclass
class Planting:
    """Plants for one tenant of a TMS.

    Args:
        tms: The TMS.
        catalog: Its tables ``TABLES``.
        pattern: One shipment with what is below it, to be copied: rows by table.
    """

    tms: Tms
    catalog: Catalog
    pattern: Mapping[str, list[dict[str, Any]]]

    @classmethod
    async def open(cls, tms: Tms) -> "Planting":
        """Make the record of what is planted, and have the tenant want its stale shipments canceled."""
        catalog = await Catalog.reflect(tms.database, [*TABLES, "shipment_controls"])
        controls = catalog["shipment_controls"]
        wanted = {"auto_cancel_shipments": True, "auto_cancel_shipments_threshold": THRESHOLD_DAYS}
        async with tms.database.write() as connection:
            await connection.run_sync(_RECORD.create)
            await connection.execute(update(controls).where(tms.tenant.owns(controls)).values(wanted))
        async with tms.database.read() as connection:
            return cls(tms, catalog, await _pattern(connection, catalog, tms.shipment_id))

    async def outlived(self) -> None:
        """Plant audit entries that are older than any period."""
        mark, now = uuid.uuid4().hex[:8], int(time.time())
        about = {"resource": "shipment", "resource_id": "shp_1", "operation": "update"}
        rows = [
            {
                "id": f"ae_soak_{mark}_{number}",
                **self.tms.tenant.values,
                **about,
                "timestamp": now - 400 * DAY_S + number,
            }
            for number in range(OUTLIVED)
        ]
        async with self.tms.database.write() as connection:
            await connection.execute(insert(self.catalog["audit_entries"]), rows)
            await connection.execute(insert(_RECORD), [{"id": row["id"], "kind": "outlived"} for row in rows])

    async def stale(self) -> None:
        """Plant shipments that have to be canceled, and others that must not be."""
        now = int(time.time())
        old, young = now - 2 * THRESHOLD_DAYS * DAY_S, now - DAY_S
        kinds = [("stale", "New", old)] * STALE
        kinds += [("young", "New", young), ("under way", "InTransit", old)] * SPARED
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        record = []
        for kind, status, created_at in kinds:
            mark = uuid.uuid4().hex[:12]
            record.append({"id": f"shp_soak_{mark}", "kind": kind})
            for table, several in self._copied(mark, status, created_at).items():
                rows[table] += several
        async with self.tms.database.write() as connection:
            for table, several in rows.items():
                await connection.execute(insert(self.catalog[table]), several)
            await connection.execute(insert(_RECORD), record)

    def _copied(self, mark: str, status: str, created_at: int) -> dict[str, list[dict[str, Any]]]:
        """One shipment more, with nothing below it that is completed."""
        [shipment] = self.pattern["shipments"]
        stamps = {"version": 0, "created_at": created_at, "updated_at": created_at}
        own = {"id": f"shp_soak_{mark}", "pro_number": f"SOAK{mark}", "bol": None, "status": status, **stamps}
        own |= {"canceled_at": None, "canceled_by_id": None, "cancel_reason": None}
        rows = {"shipments": [shipment | own]}
        moves = {row["id"]: f"smv_soak_{mark}_{number}" for number, row in enumerate(self.pattern["shipment_moves"])}
        rows["shipment_moves"] = [
            row | stamps | {"id": moves[row["id"]], "shipment_id": own["id"], "status": "New"}
            for row in self.pattern["shipment_moves"]
        ]
        for table, prefix in (("stops", "stp"), ("assignments", "asn")):
            rows[table] = [
                row
                | stamps
                | {"id": f"{prefix}_soak_{mark}_{number}", "status": "New"}
                | {"shipment_move_id": moves[row["shipment_move_id"]]}
                for number, row in enumerate(self.pattern[table])
            ]
        return {table: several for table, several in rows.items() if several}

    async def planted(self) -> dict[str, list[str]]:
        """Ids by kind: ``outlived``, ``stale``, ``young``, ``under way``."""
        found: dict[str, list[str]] = defaultdict(list)
        async with self.tms.database.read() as connection:
            for row in await connection.execute(select(_RECORD)):
                found[row.kind].append(row.id)
        return found

    async def left(self, outlived: Sequence[str]) -> int:
        """How many of these audit entries are still there."""
        audit = self.catalog["audit_entries"]
        async with self.tms.database.read() as connection:
            there = set((await connection.execute(select(audit.c.id).where(audit.c.id.like("ae_soak_%")))).scalars())
        return len(there & set(outlived))


async def _pattern(connection: AsyncConnection, catalog: Catalog, shipment_id: str) -> dict[str, list[dict[str, Any]]]:
    """Read a shipment and what is below it, as it is written."""

    async def rows(table: str, column: str, *values: str) -> list[dict[str, Any]]:
        found = catalog[table]
        query = select(found).where(found.c[column].in_(values)).order_by(found.c.id)
        return [dict(row) for row in (await connection.execute(query)).mappings()]

    moves = await rows("shipment_moves", "shipment_id", shipment_id)
    below = [row["id"] for row in moves]
    return {
        "shipments": await rows("shipments", "id", shipment_id),
        "shipment_moves": moves,
        "stops": await rows("stops", "shipment_move_id", *below),
        "assignments": await rows("assignments", "shipment_move_id", *below),
    }
