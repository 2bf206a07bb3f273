"""``python -m notification_worker run | prepare | demo | check | config show``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from notification_worker._demo import demonstrate
from notification_worker._settings import Settings
from trenova_activities import (
    NOTIFICATION_JOB,
    SEARCH_ATTRIBUTES,
    SendConfigurationCopiedNotificationWorkflow,
    SendJobCompleteNotificationWorkflow,
)
from trenova_activities.database import NotificationActivities, check, migrate
from trenova_workers import Finding, Service, Work
from trenova_workers.cli import service_main


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Refuse a database that lacks something, and register the jobs."""
    async with settings.open_database() as database:
        told = await NotificationActivities.open(database)
        workflows = [SendJobCompleteNotificationWorkflow, SendConfigurationCopiedNotificationWorkflow]
        yield Work(workflows, [told.notify, told.configuration_copied])


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, to the current revision."""
    async with settings.open_database() as database:
        await migrate(database, embedded=None if settings.database.embedded else False)


async def look(settings: Settings) -> Sequence[Finding]:
    """Say whether the database has what the jobs need."""
    async with settings.open_database() as database:
        lacks = await check(database, [NOTIFICATION_JOB])
    return [Finding(job, not missing, "; ".join(missing) or "ready") for job, missing in lacks.items()]


SERVICE = Service(
    name="notification-worker",
    summary="Runs the notification jobs.",
    settings=Settings,
    queues=lambda settings: settings.queues,
    work=work,
    prepare=prepare,
    check=look,
    demo=demonstrate,
    demo_order=20,
    search_attributes=SEARCH_ATTRIBUTES,
    plugins=Settings.plugins,
    limits=Settings.limits,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
