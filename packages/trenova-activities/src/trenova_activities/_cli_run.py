"""One duplication from the command line: complete the request, start it, show how it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from trenova_activities._cli_follow import connect, console, follow_to_end, say_if_known, valid
from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
from trenova_activities._starting import start_duplicate


@dataclass(frozen=True)
class DuplicateCommand:
    """What was typed.

    Attributes:
        shipment: Id or pro number.
        tenant: Organization, business unit and user, where they were given.
        options: The rest of the request.
        url: The database that knows what was not given.
        data_dir: Where the embedded one is, if there is no URL.
    """

    shipment: str
    tenant: Mapping[str, str | None]
    options: Mapping[str, Any]
    url: str | None
    data_dir: Path

    async def run(self, *, follow: bool) -> None:
        """Start the duplication; follow it to its end if asked to.

        Raises:
            ApplicationError: The request is not valid, the shipment is unknown, or the key is in use.
            WorkflowFailureError: The duplication failed.
        """
        payload = await self._payload()
        client = await connect()
        handle = await start_duplicate(client, payload)
        console.print(f"Workflow {handle.id}", soft_wrap=True)
        await say_if_known(handle)
        if follow:
            await follow_to_end(client, handle, f"{payload.count} copies")
            _show(await handle.result())

    async def _payload(self) -> DuplicateShipmentPayload:
        return valid(DuplicateShipmentPayload, {**await self._ids(), **self.options})

    async def _ids(self) -> dict[str, Any]:
        given = {name: value for name, value in self.tenant.items() if value}
        if len(given) == len(self.tenant):
            return {**given, "shipment_id": self.shipment}
        from trenova_activities._cli_lookup import find_shipment, options_of

        found = await find_shipment(options_of(self.url, self.data_dir), self.shipment)
        known = {
            "organization_id": found.organization_id,
            "business_unit_id": found.business_unit_id,
            "user_id": found.entered_by_id,
        }
        return {**known, **given, "shipment_id": found.id}


def _show(result: DuplicateShipmentResult) -> None:
    table = Table("pro number", "shipment")
    for number, shipment in zip(result.pro_numbers, result.shipment_ids, strict=True):
        table.add_row(number, shipment)
    console.print(table)
    console.print(result.result)
