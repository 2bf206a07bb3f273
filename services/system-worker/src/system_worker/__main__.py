"""``python -m system_worker run | prepare | demo | check | console | config show``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from system_worker._console import serve_console
from system_worker._demo import demonstrate
from system_worker._jobs import open_jobs
from system_worker._ledger import with_ledger
from system_worker._prepare import prepare
from system_worker._schedules import reconcile_schedules
from system_worker._settings import Settings
from trenova_activities import DELETE_AUDIT_ENTRIES_JOB, SEARCH_ATTRIBUTES
from trenova_activities.database import check
from trenova_workers import Finding, Service, Work
from trenova_workers.cli import service_main


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Register the jobs that the database has everything for."""
    async with settings.open_database() as database, settings.open_store() as store:
        yield with_ledger(await open_jobs(settings, database), store)


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
    console=serve_console,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
