"""The jobs of the shipment queue: each is served if the database has what it needs, whatever the others lack."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from shipment_worker._settings import Settings
from trenova_activities import (
    CANCEL_SHIPMENTS_JOB,
    DUPLICATE_SHIPMENT_JOB,
    TRANSFER_SHIPMENTS_JOB,
    CancelShipmentsByCreatedAtWorkflow,
    CancelShipmentsProgress,
    DuplicateShipmentWorkflow,
    TransferShipmentsWorkflow,
)
from trenova_activities.database import CancellationActivities, Database, ShipmentActivities, TransferActivities
from trenova_errors import ConfigurationError
from trenova_workers import Work

_log = logging.getLogger(__name__)

Job = tuple[type, Sequence[Callable[..., Any]]]


async def _duplication(settings: Settings, database: Database) -> Job:
    activities = await ShipmentActivities.open(database, settings.pro_numbers)
    return DuplicateShipmentWorkflow, [activities.duplicate]


async def _cancellation(settings: Settings, database: Database) -> Job:
    activities = await CancellationActivities.open(database, settings.notify_roles, plans=settings.plans)
    return CancelShipmentsByCreatedAtWorkflow, [activities.cancel]


async def _transfer(settings: Settings, database: Database) -> Job:
    opened = await TransferActivities.open(database, settings.pro_numbers)
    return TransferShipmentsWorkflow, opened.activities


JOBS: Final[Mapping[str, Callable[[Settings, Database], Awaitable[Job]]]] = {
    DUPLICATE_SHIPMENT_JOB: _duplication,
    CANCEL_SHIPMENTS_JOB: _cancellation,
    TRANSFER_SHIPMENTS_JOB: _transfer,
}
"""How each job is opened, by its name."""


async def open_jobs(settings: Settings, database: Database) -> Work:
    """Open the jobs that can run and log what the others lack; their tasks wait for a worker that can.

    Raises:
        ConfigurationError: None can run.
    """
    ready: list[Job] = []
    refused: dict[str, str] = {}
    for name, open_job in JOBS.items():
        try:
            ready.append(await open_job(settings, database))
        except ConfigurationError as error:
            refused[name] = error.message
            _log.error("a job is not served", extra={"job": name, "reason": error.message})
    if not ready:
        raise ConfigurationError(" ".join(refused.values()), jobs=", ".join(refused))
    activities = [activity for _, those in ready for activity in those]
    return Work([workflow for workflow, _ in ready], activities, goes_on=_goes_on)


def _goes_on(result: Any) -> bool:
    return isinstance(result, CancelShipmentsProgress) and not result.done
