"""Expected times of a specification that no schedule has yet.

Only the server knows how it reads one, and it answers only for schedules that exist. So one is made for the
question: paused, with one action at most, of a workflow that nobody serves, and deleted with the answer. What a
killed process leaves behind is deleted by the next one that asks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from uuid import uuid4
from weakref import WeakKeyDictionary

from temporalio.api.common.v1 import Memo
from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.api.workflowservice.v1 import CreateScheduleRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleState
from temporalio.client import ScheduleSpec as ClientScheduleSpec
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import InvalidInputError
from trenova_schedules._definition import OWNER_MEMO, ScheduleDefinition
from trenova_schedules._previewing._limits import require_window, too_many
from trenova_schedules._previewing._times import DEFAULT_LIMIT, spec_of_saved, times_of

SpecLike: TypeAlias = ScheduleSpec | ClientScheduleSpec | ScheduleDefinition
"""What says when: the message of the wire, the SDK's class, or a definition."""
PREVIEW_PREFIX: Final = "trenova-preview-"
"""With which the ids of these schedules begin; the seconds since 1970 and something random follow."""
PREVIEW_OWNER: Final = "trenova-schedules.preview"
"""Their memo :data:`OWNER_MEMO`; nothing without it is swept."""

_NOBODY: Final = "trenova-preview"  # workflow and task queue, which nobody serves
_LEFT_BEHIND = timedelta(minutes=10)  # an answer takes seconds
_SWEEP_EVERY = timedelta(minutes=10)
_swept: WeakKeyDictionary[Client, datetime] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class Unsaved:
    """A schedule that exists only while it is asked about.

    Attributes:
        id: Of the schedule.
        spec: As the server reads it, without jitter; cron strings have become calendars.
    """

    id: str
    spec: ScheduleSpec


async def fires_of(
    client: Client, spec: SpecLike, start: datetime, end: datetime, *, limit: int = DEFAULT_LIMIT
) -> list[datetime]:
    """Return when a schedule with this specification would fire, in order, UTC.

    These are the nominal times, without jitter, as they stand in the ids of runs. Nothing is started, changed or
    left behind; the client needs the right to create and delete schedules.

    Args:
        client: Of any namespace of the server that will run the schedule.
        spec: Says when; only its times, zone, start and end are looked at.
        start: First instant of the window.
        end: First instant after the window.
        limit: How many times the window may hold.

    Raises:
        InvalidInputError: The server refuses the specification, a reversed window, one of more than 50 years, or
            more times than ``limit``.
        temporalio.service.RPCError: The server could not be asked.
    """
    start, end = require_window(start, end, limit)
    times: list[datetime] = []
    async with unsaved(client, spec) as schedule:
        async for at in times_of(client, schedule.id, schedule.spec, start, end):
            times.append(at)
            if len(times) > limit:
                raise too_many("This specification", start, end, limit)
    return times


@asynccontextmanager
async def unsaved(client: Client, spec: SpecLike) -> AsyncIterator[Unsaved]:
    """Make a schedule for questions about its specification, and delete it when they are answered.

    Raises:
        InvalidInputError: The server refuses the specification.
        temporalio.service.RPCError: The server could not be asked.
    """
    await _sweep_sometimes(client)
    schedule_id = f"{PREVIEW_PREFIX}{int(datetime.now(UTC).timestamp())}-{uuid4().hex}"
    try:
        yield Unsaved(id=schedule_id, spec=await _create(client, schedule_id, spec))
    finally:
        await asyncio.shield(asyncio.ensure_future(_delete(client, schedule_id)))


async def sweep(client: Client, *, older_than: timedelta = _LEFT_BEHIND) -> int:
    """Delete what killed processes left behind, and return how many that were.

    Args:
        client: Of the namespace.
        older_than: Younger ones may belong to somebody who is still asking.

    Raises:
        temporalio.service.RPCError: The server could not be asked.
    """
    found = 0
    async for entry in await client.list_schedules(f'ScheduleId STARTS_WITH "{PREVIEW_PREFIX}"'):
        if _age(entry.id) < older_than or await entry.memo_value(OWNER_MEMO, None) != PREVIEW_OWNER:
            continue
        await _delete(client, entry.id)
        found += 1
    return found


async def _sweep_sometimes(client: Client) -> None:
    now = datetime.now(UTC)
    if (last := _swept.get(client)) is not None and now - last < _SWEEP_EVERY:
        return
    _swept[client] = now
    await sweep(client)


def _age(schedule_id: str) -> timedelta:
    made = schedule_id.removeprefix(PREVIEW_PREFIX).split("-")[0]
    return datetime.now(UTC) - datetime.fromtimestamp(int(made), UTC) if made.isdecimal() else timedelta(0)


async def _create(client: Client, schedule_id: str, spec: SpecLike) -> ScheduleSpec:
    when = spec.to_schedule().spec if isinstance(spec, ScheduleDefinition) else spec
    try:
        if isinstance(when, ScheduleSpec):
            await _create_from_wire(client, schedule_id, when)
        else:
            schedule = Schedule(
                action=ScheduleActionStartWorkflow(_NOBODY, id=schedule_id, task_queue=_NOBODY),
                spec=replace(when, jitter=None),
                state=ScheduleState(paused=True, limited_actions=True, remaining_actions=1),
            )
            await client.create_schedule(schedule_id, schedule, memo={OWNER_MEMO: PREVIEW_OWNER})
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise InvalidInputError(f"Temporal refuses these times: {error.message.rstrip('.')}.") from error
    return await spec_of_saved(client, schedule_id)


async def _create_from_wire(client: Client, schedule_id: str, spec: ScheduleSpec) -> None:
    (owner,) = await client.data_converter.encode([PREVIEW_OWNER])
    request = CreateScheduleRequest(
        namespace=client.namespace,
        schedule_id=schedule_id,
        identity=client.identity,
        request_id=schedule_id,
        memo=Memo(fields={OWNER_MEMO: owner}),
    )
    request.schedule.spec.CopyFrom(spec)
    request.schedule.spec.ClearField("jitter")
    request.schedule.state.paused = request.schedule.state.limited_actions = True
    request.schedule.state.remaining_actions = 1  # the SDK refuses none
    action = request.schedule.action.start_workflow
    action.workflow_id, action.workflow_type.name, action.task_queue.name = schedule_id, _NOBODY, _NOBODY
    await client.workflow_service.create_schedule(request, retry=True)


async def _delete(client: Client, schedule_id: str) -> None:
    with suppress(RPCError):  # it may not have come to be; or stays, and is swept
        await client.get_schedule_handle(schedule_id).delete()
