"""Whether every stale shipment was canceled once, with all that is below it, and no other."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from planting import DAY_S, TABLES
from sqlalchemy import Row, select
from tms_rows import Tms

from trenova_activities.database import Catalog

REASON = "Automatically canceled by shipment control settings"
_BELOW = ("stops", "assignments")


@dataclass(frozen=True)
class Before:
    """What was there before the first cancellation: versions of shipments, and which had to go then already."""

    versions: Mapping[str, int]
    canceled: frozenset[str]
    due: frozenset[str]


async def before(tms: Tms) -> Before:
    """Look at the TMS while nothing runs."""
    shipments = (await _rows(tms, "shipments")).values()
    return Before(
        versions={row.id: row.version for row in shipments},
        canceled=frozenset(row.id for row in shipments if row.status == "Canceled"),
        due=frozenset(await _due(tms, shipments)),
    )


async def counted(tms: Tms, was: Before, stale: Iterable[str], told: int) -> list[str]:
    """Compare what is canceled with what had to be.

    Args:
        tms: The TMS, at rest.
        was: What was there before.
        stale: Ids of what was planted to be canceled.
        told: How many shipments all runs together say that they canceled.

    Returns:
        What is wrong, for people.
    """
    shipments = await _rows(tms, "shipments")
    canceled = {id_ for id_, row in shipments.items() if row.status == "Canceled"} - was.canceled
    must = set(stale) | was.due
    may = must | (await _due(tms, shipments.values(), status="Canceled") & set(was.versions))
    entries = await _entries(tms)
    wrong = {
        "stale shipments that were not canceled": must - canceled,
        "shipments that were canceled and were not stale": canceled - may,
        "canceled shipments whose version says another number of changes than one": {
            id_ for id_ in canceled if shipments[id_].version != was.versions.get(id_, 0) + 1
        },
        "canceled shipments without time or reason": {
            id_ for id_ in canceled if not (shipments[id_].canceled_at and shipments[id_].cancel_reason == REASON)
        },
        "canceled shipments without one audit entry": {id_ for id_ in canceled if entries[id_] != 1},
        "audit entries of cancellations that were none": set(entries) - canceled,
        "canceled shipments with something open below them": await _open_below(tms, canceled),
    }
    said = [f"{len(ids)} {what}, e.g. {min(ids)}" for what, ids in wrong.items() if ids]
    if told != len(canceled):
        said.append(f"{len(canceled)} shipments were canceled and the runs say {told}")
    return said


async def _due(tms: Tms, shipments: Iterable[Row[Any]], status: str = "New") -> set[str]:
    """Ids of shipments that are old enough now, by the settings of their tenants."""
    catalog = await Catalog.reflect(tms.database, ["shipment_controls"])
    controls = catalog["shipment_controls"]
    async with tms.database.read() as connection:
        days = {
            (row.organization_id, row.business_unit_id): row.auto_cancel_shipments_threshold
            for row in await connection.execute(select(controls).where(controls.c.auto_cancel_shipments))
        }
    now = int(time.time())
    return {
        row.id
        for row in shipments
        if row.status == status
        and (threshold := days.get((row.organization_id, row.business_unit_id))) is not None
        and row.created_at <= now - threshold * DAY_S
    }


async def _entries(tms: Tms) -> Counter[str]:
    audit = (await Catalog.reflect(tms.database, TABLES))["audit_entries"]
    query = select(audit.c.resource_id).where(audit.c.resource == "shipment", audit.c.operation == "cancel")
    query = query.where(audit.c.comment == REASON)
    async with tms.database.read() as connection:
        return Counter((await connection.execute(query)).scalars())


async def _open_below(tms: Tms, canceled: set[str]) -> set[str]:
    """Ids of canceled shipments that have a move, stop or assignment that is neither completed nor canceled."""
    final = ("Completed", "Canceled")
    moves = [row for row in (await _rows(tms, "shipment_moves")).values() if row.shipment_id in canceled]
    shipment_of = {row.id: row.shipment_id for row in moves}
    found = {row.shipment_id for row in moves if row.status not in final}
    for table in _BELOW:
        rows = (await _rows(tms, table)).values()
        found |= {
            shipment_of[row.shipment_move_id]
            for row in rows
            if row.shipment_move_id in shipment_of and row.status not in final
        }
    return found


async def _rows(tms: Tms, table: str) -> dict[str, Row[Any]]:
    found = (await Catalog.reflect(tms.database, TABLES))[table]
    async with tms.database.read() as connection:
        return {row.id: row for row in await connection.execute(select(found))}
