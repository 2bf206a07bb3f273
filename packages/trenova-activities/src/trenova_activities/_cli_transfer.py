"""One transfer from the command line: complete the request, start it, show how it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from trenova_activities._cli_follow import connect, console, follow_to_end, say_if_known, valid
from trenova_activities._starting_transfer import start_transfer
from trenova_activities._transfer_contract import TransferShipmentsPayload, TransferShipmentsResult
from trenova_errors import InvalidInputError


@dataclass(frozen=True)
class TransferCommand:
    """What was typed.

    Attributes:
        shipments: Ids or pro numbers.
        customer: Id or code.
        tenant: Organization, business unit and user, where they were given.
        options: The rest of the request.
        url: The database that knows what was not given.
        data_dir: Where the embedded one is, if there is no URL.
    """

    shipments: Sequence[str]
    customer: str
    tenant: Mapping[str, str | None]
    options: Mapping[str, Any]
    url: str | None
    data_dir: Path

    async def run(self, *, follow: bool) -> None:
        """Start the transfer; follow it to its end if asked to.

        Raises:
            ApplicationError: The request is not valid, a shipment or the customer is unknown, or the key is in use.
            WorkflowFailureError: The transfer failed; everything is undone, or the message says what is not.
        """
        payload = valid(TransferShipmentsPayload, {**await self._ids(), **self.options})
        client = await connect()
        handle = await start_transfer(client, payload)
        console.print(f"Workflow {handle.id}", soft_wrap=True)
        await say_if_known(handle)
        if follow:
            await follow_to_end(client, handle, f"{len(payload.shipment_ids)} shipments")
            _show(await handle.result())

    async def _ids(self) -> dict[str, Any]:
        given = {name: value for name, value in self.tenant.items() if value}
        if len(given) == len(self.tenant):
            return {**given, "shipment_ids": list(self.shipments), "customer_id": self.customer}
        from trenova_activities._cli_lookup import find_customer, find_shipment, options_of

        options = options_of(self.url, self.data_dir)
        found = [await find_shipment(options, name) for name in self.shipments]
        tenants = {(row.organization_id, row.business_unit_id) for row in found}
        if len(tenants) > 1:
            raise InvalidInputError(
                "These shipments belong to several organizations or business units. Name those of one."
            )
        organization_id, business_unit_id = tenants.pop()
        known = {
            "organization_id": organization_id,
            "business_unit_id": business_unit_id,
            "user_id": found[0].entered_by_id,
        }
        customer_id = await find_customer(options, organization_id, business_unit_id, self.customer)
        return {**known, **given, "shipment_ids": [row.id for row in found], "customer_id": customer_id}


def _show(result: TransferShipmentsResult) -> None:
    table = Table("source", "pro number", "shipment")
    for row in zip(result.source_shipment_ids, result.pro_numbers, result.shipment_ids, strict=True):
        table.add_row(*row)
    console.print(table)
    console.print(result.result)
