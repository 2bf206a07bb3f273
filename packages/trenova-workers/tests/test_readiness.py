import asyncio
import uuid
from contextlib import AsyncExitStack

from sample_worker._jobs import nap
from sample_worker.waiting import eventually_awaited
from temporalio.client import Client
from temporalio.worker import Worker

from trenova_workers import Identity
from trenova_workers._readiness import Readiness

MANY = 10


async def test_each_of_many_workers_of_a_queue_is_seen_wherever_in_it_it_polls(server):
    """With one poll each, most poll in a partition that the server does not name by itself."""
    queue = f"shared-{uuid.uuid4().hex[:8]}"
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(MANY):
            identity = Identity.of_this_process("sample-worker")
            client = await Client.connect(server.address, identity=identity.text)
            await stack.enter_async_context(
                Worker(client, task_queue=queue, activities=[nap], max_concurrent_activity_task_polls=1)
            )
            readiness = Readiness(identity, [queue])
            readiness.started(client, workflows=False, activities=True)
            found.append(readiness)

        async def all_ready():
            return {(await one.look())["state"] for one in found} == {"ready"}

        await eventually_awaited(all_ready, seconds=20)
        await asyncio.sleep(1.1)  # past what an answer is good for
        assert await all_ready()
