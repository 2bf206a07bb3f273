"""Asks a Temporal server about the queues and workers of a pool."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.taskqueue.v1 import TaskQueueStats as ServerStats
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from trenova_workers._fleet._fleet import Fleet
from trenova_workers._fleet._status import WorkerStatus
from trenova_workers.pool._asking import or_none
from trenova_workers.pool._figures import Figures, QueueStats, added_up

_WITHIN: Final = timedelta(seconds=5)
_KINDS: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


class TemporalObserver:
    """Reads the queues of one pool; kept as long as the pool, since it compares with the reading before.

    Args:
        client: Needs permission to describe task queues, to list workers and to count workflows.
        queues: Of the pool.
        clock: Returns the time of now.
    """

    def __init__(
        self, client: Client, queues: Sequence[str], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client, self._queues, self._clock = client, tuple(queues), clock
        self._fleet = Fleet(client, queues=queues)
        self._last: Figures | None = None

    async def read(self) -> Figures:
        """Return what there is to know now; what could not be read is None, and said.

        The server answers out of a cache of some seconds: figures that it only repeats are as old as when they were
        first said. An idle queue says the same because nothing happens, and is as of now.
        """
        missing: list[str] = []
        at = self._clock()
        stats, open_workflows, workers = await asyncio.gather(
            or_none(self._stats(), "the queues' load", missing, within=_WITHIN),
            or_none(self._open_workflows(), "open workflows", missing, within=_WITHIN),
            or_none(self._fleet.look(), "the workers' heartbeats", missing, within=_WITHIN),
        )
        if stats is not None and not all(one.makes_sense for one in stats):
            missing.append("The server's figures about the queues make no sense")
            stats = None
        figures = replace(self._figures(at, stats, open_workflows, workers or (), tuple(missing)), at=at)
        last = self._last
        repeated = last is not None and figures.numbers == last.numbers and not figures.idle
        if last is not None and last.read_at is not None and repeated:
            figures = replace(figures, read_at=last.read_at)
        self._last = figures
        return figures

    def _figures(
        self,
        at: datetime,
        stats: Sequence[QueueStats] | None,
        open_workflows: float | None,
        workers: Sequence[WorkerStatus],
        missing: tuple[str, ...],
    ) -> Figures:
        if stats is None:
            return Figures(None, open_workflows=open_workflows, workers=workers, missing=missing)
        told = added_up(stats)
        return Figures(
            at,
            backlog=float(told["backlog"]),
            backlog_age_s=float(told["backlog_age_s"]),
            arrival_rate=float(told["arrival_rate"]),
            dispatch_rate=float(told["dispatch_rate"]),
            rate_limited=bool(told["rate_limited"]),
            open_workflows=open_workflows,
            workers=workers,
            missing=missing,
        )

    async def _stats(self) -> list[QueueStats]:
        answers = await asyncio.gather(*(self._stats_of(queue) for queue in self._queues))
        return [one for answer in answers for one in answer]

    async def _stats_of(self, queue: str) -> list[QueueStats]:
        # The enhanced mode is asked although it is deprecated: the other answers 0 for some seconds for a queue that
        # it was first asked about before there was any task.
        answer = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=queue),
                api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
                task_queue_types=_KINDS,
                report_stats=True,
            ),
            timeout=_WITHIN,
        )
        return [
            _stats(info.stats)
            for version in answer.versions_info.values()
            for kind, info in version.types_info.items()
            if kind in _KINDS
        ]

    async def _open_workflows(self) -> float:
        quoted = ", ".join(f"'{queue}'" for queue in self._queues if "'" not in queue and "\\" not in queue)
        found = await self._client.count_workflows(
            f"TaskQueue IN ({quoted}) AND ExecutionStatus = 'Running'", rpc_timeout=_WITHIN
        )
        return float(found.count)


def _stats(told: ServerStats) -> QueueStats:
    age = told.approximate_backlog_age
    return QueueStats(
        backlog=told.approximate_backlog_count,
        age_s=age.seconds + age.nanos / 1e9,
        add_rate=told.tasks_add_rate,
        dispatch_rate=told.tasks_dispatch_rate,
        rate_limited=told.rate_limiting_active,
    )
