"""A worker process for tests that kill it: ``purge_worker.py ADDRESS QUEUE DATABASE_URL [SECONDS OF A CALL]``."""

import asyncio
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from trenova_activities import DeleteAuditEntriesWorkflow
from trenova_activities.database import Database, DatabaseOptions, RetentionActivities, ready_catalog
from trenova_activities.database._nightly import Budget
from trenova_errors import ErrorsPlugin


async def main(address: str, queue: str, url: str, seconds: str = "1") -> None:
    client = await Client.connect(address, plugins=[ErrorsPlugin()])
    async with Database.open(DatabaseOptions(url=url)) as database:
        catalog = await ready_catalog(database, "delete_audit_entries")
        activities = RetentionActivities(database, catalog, budget=Budget(seconds=float(seconds)))
        workflows = [DeleteAuditEntriesWorkflow]
        async with Worker(client, task_queue=queue, workflows=workflows, activities=[activities.delete]):
            print("working", flush=True)  # noqa: T201 - the test waits for it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
