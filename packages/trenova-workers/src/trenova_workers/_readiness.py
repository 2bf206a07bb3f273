"""Whether this process really serves: the server says that our identity polls every queue."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NotRequired, TypedDict

from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers._drain import DrainReport
from trenova_workers._identity import Identity

# Answers are reused this long, so that many probes cost the server one question.
_FRESH_WHEN_READY_S = 1.0
_FRESH_BEFORE_S = 0.1
_RPC_TIMEOUT = timedelta(seconds=2)


class State(StrEnum):
    """Where a process is in its life. ``starting`` is also one that waits for its server to come back."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"


class Report(TypedDict):
    """The body of a health answer.

    ``queues`` maps each queue to ``polling`` or what is missing; ``drain`` is there while the process drains.
    """

    service: str
    identity: str
    host: str
    pid: int
    instance: str
    build_id: str | None
    queues: dict[str, str]
    state: str
    reason: str
    drain: NotRequired[DrainReport]


class Readiness:
    """Knows the state of the process and asks the server about its pollers."""

    def __init__(self, identity: Identity, queues: Sequence[str]) -> None:
        self.identity = identity
        self._queues = dict.fromkeys(queues, "not started")
        self._state = State.STARTING
        self._reason = "The workers have not been started."
        self._client: Client | None = None
        self._kinds: Sequence[TaskQueueType.ValueType] = ()
        self._drain: Callable[[], DrainReport] | None = None
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()

    def started(self, client: Client, *, workflows: bool, activities: bool) -> None:
        """Workers run from now on; ``client`` asks whether the server sees them poll for these."""
        self._client = client
        self._kinds = [
            *([TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW] if workflows else []),
            *([TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY] if activities else []),
        ]
        self._reason = "The server has not been asked yet."

    def draining(self, why: str, report: Callable[[], DrainReport]) -> None:
        """No new work is taken from now on; ``report`` says how far that is."""
        self._drain = report
        self._enter(State.DRAINING, why)

    def stopped(self) -> None:
        """The last worker has ended."""
        self._drain = None
        self._enter(State.STOPPED, "The workers have ended.")

    def _enter(self, state: State, why: str) -> None:
        self._state, self._reason, self._client = state, why, None
        self._queues = dict.fromkeys(self._queues, str(state))

    def last(self) -> Report:
        """Return what was found last, without asking anyone."""
        report = Report(
            service=self.identity.service,
            identity=self.identity.text,
            host=self.identity.host,
            pid=self.identity.pid,
            instance=self.identity.instance,
            build_id=self.identity.build_id,
            queues=dict(self._queues),
            state=str(self._state),
            reason=self._reason,
        )
        if self._drain:
            report["drain"] = self._drain()
        return report

    async def look(self) -> Report:
        """Return the present state; the server is asked unless the last answer is fresh."""
        async with self._lock:
            fresh = _FRESH_BEFORE_S if self._reason else _FRESH_WHEN_READY_S
            if self._client is not None and time.monotonic() - self._looked_at >= fresh:
                await self._ask(self._client)
                self._looked_at = time.monotonic()
        return self.last()

    async def _ask(self, client: Client) -> None:
        queues = list(self._queues)
        try:
            answers = await asyncio.gather(*(self._missing(client, queue) for queue in queues))
        except RPCError as error:
            found = dict.fromkeys(queues, "unknown")
            reason = f"The Temporal server does not answer: {error.message}."
        else:
            found = dict(zip(queues, answers, strict=True))
            missing = [f"{queue!r} {said}" for queue, said in found.items() if said != "polling"]
            reason = f"The server does not see us poll: {', '.join(missing)}." if missing else ""
        if self._client is None:  # drained while we asked
            return
        self._queues, self._reason = found, reason
        self._state = State.STARTING if reason else State.READY

    async def _missing(self, client: Client, queue: str) -> str:
        polled = await asyncio.gather(*(self._polls(client, queue, kind) for kind in self._kinds))
        missing = [kind for kind, polls in zip(self._kinds, polled, strict=True) if not polls]
        if missing:
            found = await self._polled_anywhere(client, queue, missing)
            missing = [kind for kind in missing if kind not in found]
        return f"not polling for {' and '.join(_NAMES[kind] for kind in missing)}" if missing else "polling"

    async def _polls(self, client: Client, queue: str, kind: TaskQueueType.ValueType) -> bool:
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            ),
            timeout=_RPC_TIMEOUT,
        )
        return self._is_among(answer.pollers)

    async def _polled_anywhere(
        self, client: Client, queue: str, kinds: Sequence[TaskQueueType.ValueType]
    ) -> set[TaskQueueType.ValueType]:
        """Return the kinds that we poll for in any partition of the queue.

        The usual answer names the pollers of the first partition alone. Where many workers share a queue, some poll
        in others only, for a minute at a time. This answer names all, and may be some seconds old.
        """
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
                task_queue_types=kinds,
                report_pollers=True,
            ),
            timeout=_RPC_TIMEOUT,
        )
        told = [found for version in answer.versions_info.values() for found in version.types_info.items()]
        return {kind for kind in kinds for of, info in told if of == kind and self._is_among(info.pollers)}

    def _is_among(self, pollers: Iterable[PollerInfo]) -> bool:
        return any(poller.identity == self.identity.text for poller in pollers)


_NAMES: dict[TaskQueueType.ValueType, str] = {
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflows",
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activities",
}
