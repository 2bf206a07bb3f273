"""``python -m system_worker run | prepare | demo | check | config show``."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from system_worker._demo import demonstrate
from system_worker._jobs import open_jobs
from system_worker._schedules import reconcile_schedules
from system_worker._settings import Settings
from trenova_activities import DELETE_AUDIT_ENTRIES_JOB, SEARCH_ATTRIBUTES
from trenova_activities.database import allow_by_default, check, migrate
from trenova_workers import Finding, Service, Work
from trenova_workers.cli import service_main

_log = logging.getLogger(__name__)


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Register the jobs that the database has everything for."""
    async with settings.open_database() as database:
        yield await open_jobs(settings, database)


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, up to date; its audit log lets retention through."""
    async with settings.open_database() as database:
        await migrate(database, embedded=None if settings.database.embedded else False)
        if said := await allow_by_default(database):
            _log.info(said)


async def look(settings: Settings) -> Sequence[Finding]:
    """Say whether the database has what this service's own job needs; its role sees nothing of the others."""
    async with settings.open_database() as database:
        lacks = await check(database, [DELETE_AUDIT_ENTRIES_JOB])
    return [Finding(job, not missing, "; ".join(missing) or "ready") for job, missing in lacks.items()]


SERVICE = Service(
    name="system-worker",
    summary="Runs the jobs that keep the system itself in order.",
    settings=Settings,
    queues=lambda settings: settings.queues,
    work=work,
    prepare=prepare,
    prepare_namespace=reconcile_schedules,
    check=look,
    demo=demonstrate,
    demo_order=30,
    search_attributes=SEARCH_ATTRIBUTES,
    plugins=Settings.plugins,
    limits=Settings.limits,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
