"""How many tasks runs of a schedule brought, from the length and the duration of what they did."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

_LOOKED_AT: Final = 3
_EVENTS_A_TASK: Final = 3  # scheduled, started, ended
_AT_FIRST_S: Final = 60.0
_KEPT: Final = 20_000
_WITHIN: Final = timedelta(seconds=3)


class PastRuns:
    """Asks for runs, and keeps what it has learnt: a run that has ended is asked for once.

    Args:
        client: Needs permission to describe workflows.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, float] = {}

    async def tasks(self, runs: Sequence[WorkflowExecution], limit: asyncio.Semaphore) -> float:
        """Return how many tasks such a run brings in its first minute: the mean of the last three; 1 at least.

        Args:
            runs: Of one schedule, the newest first.
            limit: To questions at the same time.
        """
        found = await asyncio.gather(*(self._of(run, limit) for run in runs[:_LOOKED_AT]))
        known = [one for one in found if one is not None]
        return max(1.0, sum(known) / len(known)) if known else 1.0

    async def _of(self, run: WorkflowExecution, limit: asyncio.Semaphore) -> float | None:
        if run.run_id in self._known:
            return self._known[run.run_id]
        request = DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=run)
        async with limit:
            try:
                answer = await self._client.workflow_service.describe_workflow_execution(request, timeout=_WITHIN)
            except RPCError:  # forgotten meanwhile, or not for us
                return None
        info = answer.workflow_execution_info
        ended = bool(info.close_time.seconds)
        end = info.close_time.ToDatetime(tzinfo=UTC) if ended else datetime.now(UTC)
        lasted = (end - info.start_time.ToDatetime(tzinfo=UTC)).total_seconds()
        tasks = info.history_length / _EVENTS_A_TASK * min(1.0, _AT_FIRST_S / max(lasted, 1.0))
        if ended:
            self._known[run.run_id] = tasks
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        return tasks
