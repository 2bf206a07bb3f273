"""What the worker registers, and what ``check`` looks at."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from notification_worker._settings import Settings
from trenova_activities import (
    NOTIFICATION_JOB,
    RedeliverNotificationWorkflow,
    SendConfigurationCopiedNotificationWorkflow,
    SendJobCompleteNotificationWorkflow,
)
from trenova_activities.channels import open_channels
from trenova_activities.database import DeliveryActivities, NotificationActivities, check
from trenova_workers import Finding, Work

_WORKFLOWS = (
    SendJobCompleteNotificationWorkflow,
    SendConfigurationCopiedNotificationWorkflow,
    RedeliverNotificationWorkflow,
)


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Refuse a database that lacks something, and register the jobs."""
    async with settings.open_database() as database, open_channels(settings.channels) as channels:
        told = await NotificationActivities.open(database, settings.channels)
        sent = await DeliveryActivities.open(database, channels)
        deliveries = (sent.email, sent.webhook, sent.redis, sent.bury, sent.reopen)
        yield Work(_WORKFLOWS, [told.notify, told.configuration_copied, *deliveries])


async def look(settings: Settings) -> Sequence[Finding]:
    """Say whether the database has what the jobs need, and whether the channels can be reached."""
    async with settings.open_database() as database:
        lacks = await check(database, [NOTIFICATION_JOB])
    async with open_channels(settings.channels) as channels:
        probes = await channels.probe()
    found = [Finding(job, not missing, "; ".join(missing) or "ready") for job, missing in lacks.items()]
    return [*found, *(Finding(one.subject, one.ok, one.detail) for one in probes)]
