"""What a newcomer writes from the SDK's documentation: default workers for the three queues in one process.

Usage: ``python plain_worker.py ADDRESS DATABASE_URL``; polls until it is killed.
"""

import asyncio
import sys
from contextlib import AsyncExitStack

from temporalio.client import Client
from temporalio.worker import Worker

from trenova_activities import (
    NOTIFICATION_QUEUE,
    SHIPMENT_QUEUE,
    SYSTEM_QUEUE,
    CheckDatabaseWorkflow,
    DuplicateShipmentWorkflow,
    SendConfigurationCopiedNotificationWorkflow,
    SendJobCompleteNotificationWorkflow,
)
from trenova_activities.database import (
    Database,
    DatabaseOptions,
    NotificationActivities,
    ShipmentActivities,
    SystemActivities,
)
from trenova_errors import ErrorsPlugin


async def main(address: str, url: str) -> None:
    """Serve the same workflows and activities as the three services, every option left at its default."""
    client = await Client.connect(address, plugins=[ErrorsPlugin()])  # the plugin reads and writes the payloads
    async with Database.open(DatabaseOptions(url=url)) as database, AsyncExitStack() as running:
        shipments = await ShipmentActivities.open(database)
        told = await NotificationActivities.open(database)
        for worker in (
            Worker(
                client,
                task_queue=SHIPMENT_QUEUE,
                workflows=[DuplicateShipmentWorkflow],
                activities=[shipments.duplicate],
            ),
            Worker(
                client,
                task_queue=NOTIFICATION_QUEUE,
                workflows=[SendJobCompleteNotificationWorkflow, SendConfigurationCopiedNotificationWorkflow],
                activities=[told.notify, told.configuration_copied],
            ),
            Worker(
                client,
                task_queue=SYSTEM_QUEUE,
                workflows=[CheckDatabaseWorkflow],
                activities=[SystemActivities(database).check_database],
            ),
        ):
            await running.enter_async_context(worker)
        sys.stdout.write("polling\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
