"""The nominal times of a schedule in a range: what the server counts, and nothing that we count ourselves."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleSpec, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    ListScheduleMatchingTimesRequest,
)
from temporalio.client import Client

PREVIEW_PREFIX: Final = "trenova-preview-"
"""How ids of schedules begin that are made for a question and deleted after the answer."""

_LEAD_S: Final = 3 * 3_600
"""The answer depends on the beginning of the window where it lies in the hour that comes twice; no fold is longer."""

_SUMMER_TIMELESS: Final = frozenset({"", "UTC", "Etc/UTC", "GMT"})


async def nominal_times(
    client: Client, schedule_id: str, spec: ScheduleSpec, start: int, end: int, *, limit: int
) -> list[int]:
    """Return the nominal times in ``[start, end)``, unix seconds, ascending; at most ``limit`` and one.

    The server answers with times after jitter, and runs are called by the times before it; so a specification with
    jitter is asked about in a copy without, in a paused schedule that is deleted afterwards.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of the schedule.
        spec: Its specification.
        start: Unix seconds, inclusive.
        end: Unix seconds, exclusive.
        limit: Where there are more ticks, one more than these is returned.
    """
    if not spec.jitter.ToNanoseconds():
        return await _matching(client, schedule_id, spec, start=start, end=end, limit=limit)
    async with _without_jitter(client, spec) as copy:
        return await _matching(client, copy, spec, start=start, end=end, limit=limit)


async def _matching(
    client: Client, schedule_id: str, spec: ScheduleSpec, *, start: int, end: int, limit: int
) -> list[int]:
    """Continue from each answer's last time, as the scheduler itself does, since an answer has 1,000 times at most."""
    found: list[int] = []
    after = _lead(spec, start)
    while len(found) <= limit:
        answer = await client.workflow_service.list_schedule_matching_times(
            ListScheduleMatchingTimesRequest(
                namespace=client.namespace,
                schedule_id=schedule_id,
                start_time=Timestamp(seconds=after),
                end_time=Timestamp(seconds=end),
            ),
            retry=True,
        )
        times = _rising([time.seconds for time in answer.start_time], after)
        found += [at for at in times if start <= at < end]
        if not times or times[-1] >= end:
            break
        after = times[-1]
    return found[: limit + 1]


def _rising(times: list[int], after: int) -> list[int]:
    """Return the times until the first that is not later than the one before.

    Where a zone leaves out a whole date, the server's times run in a circle.
    """
    for place, (earlier, later) in enumerate(pairwise([after, *times])):
        if later <= earlier:
            return times[:place]
    return times


def _lead(spec: ScheduleSpec, start: int) -> int:
    """Return where to begin: the server's window leaves its beginning out."""
    local = spec.timezone_name not in _SUMMER_TIMELESS and (spec.structured_calendar or spec.cron_string)
    return start - 1 - (_LEAD_S if local else 0)


@asynccontextmanager
async def _without_jitter(client: Client, spec: ScheduleSpec) -> AsyncIterator[str]:
    schedule_id, copy = f"{PREVIEW_PREFIX}{uuid.uuid4()}", ScheduleSpec()
    copy.CopyFrom(spec)
    copy.ClearField("jitter")
    nobody = NewWorkflowExecutionInfo(
        workflow_id=schedule_id, workflow_type=WorkflowType(name="nobody"), task_queue=TaskQueue(name=schedule_id)
    )
    asked_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    await client.workflow_service.create_schedule(
        CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=schedule_id,
            request_id=schedule_id,
            identity=client.identity,
            schedule=Schedule(
                spec=copy,
                action=ScheduleAction(start_workflow=nobody),
                state=ScheduleState(paused=True, notes=f"A question about its times, asked {asked_at}; delete it."),
            ),
        )
    )
    try:
        yield schedule_id
    finally:
        await client.workflow_service.delete_schedule(
            DeleteScheduleRequest(namespace=client.namespace, schedule_id=schedule_id, identity=client.identity),
            retry=True,
        )
