"""How long runs waited for a worker: from when their first task was there until one took it, by their histories."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._reading._document import RunDocument

LOOKED_AT: Final = 5
"""Runs whose histories are asked for: one small call each."""
_EVENTS: Final = 10
_WITHIN: Final = timedelta(seconds=5)


@dataclass(frozen=True)
class WorkerWait:
    """One run.

    Attributes:
        run: Which.
        waited: How long; so far, where nobody has taken it.
        taken: Whether a worker has.
    """

    run: RunDocument
    waited: timedelta
    taken: bool


@dataclass(frozen=True)
class WorkerWaits:
    """The last runs.

    Attributes:
        waits: The newest first.
        unknown: Runs whose history is gone, or could not be read.
    """

    waits: Sequence[WorkerWait]
    unknown: int

    @property
    def longest(self) -> timedelta | None:
        """The longest of them; None where none is known."""
        return max((one.waited for one in self.waits), default=None)


async def worker_waits(client: Client, document: ScheduleDocument) -> WorkerWaits:
    """Read the beginnings of the last runs' histories; what cannot be read is counted, and nothing is raised."""
    runs = [run for run in document.recent_runs if run.run_id][-LOOKED_AT:][::-1]
    found = await asyncio.gather(*(_wait(client, run) for run in runs))
    known = [one for one in found if one is not None]
    return WorkerWaits(known, len(runs) - len(known))


async def _wait(client: Client, run: RunDocument) -> WorkerWait | None:
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
        maximum_page_size=_EVENTS,
    )
    try:
        answer = await client.workflow_service.get_workflow_execution_history(request, timeout=_WITHIN)
    except RPCError:
        return None
    there = None
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED and there is None:
            there = event.event_time.ToDatetime(tzinfo=UTC)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED and there is not None:
            return WorkerWait(run, event.event_time.ToDatetime(tzinfo=UTC) - there, taken=True)
    if there is None or run.status != "running":
        return None
    return WorkerWait(run, max(datetime.now(UTC) - there, timedelta(0)), taken=False)
