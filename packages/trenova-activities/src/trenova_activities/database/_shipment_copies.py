"""All copies of one shipment, its moves, stops, commodities and charges, inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, select

from trenova_activities._duplication_contract import DuplicateShipmentPayload
from trenova_activities.database._copying import RowCopy
from trenova_activities.database._ids import new_id
from trenova_activities.database._part_copies import PartCopier
from trenova_activities.database._shipment_rules import (
    STOP_STARTS,
    charge_rules,
    commodity_rules,
    shipment_rules,
)
from trenova_errors import ResourceNotFoundError

_BOL_LENGTH = 100  # characters of shipments.bol


@dataclass(frozen=True)
class Copy:
    """One finished copy."""

    id: str
    pro_number: str
    bol: str | None


@dataclass(frozen=True)
class ShipmentCopier(PartCopier):
    """Copies one shipment of one tenant.

    Attributes:
        payload: What is asked.
    """

    payload: DuplicateShipmentPayload

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
        """Make sure that whoever asks belongs to the tenant.

        Raises:
            ResourceNotFoundError: The tenant has no such user.
        """
        await self.require_user(self.payload.user_id)

    async def copy(self, source: Row[Any], pro_numbers: Sequence[str]) -> list[Copy]:
        """Make one complete copy per pro number."""
        copies = [
            Copy(new_id("shp"), number, copy_bol(source.bol, position))
            for position, number in enumerate(pro_numbers, start=1)
        ]
        charges = await self.children("additional_charges", [self.payload.shipment_id])
        wanted = charges if self.payload.include_additional_charges else []
        rules = shipment_rules(
            requester=self.payload.user_id,
            at=self.at,
            fresh={} if wanted else _totals(source.freight_charge_amount),
        )
        rows = [
            RowCopy(self.payload.shipment_id, {"id": copy.id, "pro_number": copy.pro_number, "bol": copy.bol})
            for copy in copies
        ]
        await self.insert("shipments", rules, rows)
        ids = {self.payload.shipment_id: [copy.id for copy in copies]}
        await self._copy_route(ids)
        if self.payload.include_commodities:
            goods = await self.children("shipment_commodities", list(ids))
            await self.copy_children("shipment_commodities", commodity_rules(self.at), goods, ids)
        await self.copy_children("additional_charges", charge_rules(self.at), wanted, ids)
        return copies

    async def _copy_route(self, shipments: dict[str, list[str]]) -> None:
        moved = await self.copy_moves(shipments)
        await self.copy_stops(moved, shift=await self._shift(list(moved)))

    async def _shift(self, moves: Sequence[str]) -> int:
        """Return how far the plan moves so that its earliest arrival is now, in seconds."""
        if not self.payload.override_dates or not moves:
            return 0
        stops = self.catalog["stops"]
        start = stops.c[self.catalog.first("stops", *STOP_STARTS) or STOP_STARTS[0]]
        query = select(func.min(start)).where(self.tenant.owns(stops), stops.c.shipment_move_id.in_(moves))
        earliest = (await self.connection.execute(query)).scalar_one()
        return 0 if earliest is None else self.at - int(earliest)


def _totals(freight: Decimal | float | None) -> dict[str, Any]:
    """Return the totals of a copy without additional charges."""
    return {"other_charge_amount": Decimal(0), "total_charge_amount": Decimal(str(freight or 0))}


def copy_bol(source: str | None, position: int) -> str | None:
    """Number the bill of lading of a copy; the whole has at most 100 characters, the number always survives."""
    if source is None:
        return None
    suffix = f"-COPY-{position:02}"
    return source[: _BOL_LENGTH - len(suffix)] + suffix
