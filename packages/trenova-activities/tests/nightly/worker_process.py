"""A worker of the cancellation in a process of its own, to be killed or to have its clock put wrong.

``python worker_process.py ADDRESS QUEUE URL``; when it polls it prints ``ready`` and its clock.
"""

import asyncio
import sys
import time

from temporalio.client import Client
from temporalio.worker import Worker

from trenova_activities import CancelShipmentsByCreatedAtWorkflow
from trenova_activities.database import CancellationActivities, Database, DatabaseOptions
from trenova_errors import ErrorsPlugin


async def main(address: str, queue: str, url: str) -> None:
    client = await Client.connect(address, plugins=[ErrorsPlugin()])
    async with Database.open(DatabaseOptions(url=url)) as database:
        activities = await CancellationActivities.open(database)
        async with Worker(
            client, task_queue=queue, workflows=[CancelShipmentsByCreatedAtWorkflow], activities=[activities.cancel]
        ):
            print("ready", time.time(), flush=True)  # noqa: T201 - the test waits for it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
