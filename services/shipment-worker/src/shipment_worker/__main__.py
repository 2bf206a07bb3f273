"""``python -m shipment_worker run | prepare | demo | check | config show``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from shipment_worker._demo import demonstrate
from shipment_worker._jobs import JOBS, open_jobs
from shipment_worker._schedules import reconcile_schedules
from shipment_worker._settings import Settings
from trenova_activities import SEARCH_ATTRIBUTES
from trenova_activities.database import check, migrate
from trenova_workers import Finding, Service, Work
from trenova_workers.cli import service_main


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Register the jobs that the database has everything for; refuse one that is ready for none."""
    async with settings.open_database() as database:
        yield await open_jobs(settings, database)


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, to the current revision."""
    async with settings.open_database() as database:
        await migrate(database, embedded=None if settings.database.embedded else False)


async def look(settings: Settings) -> Sequence[Finding]:
    """Say whether the database has what the jobs need."""
    async with settings.open_database() as database:
        lacks = await check(database, JOBS)
    return [Finding(job, not missing, "; ".join(missing) or "ready") for job, missing in lacks.items()]


SERVICE = Service(
    name="shipment-worker",
    summary="Runs the shipment jobs.",
    settings=Settings,
    queues=lambda settings: settings.queues,
    work=work,
    prepare=prepare,
    prepare_namespace=reconcile_schedules,
    check=look,
    demo=demonstrate,
    demo_order=10,
    search_attributes=SEARCH_ATTRIBUTES,
    plugins=Settings.plugins,
    limits=Settings.limits,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
