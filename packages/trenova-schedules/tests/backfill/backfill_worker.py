"""A worker in a process of its own, to be killed: ``python backfill_worker.py ADDRESS QUEUE``."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import BackfillActivities, BackfillScheduleWorkflow

sys.path.insert(0, str(Path(__file__).parent))

from backfill_runs import NumberWorkflow


async def serve(address: str, queue: str) -> None:
    client = await Client.connect(address, plugins=[ErrorsPlugin()])
    async with Worker(
        client,
        task_queue=queue,
        workflows=[BackfillScheduleWorkflow, NumberWorkflow],
        activities=BackfillActivities(client).all,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
