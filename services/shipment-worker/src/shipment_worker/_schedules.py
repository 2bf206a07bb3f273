"""The schedules of this worker's jobs: created paused where they are missing, and then left to the operators."""

import logging

from temporalio.client import Client

from shipment_worker._settings import Settings
from trenova_activities import CANCEL_SHIPMENTS_SCHEDULE
from trenova_schedules import ScheduleDefinition, create_missing

_log = logging.getLogger(__name__)


async def create_schedules(settings: Settings, client: Client) -> None:
    """Create what is missing; nothing that is there is changed, and nothing runs before an operator resumes it.

    Args:
        settings: Name the queue on which the runs start.
        client: Of the namespace in which the schedules belong.
    """
    definition = ScheduleDefinition(
        **CANCEL_SHIPMENTS_SCHEDULE.fields(), task_queue=settings.queues[0], owner="shipment-worker", paused=True
    )
    report = await create_missing(client, [definition])
    for schedule in report.created:
        _log.info("a schedule was created paused; resume it when the job shall run", extra={"schedule": schedule})
