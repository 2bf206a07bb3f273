"""One duplication from the command line: complete the request, start it, show how it goes."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.envconfig import ClientConfig

from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
from trenova_activities._starting import start_duplicate
from trenova_errors import ErrorsPlugin, InvalidInputError, UnavailableError

_LOOK_EVERY_S = 0.5
_PATIENCE_S = 5.0
_RPC_TIMEOUT = timedelta(seconds=10)
_DEFAULT_ADDRESS = "localhost:7233"

console = Console(highlight=False)


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
        client = await _connect()
        handle = await start_duplicate(client, payload)
        console.print(f"Workflow {handle.id}", soft_wrap=True)
        if follow:
            await _follow(client, handle, payload.count)
            _show(await handle.result())

    async def _payload(self) -> DuplicateShipmentPayload:
        try:
            return DuplicateShipmentPayload(**await self._ids(), **self.options)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)
            said = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
            raise InvalidInputError(f"The request is not valid: {said}.") from None

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


async def _connect() -> Client:
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    try:
        return await Client.connect(**config, plugins=[ErrorsPlugin()])
    except RuntimeError as error:  # how the SDK says that nobody listens; its text names its own transport only
        raise UnavailableError(
            f"No Temporal server answers at {config['target_host']}. Start one with 'trenova-workers up', "
            "or name another with TEMPORAL_ADDRESS."
        ) from error


async def _follow(client: Client, handle: WorkflowHandle[Any, DuplicateShipmentResult], count: int) -> None:
    """Show the stage that the activity reports until the run is closed."""
    deadline = time.monotonic() + _PATIENCE_S
    with console.status(f"{count} copies: waiting for a worker") as status:
        while True:
            description = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            if description.status != WorkflowExecutionStatus.RUNNING:
                return
            for activity in description.raw_description.pending_activities:
                deadline = float("inf")
                status.update(f"{count} copies: {await _stage(client, activity)}")
            if time.monotonic() > deadline:
                deadline = float("inf")
                console.print(f"No worker has taken it yet; is one polling {description.task_queue!r}?")
            await asyncio.sleep(_LOOK_EVERY_S)


async def _stage(client: Client, activity: PendingActivityInfo) -> str:
    beats = activity.heartbeat_details.payloads
    [stage] = await client.data_converter.decode(beats, [str]) if beats else ["waiting for a worker"]
    tries = f", attempt {activity.attempt}" if activity.attempt > 1 else ""
    failure = f" after: {activity.last_failure.message}" if activity.last_failure.message else ""
    return f"{stage}{tries}{failure}"


def _show(result: DuplicateShipmentResult) -> None:
    table = Table("pro number", "shipment")
    for number, shipment in zip(result.pro_numbers, result.shipment_ids, strict=True):
        table.add_row(number, shipment)
    console.print(table)
    console.print(result.result)
