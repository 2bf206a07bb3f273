"""A worker of the transfer in a process of its own, which dies where it is told to.

``python transfer_worker.py ADDRESS QUEUE URL WORKFLOW [POINT]``; it prints ``ready`` when it polls.
"""

import asyncio
import sys

from temporalio.client import Client
from temporalio.worker import Worker
from transfers import UNDOING, Faults, dies, loses

from trenova_activities import TransferShipmentsWorkflow
from trenova_activities.database import Database, DatabaseOptions, TransferActivities
from trenova_errors import ErrorsPlugin


async def main(address: str, queue: str, url: str, workflow: str, point: str = "") -> None:
    client = await Client.connect(address, plugins=[ErrorsPlugin()])
    faults = Faults()
    if point:
        faults.at(workflow, point, dies)
        if point.split()[1] in UNDOING:
            faults.at(workflow, "after cancel", loses)
    async with Database.open(DatabaseOptions(url=url)) as database:
        activities = [faults.wrapped(one) for one in (await TransferActivities.open(database)).activities]
        async with Worker(client, task_queue=queue, workflows=[TransferShipmentsWorkflow], activities=activities):
            print("ready", flush=True)  # noqa: T201 - the test waits for it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
