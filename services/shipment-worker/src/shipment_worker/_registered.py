"""Which workflows the workers of a queue register, by their heartbeats."""

from collections.abc import Collection

from temporalio.client import Client

from trenova_workers import WorkerState, list_workers


class LiveRegistrations:
    """Asks the workers that run now; what ``trenova_schedules.Registrations`` describes."""

    async def workflows(self, client: Client, task_queue: str) -> Collection[str] | None:
        """Return the names on a queue; None where nobody polls it, or one of its workers does not tell.

        Raises:
            ConfigurationError: The server does not tell us.
            temporalio.service.RPCError: The server cannot be asked.
        """
        told = [
            queue.registrations
            for worker in await list_workers(client, queues=[task_queue])
            for queue in worker.queues
            if queue.queue == task_queue and queue.state is WorkerState.RUNNING
        ]
        if not told or not all(one is not None and one.known for one in told):
            return None
        return {name for one in told if one is not None for name in one.workflows}
