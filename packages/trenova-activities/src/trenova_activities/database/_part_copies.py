"""Copies of the parts of shipments: whatever number of shipments, a statement for each table."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from trenova_activities.database._copying import CopyRules, RowCopy, copy_rows
from trenova_activities.database._ids import new_id
from trenova_activities.database._scope import Scope
from trenova_activities.database._shipment_rules import move_rules, stop_rules
from trenova_errors import RetryableError


class _Child(NamedTuple):
    prefix: str
    parent: str


_CHILDREN: Final = {
    "shipment_moves": _Child("smv", "shipment_id"),
    "stops": _Child("stp", "shipment_move_id"),
    "shipment_commodities": _Child("sc", "shipment_id"),
    "additional_charges": _Child("ac", "shipment_id"),
}


class PartCopier(Scope):
    """Copies rows and what is below them, inside the caller's transaction."""

    async def children(self, table: str, parents: Sequence[str]) -> list[tuple[str, str]]:
        """Return (id, id of the parent) of the tenant's rows below the parents."""
        if not parents:
            return []
        rows, parent = self.catalog[table], _CHILDREN[table].parent
        query = select(rows.c.id, rows.c[parent]).where(self.tenant.owns(rows), rows.c[parent].in_(parents))
        return [(row[0], row[1]) for row in await self.connection.execute(query.order_by(rows.c.id))]

    async def copy_children(
        self, table: str, rules: CopyRules, rows: Sequence[tuple[str, str]], parents: dict[str, list[str]]
    ) -> dict[str, list[str]]:
        """Copy every row once per copy of its parent; return the new ids by source id."""
        child = _CHILDREN[table]
        ids = {source: [new_id(child.prefix) for _ in parents[parent]] for source, parent in rows}
        made = [
            RowCopy(source, {"id": copy, child.parent: above})
            for source, parent in rows
            for copy, above in zip(ids[source], parents[parent], strict=True)
        ]
        await self.insert(table, rules, made)
        return ids

    async def insert(self, table: str, rules: CopyRules, rows: Sequence[RowCopy]) -> None:
        """Make copies of rows of one table.

        Raises:
            RetryableError: A source was changed or removed meanwhile.
        """
        if not rows:
            return
        statement = copy_rows(self.connection.dialect.name, self.catalog[table], self.tenant, rules, rows)
        inserted = (await self.connection.execute(statement)).rowcount
        if inserted != len(rows):
            raise RetryableError(
                f"Copied {inserted} of {len(rows)} rows of {table}: somebody changed the shipment meanwhile. "
                "Nothing was written; it is tried again."
            )

    async def copy_moves(self, shipments: dict[str, list[str]]) -> dict[str, list[str]]:
        """Copy the moves of shipments; return the new ids by source id."""
        moves = await self.children("shipment_moves", list(shipments))
        return await self.copy_children("shipment_moves", move_rules(self.at), moves, shipments)

    async def copy_stops(self, moves: dict[str, list[str]], *, shift: int = 0) -> None:
        """Copy the stops of moves, their plan moved by so many seconds."""
        stops = await self.children("stops", list(moves))
        await self.copy_children("stops", stop_rules(self.at, shift=shift), stops, moves)
