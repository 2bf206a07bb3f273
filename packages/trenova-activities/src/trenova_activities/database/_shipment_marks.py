"""Whether a shipment is as it was: a mark over the versions of its row and of everything below it."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, literal, select

from trenova_activities.database._scope import Scope

_OF_SHIPMENT: Final = ("shipment_moves", "shipment_commodities", "additional_charges")
_OF_MOVE: Final = ("stops", "assignments")


async def marks(scope: Scope, ids: Sequence[str], *, lock: bool = False) -> dict[str, str]:
    """Return a mark for each of the tenant's shipments.

    It changes when the shipment, a move, stop, assignment, commodity or charge of it gets another version, comes or
    goes.

    Args:
        scope: The transaction.
        ids: The shipments; one that is not there has no mark.
        lock: Keep the rows from changing until the transaction ends.
    """
    lines: dict[str, list[str]] = defaultdict(list)
    moves: dict[str, str] = {}
    for row in await _read(scope, "shipments", "id", ids, lock=lock):
        lines[row.id].append(f"shipments {row.id} {row.version}")
    for table in _OF_SHIPMENT:
        for row in await _read(scope, table, "shipment_id", ids, lock=lock):
            lines[row.parent].append(f"{table} {row.id} {row.version}")
            if table == "shipment_moves":
                moves[row.id] = row.parent
    for table in _OF_MOVE:
        for row in await _read(scope, table, "shipment_move_id", list(moves), lock=lock):
            lines[moves[row.parent]].append(f"{table} {row.id} {row.version}")
    return {id_: hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest() for id_, said in lines.items()}


async def _read(scope: Scope, name: str, parent: str, ids: Sequence[str], *, lock: bool) -> Sequence[Any]:
    if not ids:
        return ()
    table = scope.catalog[name]
    columns = (table.c.id, table.c[parent].label("parent"), _version(table).label("version"))
    query = select(*columns).where(scope.tenant.owns(table), table.c[parent].in_(ids)).order_by(table.c.id)
    return (await scope.connection.execute(query.with_for_update() if lock else query)).all()


def _version(table: Table) -> Any:
    """Return what tells one version of a row from another; a table without either has rows that are never changed."""
    known = [table.c[name] for name in ("version", "updated_at") if name in table.c]
    return known[0] if known else literal(0)
