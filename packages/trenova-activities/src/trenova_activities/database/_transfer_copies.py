"""The sources of a transfer, and the copies that are made of them for the other customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from trenova_activities._transfer_contract import TransferShipmentsPayload
from trenova_activities.database._copying import CopyRules, RowCopy
from trenova_activities.database._ids import new_id
from trenova_activities.database._part_copies import PartCopier
from trenova_activities.database._shipment_copies import Copy, copy_bol
from trenova_activities.database._shipment_rules import charge_rules, commodity_rules, shipment_rules
from trenova_activities.database._shipment_statuses import FINISHED
from trenova_errors import InvalidInputError, ResourceNotFoundError

_MOST_NAMED = 10


@dataclass(frozen=True)
class TransferCopier(PartCopier):
    """Copies the shipments of one transfer to their new customer.

    Attributes:
        payload: What is asked.
    """

    payload: TransferShipmentsPayload

    async def sources(self) -> list[Row[Any]]:
        """Read the sources in the order of the request, and keep them from changing until the transaction ends.

        Raises:
            ResourceNotFoundError: The tenant has no such shipment.
            InvalidInputError: One is finished, or belongs to that customer already.
        """
        shipments, asked = self.catalog["shipments"], self.payload.shipment_ids
        columns = [shipments.c[name] for name in ("id", "pro_number", "bol", "status", "customer_id")]
        query = select(*columns).where(self.tenant.owns(shipments), shipments.c.id.in_(asked)).order_by(shipments.c.id)
        found = {row.id: row for row in await self.connection.execute(query.with_for_update())}
        for id_ in asked:
            if id_ not in found:
                raise ResourceNotFoundError.of("shipment", id_)
        rows = [found[id_] for id_ in asked]
        self._refuse_finished(rows)
        return rows

    def _refuse_finished(self, rows: Sequence[Row[Any]]) -> None:
        finished = [f"{row.pro_number} ({row.status})" for row in rows if row.status in FINISHED]
        if finished:
            raise InvalidInputError(
                f"Shipments that are billed, invoiced or canceled cannot be transferred: {_named(finished)}. "
                "Leave them out.",
                shipments=len(finished),
            )
        theirs = [row.pro_number for row in rows if row.customer_id == self.payload.customer_id]
        if theirs:
            raise InvalidInputError(
                f"These shipments belong to that customer already: {_named(theirs)}. Leave them out.",
                shipments=len(theirs),
            )

    async def copy(self, sources: Sequence[Row[Any]], numbers: Sequence[str]) -> dict[str, Copy]:
        """Make one complete copy of each source; return them by source."""
        copies = {
            source.id: Copy(new_id("shp"), number, copy_bol(source.bol, 1))
            for source, number in zip(sources, numbers, strict=True)
        }
        rules = shipment_rules(
            requester=self.payload.user_id, at=self.at, fresh={"customer_id": self.payload.customer_id}
        )
        rows = [
            RowCopy(id_, {"id": copy.id, "pro_number": copy.pro_number, "bol": copy.bol})
            for id_, copy in copies.items()
        ]
        await self.insert("shipments", rules, rows)
        await self._copy_parts({id_: [copy.id] for id_, copy in copies.items()})
        return copies

    async def _copy_parts(self, ids: dict[str, list[str]]) -> None:
        await self.copy_stops(await self.copy_moves(ids))
        parts: Mapping[str, CopyRules] = {
            "shipment_commodities": commodity_rules(self.at),
            "additional_charges": charge_rules(self.at),
        }
        for table, rules in parts.items():
            await self.copy_children(table, rules, await self.children(table, list(ids)), ids)


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
