"""Whether anybody would take the runs of a schedule: its queue polled, its workflow registered."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final, Protocol

from temporalio.api.enums.v1 import TaskQueueKind, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

ANY_WORKFLOW: Final = "*"
"""The name of a dynamic workflow, which takes every type that has no name of its own."""
_WITHIN: Final = timedelta(seconds=10)


class Registrations(Protocol):
    """What workers register; filled by whoever knows, because the server does not."""

    async def workflows(self, client: Client, task_queue: str) -> Collection[str] | None:
        """Return the wire names of the workflows that workers of the queue register; ``*`` stands for every name.

        Returns:
            None where it is not known; whether somebody polls the queue decides then.
        """


class Serving:
    """Asks about each queue once.

    Args:
        client: Of the namespace.
        registrations: Knows which workflows are registered, or nothing at all.
    """

    def __init__(self, client: Client, registrations: Registrations | None) -> None:
        self._client, self._registrations = client, registrations
        self._known: dict[str, Collection[str] | None] = {}
        self._polled: dict[str, bool] = {}

    async def refusal(self, workflow: str, task_queue: str) -> str | None:
        """Say why runs of this workflow would wait for ever; None where they would not, or nobody knows."""
        registered = await self._registered(task_queue)
        if registered is not None:
            if workflow in registered or ANY_WORKFLOW in registered:
                return None
            names = ", ".join(sorted(registered)) or "nothing"
            return (
                f"workers of task queue {task_queue!r} do not register workflow {workflow!r} but {names}; "
                "register it there, or name the queue on which it is"
            )
        if await self._is_polled(task_queue):
            return None
        return f"nobody polls task queue {task_queue!r} for workflows; start its worker first, or mend its name"

    async def _registered(self, queue: str) -> Collection[str] | None:
        if self._registrations is None:
            return None
        if queue not in self._known:
            self._known[queue] = await self._registrations.workflows(self._client, queue)
        return self._known[queue]

    async def _is_polled(self, queue: str) -> bool:
        if queue not in self._polled:
            request = DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=queue, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
            answer = await self._client.workflow_service.describe_task_queue(request, retry=True, timeout=_WITHIN)
            self._polled[queue] = bool(answer.pollers)
        return self._polled[queue]
