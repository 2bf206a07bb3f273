"""Whether somebody works on the queues that rules name."""

import asyncio
from collections.abc import Sequence
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers._service import Finding
from trenova_workers.routing._rules import RoutingRules
from trenova_workers.routing._statistics import WORKFLOW_TASKS, ServerStatistics

_AT_ONCE: Final = 4


async def check_routing(client: Client, rules: RoutingRules) -> Sequence[Finding]:
    """Ask the server who polls each queue that the rules name; one finding a queue, in the order of the rules.

    A queue that nobody has polled for 90 s is amiss: what the rules send there waits.
    """
    asked = ServerStatistics(client.service_client, client.namespace, lambda: 0.0)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def look(queue: str, names: list[str]) -> Finding:
        subject, of = f"routing to {queue}", ", ".join(names)
        async with limit:
            try:
                served = await asked.is_served(queue, await asked.describe(queue, WORKFLOW_TASKS))
            except RPCError as error:
                return Finding(subject, ok=False, detail=f"The server does not say who polls it: {error.message}.")
        if served:
            return Finding(subject, ok=True, detail=f"polled; named by {of}")
        cure = "Start a worker with it among its 'queues', or correct the rules."
        return Finding(subject, ok=False, detail=f"Nobody polls it, and starts go there by {of}. {cure}")

    return await asyncio.gather(*(look(queue, names) for queue, names in rules.queues().items()))
