"""Runs that have not ended: which there are, and when one ends."""

from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules.backfill._contract import OpenRun
from trenova_schedules.backfill._names import SCHEDULED_BY

_ATTRIBUTES: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "workflow_execution_continued_as_new_event_attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "workflow_execution_completed_event_attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "workflow_execution_failed_event_attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "workflow_execution_timed_out_event_attributes",
}
"""Where the end of a run names the next one of its chain."""


async def runs_open(client: Client, schedule_id: str, *, most: int) -> AsyncIterator[OpenRun]:
    """List runs of a schedule that go on, whoever started them, as visibility has them.

    Args:
        client: Of the namespace.
        schedule_id: Of the schedule.
        most: How many are of interest.
    """
    quoted = schedule_id.replace("\\", "\\\\").replace("'", "\\'")
    query = f"{SCHEDULED_BY} = '{quoted}' AND ExecutionStatus = 'Running'"
    async for run in client.list_workflows(query, limit=most):
        yield OpenRun(workflow_id=run.id, run_id=run.run_id)


async def until_closed(client: Client, run: OpenRun) -> None:
    """Wait until the run has ended, with the retries and continuations that follow it; nothing of it is decoded."""
    run_id: str | None = run.run_id
    while run_id:
        run_id = await _next_of_chain(client, run.workflow_id, run_id)


async def _next_of_chain(client: Client, workflow_id: str, run_id: str) -> str | None:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    events = handle.fetch_history_events(
        wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, skip_archival=True
    )
    try:
        async for event in events:
            return _follower(event)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return None


def _follower(event: HistoryEvent) -> str | None:
    name = _ATTRIBUTES.get(event.event_type)
    return getattr(event, name).new_execution_run_id or None if name else None
