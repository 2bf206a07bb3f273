"""What the server says about one task queue."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.service import ServiceClient

from trenova_workers._fleet._server import of_all_partitions, pollers_in
from trenova_workers.routing._load import Reading

WORKFLOW_TASKS: Final = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITY_TASKS: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
POLLER_FRESH: Final = timedelta(seconds=90)
"""A poller that has not asked for so long is gone: each asks at least once a minute. The server lists it for longer."""

_TIMEOUT: Final = timedelta(seconds=5)


class Statistics(Protocol):
    """Where readings come from."""

    async def read(self, queue: str) -> Reading | None:
        """Ask about a queue; None when the answer makes no sense.

        Raises:
            temporalio.service.RPCError: There is no answer.
        """


def is_polled(pollers: Sequence[PollerInfo], now: datetime | None = None) -> bool:
    """Whether one of the pollers has asked lately."""
    since = (now or datetime.now(UTC)) - POLLER_FRESH
    return any(one.last_access_time.ToDatetime(UTC) >= since for one in pollers)


@dataclass(frozen=True)
class ServerStatistics:
    """Readings of a Temporal server."""

    service: ServiceClient
    namespace: str
    clock: Callable[[], float]

    async def read(self, queue: str) -> Reading | None:
        """Ask about workflow and activity tasks; the longer of the two waits counts, and workflow tasks need a poller.

        Raises:
            temporalio.service.RPCError: The server does not answer or refuses.
        """
        workflows, activities = await asyncio.gather(
            self.describe(queue, WORKFLOW_TASKS), self.describe(queue, ACTIVITY_TASKS)
        )
        at = self.clock()
        found = [one for one in (_reading(at, workflows), _reading(at, activities)) if one is not None]
        if not found:
            return None
        served = await self.is_served(queue, workflows)
        return replace(max(found, key=lambda one: one.wait_s), served=served)

    async def is_served(self, queue: str, answer: DescribeTaskQueueResponse) -> bool:
        """Whether somebody polls for workflow tasks.

        Args:
            queue: Its name.
            answer: To `describe`. It names the pollers of the first partition alone; where none of them is fresh, those
                of all partitions are asked for.

        Raises:
            temporalio.service.RPCError: The server does not answer or refuses.
        """
        if is_polled(answer.pollers):
            return True
        request = of_all_partitions(self.namespace, queue, [WORKFLOW_TASKS])
        found = await self.service.workflow_service.describe_task_queue(request, timeout=_TIMEOUT)
        return is_polled(pollers_in(found))

    async def describe(
        self, queue: str, kind: TaskQueueType.ValueType, *, config: bool = False
    ) -> DescribeTaskQueueResponse:
        """Ask for pollers and statistics, and for the configuration if told to."""
        return await self.service.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=kind,
                report_stats=True,
                report_config=config,
            ),
            timeout=_TIMEOUT,
        )


def _reading(at: float, answer: DescribeTaskQueueResponse) -> Reading | None:
    stats = answer.stats
    age = stats.approximate_backlog_age
    return Reading.of(
        at,
        stats.approximate_backlog_count,
        age.seconds + age.nanos / 1e9,
        stats.tasks_add_rate,
        stats.tasks_dispatch_rate,
    )
