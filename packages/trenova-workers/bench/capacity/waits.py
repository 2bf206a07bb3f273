"""How long tasks waited for a worker, by the server's clock alone: from the event of scheduling to that of starting.

The server writes the start of an activity into the history when the activity ends, with the time at which it handed
the task out.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

Task = Literal["activity", "workflow task"]

_AT_ONCE = 5
_SCHEDULED = {
    "activity": EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    "workflow task": EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
}
_STARTED = {
    "activity": EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    "workflow task": EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
}


async def read_waits(client: Client, workflow_ids: Sequence[str], task: Task, since: datetime) -> list[float]:
    """Return seconds between schedule and start of every task that was scheduled at ``since`` or later."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(workflow_id: str) -> list[float]:
        async with free:
            events = client.get_workflow_handle(workflow_id).fetch_history_events()
            return [wait async for wait in _waits(events, task, since)]

    found = await asyncio.gather(*(one(workflow_id) for workflow_id in workflow_ids))
    return [wait for waits in found for wait in waits]


async def _waits(events: AsyncIterator[HistoryEvent], task: Task, since: datetime) -> AsyncIterator[float]:
    scheduled: dict[int, datetime] = {}
    async for event in events:
        at = event.event_time.ToDatetime(tzinfo=since.tzinfo)
        if event.event_type == _SCHEDULED[task] and at >= since:
            scheduled[event.event_id] = at
        elif event.event_type == _STARTED[task]:
            begun = _scheduled_event(event, task)
            if begun in scheduled:
                yield (at - scheduled.pop(begun)).total_seconds()


def _scheduled_event(event: HistoryEvent, task: Task) -> int:
    if task == "activity":
        return event.activity_task_started_event_attributes.scheduled_event_id
    return event.workflow_task_started_event_attributes.scheduled_event_id
