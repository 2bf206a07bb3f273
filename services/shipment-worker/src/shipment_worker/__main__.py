"""``python -m shipment_worker run | prepare | demo | check | config show``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from shipment_worker._demo import demonstrate
from shipment_worker._settings import Settings
from trenova_activities import DUPLICATE_SHIPMENT_JOB, SEARCH_ATTRIBUTES, DuplicateShipmentWorkflow
from trenova_activities.database import ShipmentActivities, check, migrate
from trenova_workers import Finding, Service, Work
from trenova_workers.cli import service_main


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Refuse a database that lacks something, and register the jobs."""
    async with settings.open_database() as database:
        shipments = await ShipmentActivities.open(database, settings.pro_numbers)
        yield Work([DuplicateShipmentWorkflow], [shipments.duplicate])


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, to the current revision."""
    async with settings.open_database() as database:
        await migrate(database, embedded=None if settings.database.embedded else False)


async def look(settings: Settings) -> Sequence[Finding]:
    """Say whether the database has what the jobs need."""
    async with settings.open_database() as database:
        lacks = await check(database, [DUPLICATE_SHIPMENT_JOB])
    return [Finding(job, not missing, "; ".join(missing) or "ready") for job, missing in lacks.items()]


SERVICE = Service(
    name="shipment-worker",
    summary="Runs the shipment jobs.",
    settings=Settings,
    queues=lambda settings: settings.queues,
    work=work,
    prepare=prepare,
    check=look,
    demo=demonstrate,
    demo_order=10,
    search_attributes=SEARCH_ATTRIBUTES,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
