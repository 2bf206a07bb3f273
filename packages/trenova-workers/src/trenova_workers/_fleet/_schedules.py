"""Schedules that start a workflow which no worker of its task queue registers: their runs wait for ever."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, ListSchedulesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_workers._fleet._registrations import Registrations
from trenova_workers._fleet._remark import Remark

SUBJECT: Final = "schedules"
_PAGE: Final = 500
_AT_ONCE: Final = 8
_WITHIN: Final = timedelta(seconds=10)
_MOST_DESCRIBED: Final = 5000
_MOST_NAMED: Final = 20

Served = Mapping[str, Sequence[Registrations | None]]
"""What the live workers of each of our queues register; None for one that does not tell."""


@dataclass(frozen=True)
class Action:
    """What a schedule starts."""

    schedule_id: str
    workflow_type: str
    queue: str


async def actions_unserved(client: Client, served: Served, *, page: int = _PAGE) -> tuple[list[Action], int]:
    """Return what schedules that are not paused start on our queues and no worker there takes.

    The list of schedules tells types but not queues, so only those of a type that one of our queues lacks are
    described, 5000 at most.

    Returns:
        Them, and how many schedules there was no time or permission to describe.

    Raises:
        RPCError: Schedules cannot be listed.
    """
    suspects = [entry.schedule_id async for entry in listed(client, page) if _is_suspect(entry, served)]
    limit = asyncio.Semaphore(_AT_ONCE)
    answers = await asyncio.gather(*(described(client, one, limit) for one in suspects[:_MOST_DESCRIBED]))
    unseen = len(suspects) - len(answers) + sum(action is None for action in answers)
    return [one for one in answers if one and one.queue in served and _lacks(served[one.queue], one)], unseen


async def listed(client: Client, size: int) -> AsyncIterator[ScheduleListEntry]:
    """Yield every schedule of the namespace, ``size`` a request."""
    token = b""
    while True:
        request = ListSchedulesRequest(namespace=client.namespace, maximum_page_size=size, next_page_token=token)
        page = await client.workflow_service.list_schedules(request, timeout=_WITHIN)
        for entry in page.schedules:
            yield entry
        token = page.next_page_token
        if not token:
            return


def _is_suspect(entry: ScheduleListEntry, served: Served) -> bool:
    name = entry.info.workflow_type.name
    return not entry.info.paused and not all(_takes(workers, name) for workers in served.values())


def _takes(workers: Iterable[Registrations | None], name: str) -> bool:
    return any(one is not None and one.takes_workflow(name) for one in workers)


def _lacks(workers: Sequence[Registrations | None], action: Action) -> bool:
    """Whether all workers of the queue tell, and none takes it."""
    told = all(one is not None and one.known for one in workers)
    return bool(action.workflow_type) and told and not _takes(workers, action.workflow_type)


async def described(client: Client, schedule_id: str, limit: asyncio.Semaphore) -> Action | None:
    """Return what a schedule starts: nothing for one that is gone, None where the server does not tell."""
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    async with limit:
        try:
            answer = await client.workflow_service.describe_schedule(request, timeout=_WITHIN)
        except RPCError as error:
            gone = error.status == RPCStatusCode.NOT_FOUND
            return Action(schedule_id, "", "") if gone else None
    start = answer.schedule.action.start_workflow
    return Action(schedule_id, start.workflow_type.name, start.task_queue.name)


def remarks_on(unserved: Sequence[Action], unseen: int) -> list[Remark]:
    """Return one remark for each schedule, 20 at most, and one for all others."""
    remarks = [_remark(action) for action in unserved[:_MOST_NAMED]]
    if len(unserved) > _MOST_NAMED:
        text = f"{len(unserved) - _MOST_NAMED} more schedules start workflows that no worker of their queue registers."
        remarks.append(Remark(SUBJECT, "more schedules start workflows that no worker registers", text, wrong=True))
    if unseen:
        text = f"{unseen} schedules could not be looked at, so they may start workflows that no worker registers."
        remarks.append(Remark(SUBJECT, "some schedules could not be looked at", text, wrong=False))
    return remarks


def _remark(action: Action) -> Remark:
    return Remark(
        SUBJECT,
        "a schedule starts a workflow that no worker registers",
        f"Schedule {action.schedule_id!r} starts workflow {action.workflow_type!r} on task queue {action.queue!r}, "
        "where no live worker registers it, so its runs wait. Register the workflow there, point the schedule at "
        "another queue, or pause or delete it.",
        wrong=True,
        facts={
            "schedule_id": action.schedule_id,
            "workflow_type": action.workflow_type,
            "task_queue": action.queue,
        },
    )
