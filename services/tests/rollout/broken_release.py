"""A release of the shipment worker of which every duplication fails: ``python -m broken_release run``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from temporalio import activity

from shipment_worker.__main__ import SERVICE
from shipment_worker._settings import Settings
from trenova_activities import DUPLICATE_SHIPMENT_ACTIVITY, DuplicateShipmentPayload, DuplicateShipmentWorkflow
from trenova_errors import DataIntegrityError
from trenova_workers import Work
from trenova_workers.cli import service_main


@activity.defn(name=DUPLICATE_SHIPMENT_ACTIVITY)
async def duplicate(payload: DuplicateShipmentPayload) -> None:
    """Refuse it, as code does that has a mistake in it."""
    raise DataIntegrityError("The release has a mistake in it.")


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Register the workflow as it is, and the activity with the mistake."""
    yield Work([DuplicateShipmentWorkflow], [duplicate])


if __name__ == "__main__":
    service_main(replace(SERVICE, work=work))
