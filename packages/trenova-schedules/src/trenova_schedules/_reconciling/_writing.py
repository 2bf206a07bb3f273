"""One write to one schedule: created once, or changed where it still is what was looked at."""

import asyncio
import uuid
from datetime import timedelta
from typing import Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleResponse,
    UpdateScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules._definition import APPLIED_MEMO, CRON_MEMO, OWNER_MEMO, REVISION_MEMO
from trenova_schedules._reconciling._deciding import Decision
from trenova_schedules._reconciling._fields import SERVER_FIELDS, copy_field
from trenova_schedules._reconciling._found import describe, revision_of
from trenova_schedules._reconciling._plain import converter_of
from trenova_schedules._reconciling._record import record_text

_WITHIN: Final = timedelta(seconds=30)
_SEEN_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.02


async def create(client: Client, decision: Decision, owner: str) -> bool:
    """Create a schedule with all its marks at once; false where one with this id is there.

    Raises:
        temporalio.service.RPCError: The server refuses it or could not be asked.
    """
    await _mark(client, decision, decision.target)
    [mark] = await client.data_converter.encode([owner])
    request = CreateScheduleRequest(
        namespace=client.namespace,
        schedule_id=decision.planned.id,
        schedule=decision.target,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    request.memo.fields[OWNER_MEMO].CopyFrom(mark)
    try:
        await client.workflow_service.create_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        return False
    return True


async def update(client: Client, decision: Decision, found: DescribeScheduleResponse) -> bool:
    """Write the changed fields over what was found; false where somebody else wrote in between.

    The server's default scheduler answers OK to a token that is stale and drops the write. So each write carries an id
    of its own, and counts once that id is seen.

    Raises:
        temporalio.service.RPCError: The server refuses it or could not be asked.
    """
    schedule = Schedule()
    schedule.CopyFrom(found.schedule)
    for change in decision.planned.changes:
        if change.field in SERVER_FIELDS:
            copy_field(change.field, decision.target, schedule)
        elif change.field == "note":
            schedule.state.notes = change.new
    revision = await _mark(client, decision, schedule)
    request = UpdateScheduleRequest(
        namespace=client.namespace,
        schedule_id=decision.planned.id,
        schedule=schedule,
        conflict_token=found.conflict_token,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    try:
        await client.workflow_service.update_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
        return False
    return await _arrived(client, decision.planned.id, revision, found.conflict_token)


async def delete(client: Client, schedule_id: str) -> None:
    """Delete a schedule; one that is gone is as good as deleted."""
    request = DeleteScheduleRequest(namespace=client.namespace, schedule_id=schedule_id, identity=client.identity)
    try:
        await client.workflow_service.delete_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _mark(client: Client, decision: Decision, schedule: Schedule) -> str:
    """Write our memo keys; return the revision, which no other write has."""
    revision = str(uuid.uuid4())
    start = schedule.action.start_workflow
    said = {REVISION_MEMO: revision, APPLIED_MEMO: record_text(decision.record)}
    if decision.cron is not None:
        said[CRON_MEMO] = decision.cron
    payloads = await converter_of(client, start.workflow_id).encode(list(said.values()))
    for name, payload in zip(said, payloads, strict=True):
        start.memo.fields[name].CopyFrom(payload)
    return revision


async def _arrived(client: Client, schedule_id: str, revision: str, token: bytes) -> bool:
    """Wait until our revision is seen, or that of somebody who was faster."""
    async with asyncio.timeout(_SEEN_WITHIN_S):
        while True:
            seen = await describe(client, schedule_id)
            if seen is None:
                return False
            if await revision_of(client, seen) == revision:
                return True
            if seen.conflict_token != token:
                return False
            await asyncio.sleep(_LOOK_EVERY_S)
