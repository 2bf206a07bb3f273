"""All copies of one shipment, its moves, stops, commodities and charges, inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._duplication_contract import DuplicateShipmentPayload
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._copying import CopyRules, RowCopy, copy_rows
from trenova_activities.database._ids import new_id
from trenova_activities.database._shipment_rules import (
    STOP_STARTS,
    charge_rules,
    commodity_rules,
    move_rules,
    shipment_rules,
    stop_rules,
)
from trenova_activities.database._tenant import Tenant
from trenova_errors import ResourceNotFoundError, RetryableError

_BOL_LENGTH = 100  # characters of shipments.bol


class _Child(NamedTuple):
    prefix: str
    parent: str


_CHILDREN: Final = {
    "shipment_moves": _Child("smv", "shipment_id"),
    "stops": _Child("stp", "shipment_move_id"),
    "shipment_commodities": _Child("sc", "shipment_id"),
    "additional_charges": _Child("ac", "shipment_id"),
}


@dataclass(frozen=True)
class Copy:
    """One finished copy."""

    id: str
    pro_number: str
    bol: str | None


@dataclass(frozen=True)
class ShipmentCopier:
    """Copies one shipment of one tenant.

    Attributes:
        connection: The caller's transaction.
        catalog: The TMS's tables.
        tenant: Whose shipment it is; every statement carries it.
        payload: What is asked.
        at: The database's time, unix seconds.
    """

    connection: AsyncConnection
    catalog: Catalog
    tenant: Tenant
    payload: DuplicateShipmentPayload
    at: int

    async def source(self) -> Row[Any]:
        """Read the source and keep it from changing until the transaction ends.

        Raises:
            ResourceNotFoundError: The tenant has no such shipment.
        """
        shipments = self.catalog["shipments"]
        columns = [shipments.c[name] for name in ("pro_number", "bol", "freight_charge_amount")]
        query = select(*columns).where(self.tenant.owns(shipments), shipments.c.id == self.payload.shipment_id)
        row = (await self.connection.execute(query.with_for_update(read=True))).one_or_none()
        if row is None:
            raise ResourceNotFoundError.of("shipment", self.payload.shipment_id)
        return row

    async def requester(self) -> None:
        """Make sure that whoever asks belongs to the tenant, where the TMS's users say to which they belong.

        Raises:
            ResourceNotFoundError: The tenant has no such user.
        """
        if not self.catalog.owned("users"):
            return
        users = self.catalog["users"]
        query = select(users.c.id).where(self.tenant.owns(users), users.c.id == self.payload.user_id)
        if (await self.connection.execute(query)).first() is None:
            raise ResourceNotFoundError.of("user", self.payload.user_id)

    async def copy(self, source: Row[Any], pro_numbers: Sequence[str]) -> list[Copy]:
        """Make one complete copy per pro number."""
        copies = [
            Copy(new_id("shp"), number, _bol(source.bol, position))
            for position, number in enumerate(pro_numbers, start=1)
        ]
        charges = await self._children("additional_charges", [self.payload.shipment_id])
        wanted = charges if self.payload.include_additional_charges else []
        rules = shipment_rules(
            requester=self.payload.user_id,
            at=self.at,
            totals={} if wanted else _totals(source.freight_charge_amount),
        )
        rows = [
            RowCopy(self.payload.shipment_id, {"id": copy.id, "pro_number": copy.pro_number, "bol": copy.bol})
            for copy in copies
        ]
        await self._insert("shipments", rules, rows)
        ids = {self.payload.shipment_id: [copy.id for copy in copies]}
        await self._copy_route(ids)
        if self.payload.include_commodities:
            goods = await self._children("shipment_commodities", list(ids))
            await self._copy_children("shipment_commodities", commodity_rules(self.at), goods, ids)
        await self._copy_children("additional_charges", charge_rules(self.at), wanted, ids)
        return copies

    async def _copy_route(self, shipments: dict[str, list[str]]) -> None:
        moves = await self._children("shipment_moves", list(shipments))
        moved = await self._copy_children("shipment_moves", move_rules(self.at), moves, shipments)
        stops = await self._children("stops", list(moved))
        rules = stop_rules(self.at, shift=await self._shift(list(moved)))
        await self._copy_children("stops", rules, stops, moved)

    async def _shift(self, moves: Sequence[str]) -> int:
        """Return how far the plan moves so that its earliest arrival is now, in seconds."""
        if not self.payload.override_dates or not moves:
            return 0
        stops = self.catalog["stops"]
        start = stops.c[self.catalog.first("stops", *STOP_STARTS) or STOP_STARTS[0]]
        query = select(func.min(start)).where(self.tenant.owns(stops), stops.c.shipment_move_id.in_(moves))
        earliest = (await self.connection.execute(query)).scalar_one()
        return 0 if earliest is None else self.at - int(earliest)

    async def _children(self, table: str, parents: Sequence[str]) -> list[tuple[str, str]]:
        """Return (id, id of the parent) of the tenant's rows below the parents."""
        if not parents:
            return []
        rows, parent = self.catalog[table], _CHILDREN[table].parent
        query = select(rows.c.id, rows.c[parent]).where(self.tenant.owns(rows), rows.c[parent].in_(parents))
        return [(row[0], row[1]) for row in await self.connection.execute(query.order_by(rows.c.id))]

    async def _copy_children(
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
        await self._insert(table, rules, made)
        return ids

    async def _insert(self, table: str, rules: CopyRules, rows: Sequence[RowCopy]) -> None:
        if not rows:
            return
        statement = copy_rows(self.connection.dialect.name, self.catalog[table], self.tenant, rules, rows)
        inserted = (await self.connection.execute(statement)).rowcount
        if inserted != len(rows):
            raise RetryableError(
                f"Copied {inserted} of {len(rows)} rows of {table}: somebody changed the shipment meanwhile. "
                "Nothing was written; it is tried again."
            )


def _totals(freight: Decimal | float | None) -> dict[str, Any]:
    """Return the totals of a copy without additional charges."""
    return {"other_charge_amount": Decimal(0), "total_charge_amount": Decimal(str(freight or 0))}


def _bol(source: str | None, position: int) -> str | None:
    """Number the bill of lading of a copy; the whole has at most 100 characters, the number always survives."""
    if source is None:
        return None
    suffix = f"-COPY-{position:02}"
    return source[: _BOL_LENGTH - len(suffix)] + suffix
