"""Cancel whole shipments, and put back what was canceled."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, select, update

from trenova_activities.database._catalog import label
from trenova_activities.database._scope import Scope

CANCELED: Final = "Canceled"
FINISHED: Final = frozenset({"Billed", "Invoiced", CANCELED})
"""Statuses of shipments of which nothing is to be changed any more, in both vocabularies of the TMS."""
_CLOSED: Final = ("Completed", CANCELED)

Statuses = Mapping[str, Mapping[str, str]]
"""By table and id, the status that a row had before it was canceled."""


async def cancel_shipments(scope: Scope, ids: Sequence[str], *, reason: str, user_id: str) -> Statuses:
    """Cancel shipments with those of their moves, stops and assignments that are not closed.

    Returns:
        What the rows were before.
    """
    moves, shipments = scope.catalog["shipment_moves"], scope.catalog["shipments"]
    mine = select(moves.c.id).where(scope.tenant.owns(moves), moves.c.shipment_id.in_(ids))
    before = {
        "shipments": await _statuses(scope, shipments, shipments.c.id.in_(ids)),
        "shipment_moves": await _statuses(scope, moves, moves.c.shipment_id.in_(ids), *_open(moves)),
    }
    for name in ("stops", "assignments"):
        table = scope.catalog[name]
        before[name] = await _statuses(scope, table, table.c.shipment_move_id.in_(mine), *_open(table))
    cancellation = {"canceled_at": scope.at, "canceled_by_id": user_id, "cancel_reason": reason}
    for name, rows in before.items():
        more = cancellation if name == "shipments" else {}
        await _set(scope, scope.catalog[name], list(rows), CANCELED, more)
    return before


async def restore_shipments(scope: Scope, before: Statuses) -> None:
    """Give rows back the statuses that they had before they were canceled."""
    for name, rows in before.items():
        by_status: dict[str, list[str]] = defaultdict(list)
        for id_, status in rows.items():
            by_status[status].append(id_)
        more = dict.fromkeys(("canceled_at", "canceled_by_id", "cancel_reason")) if name == "shipments" else {}
        for status, ids in by_status.items():
            await _set(scope, scope.catalog[name], ids, status, more)


async def owners(scope: Scope, before: Statuses) -> dict[str, dict[str, str]]:
    """Return, by table and id, the shipment to which each of the rows belongs."""
    moves = scope.catalog["shipment_moves"]
    found = {"shipments": {id_: id_ for id_ in before["shipments"]}}
    query = select(moves.c.id, moves.c.shipment_id)
    mine = query.where(scope.tenant.owns(moves), moves.c.shipment_id.in_(list(before["shipments"])))
    of_move = {row[0]: row[1] for row in await scope.connection.execute(mine)}
    found["shipment_moves"] = of_move
    for name in ("stops", "assignments"):
        table = scope.catalog[name]
        of = select(table.c.id, table.c.shipment_move_id).where(
            scope.tenant.owns(table), table.c.shipment_move_id.in_(list(of_move))
        )
        found[name] = {row[0]: of_move[row[1]] for row in await scope.connection.execute(of)}
    return found


def _open(table: Table) -> list[ColumnElement[bool]]:
    return [table.c.status.not_in([label(table.c.status, status) for status in _CLOSED])]


async def _statuses(scope: Scope, table: Table, *conditions: ColumnElement[bool]) -> dict[str, str]:
    query = select(table.c.id, table.c.status).where(scope.tenant.owns(table), *conditions).order_by(table.c.id)
    return {row[0]: str(row[1]) for row in await scope.connection.execute(query.with_for_update())}


async def _set(scope: Scope, table: Table, ids: Sequence[str], status: str, more: Mapping[str, Any]) -> None:
    if not ids:
        return
    changes: dict[str, Any] = {"status": label(table.c.status, status), **more}
    if "version" in table.c:
        changes["version"] = table.c.version + 1
    if "updated_at" in table.c:
        changes["updated_at"] = scope.at
    await scope.connection.execute(update(table).where(scope.tenant.owns(table), table.c.id.in_(ids)).values(changes))
