"""One change to one schedule, of which it is known afterwards whether it was done.

The default scheduler answers OK to an update whose conflict token is stale, and drops it; of two updates that reach
it together it takes one. So every write puts an id of its own into the memo of the action, and the schedule is read
until that id is there, or until another write has been there first. The CHASM scheduler refuses a stale token
(FAILED_PRECONDITION), which ends the same way.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import UpdateScheduleRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import AmbiguousOutcomeError, InvalidInputError, ResourceNotFoundError
from trenova_schedules._definition import REVISION_MEMO
from trenova_schedules._reading import ScheduleConflictError, ScheduleSnapshot, read_schedule
from trenova_schedules._reading._etag import TRIGGER_MEMO
from trenova_schedules._reading._memo import action_converter

_WITHIN: Final = timedelta(seconds=30)
_PATIENCE_S: Final = 20.0
_SEND_AGAIN_S: Final = 2.0
_FIRST_LOOK_S: Final = 0.02
_LONGEST_LOOK_S: Final = 0.5
_TRIES: Final = 20
_KEPT_REVISIONS: Final = 5


async def write_schedule(
    client: Client,
    snapshot: ScheduleSnapshot,
    change: Callable[[Schedule], None],
    *,
    identity: str,
    memo: Mapping[str, Any] | None = None,
    claim: str | None = None,
) -> ScheduleSnapshot:
    """Change a schedule that is still what the snapshot says, and return it as it is then.

    Ticks and triggers in the meantime are no conflict: the change is then made to the schedule as they left it.

    Args:
        client: Its data converter encodes the memo.
        snapshot: What the change was decided on.
        change: Changes the server's message in place. It may be called several times, each time with a new copy.
            A cron string that it sets replaces the calendars that there are; the server would add to them.
        identity: Who writes, for the server's own records.
        memo: Values for the memo of the action, by key; None removes one.
        claim: Of a trigger by hand, its second. Such a write leaves revision and ETag as they are, and anything in
            the meantime is a conflict.

    Raises:
        ScheduleConflictError: Somebody else has changed the schedule since the snapshot; nothing was done.
        InvalidInputError: The server refuses the change, with its own words; nothing was done.
        ResourceNotFoundError: The schedule has been deleted.
        AmbiguousOutcomeError: It was sent, and for 20 seconds neither it nor another change was to be seen.
        temporalio.service.RPCError: The server could not be asked.
    """
    revision = uuid.uuid4().hex[:16]
    for _ in range(_TRIES):
        mark = _mark(snapshot, revision, claim)
        schedule = await _changed(client, snapshot, change, {**(memo or {}), **mark})
        current = await _written(client, snapshot, schedule, revision, identity)
        if _is_there(revision, current):
            return current
        if claim is not None or current.document.etag != snapshot.document.etag:
            break
        snapshot = current  # a tick or a trigger took the token
    raise ScheduleConflictError.of(current.document)


def _mark(snapshot: ScheduleSnapshot, revision: str, claim: str | None) -> dict[str, str]:
    if claim is not None:
        return {TRIGGER_MEMO: f"{claim} {revision}"}
    # The last few, because a writer who has seen ours may have been there before we look.
    return {REVISION_MEMO: " ".join([revision, *snapshot.revisions][:_KEPT_REVISIONS])}


def _is_there(revision: str, current: ScheduleSnapshot) -> bool:
    return revision in current.revisions or revision in current.claim.split()


async def _changed(
    client: Client, snapshot: ScheduleSnapshot, change: Callable[[Schedule], None], memo: Mapping[str, Any]
) -> Schedule:
    schedule = Schedule()
    schedule.CopyFrom(snapshot.raw.schedule)
    change(schedule)
    if schedule.spec.cron_string:
        schedule.spec.ClearField("structured_calendar")
    start = schedule.action.start_workflow
    converter = action_converter(client, start.workflow_id)
    for key, value in memo.items():
        if value is None:
            start.memo.fields.pop(key, None)
        else:
            start.memo.fields[key].CopyFrom((await converter.encode([value]))[0])
    return schedule


async def _written(
    client: Client, snapshot: ScheduleSnapshot, schedule: Schedule, revision: str, identity: str
) -> ScheduleSnapshot:
    """Send the change and return the first snapshot in which either it or another one is to be seen."""
    schedule_id, token = snapshot.document.id, snapshot.raw.conflict_token
    deadline = time.monotonic() + _PATIENCE_S
    while (now := time.monotonic()) < deadline:
        refusal = await _send(client, snapshot, schedule, identity)
        look = _FIRST_LOOK_S
        while time.monotonic() < min(now + _SEND_AGAIN_S, deadline):
            current = await read_schedule(client, schedule_id)
            if _is_there(revision, current) or current.raw.conflict_token != token:
                return current
            if refusal is not None:  # for another reason than the token
                raise refusal
            await asyncio.sleep(look)
            look = min(look * 2, _LONGEST_LOOK_S)
        # A stale update that arrived together with this one makes the default scheduler drop both. Sending it
        # again changes nothing where it was only slow: its token is stale then.
    raise AmbiguousOutcomeError(
        f"Schedule {schedule_id!r} shows neither this change nor another one, {_PATIENCE_S:.0f} s after it was sent. "
        "Look at it before you try again.",
        schedule_id=schedule_id,
    )


async def _send(client: Client, snapshot: ScheduleSnapshot, schedule: Schedule, identity: str) -> RPCError | None:
    """Send the change; return what the server said where it may be about the token."""
    schedule_id = snapshot.document.id
    request = UpdateScheduleRequest(
        namespace=client.namespace,
        schedule_id=schedule_id,
        schedule=schedule,
        conflict_token=snapshot.raw.conflict_token,
        identity=identity,
        request_id=str(uuid.uuid4()),
    )
    try:
        await client.workflow_service.update_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise InvalidInputError(
                f"Temporal refuses the change of schedule {schedule_id!r}: {error.message}. Nothing was changed.",
                schedule_id=schedule_id,
            ) from error
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ResourceNotFoundError.of("schedule", schedule_id, namespace=client.namespace) from error
        if error.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
        return error
    return None
