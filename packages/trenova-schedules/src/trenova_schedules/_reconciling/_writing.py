"""One write to one schedule: created once, or changed where it still is what was looked at."""

import uuid
from datetime import timedelta
from typing import Any, Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ResourceNotFoundError
from trenova_schedules._definition import APPLIED_MEMO, CRON_MEMO, OWNER_MEMO, REVISION_MEMO
from trenova_schedules._managing import write_schedule
from trenova_schedules._reading import ScheduleConflictError, snapshot_of
from trenova_schedules._reading._memo import action_converter
from trenova_schedules._reconciling._deciding import Decision
from trenova_schedules._reconciling._fields import SERVER_FIELDS, copy_field
from trenova_schedules._reconciling._record import record_text

_WITHIN: Final = timedelta(seconds=30)


async def create(client: Client, decision: Decision, owner: str) -> bool:
    """Create a schedule with all its marks at once; false where one with this id is there.

    Raises:
        temporalio.service.RPCError: The server refuses it or could not be asked.
    """
    start = decision.target.action.start_workflow
    marks = {REVISION_MEMO: uuid.uuid4().hex[:16], **_marks(decision)}
    said = {name: value for name, value in marks.items() if value is not None}
    payloads = await action_converter(client, start.workflow_id).encode(list(said.values()))
    for name, payload in zip(said, payloads, strict=True):
        start.memo.fields[name].CopyFrom(payload)
    request = CreateScheduleRequest(
        namespace=client.namespace,
        schedule_id=decision.planned.id,
        schedule=decision.target,
        identity=client.identity,
        request_id=str(uuid.uuid4()),
    )
    request.memo.fields[OWNER_MEMO].CopyFrom((await client.data_converter.encode([owner]))[0])
    try:
        await client.workflow_service.create_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        return False
    return True


async def update(client: Client, decision: Decision, found: DescribeScheduleResponse) -> bool:
    """Write the changed fields over what was found; false where somebody else wrote in between.

    Raises:
        ApplicationError: The server refuses it, or shows no trace of it.
        temporalio.service.RPCError: The server could not be asked.
    """

    def change(schedule: Schedule) -> None:
        apply_changes(decision, schedule)

    snapshot = await snapshot_of(client, decision.planned.id, found)
    try:
        await write_schedule(client, snapshot, change, identity=client.identity, memo=_marks(decision))
    except (ScheduleConflictError, ResourceNotFoundError):
        return False
    return True


async def delete(client: Client, schedule_id: str) -> None:
    """Delete a schedule; one that is gone is as good as deleted."""
    request = DeleteScheduleRequest(namespace=client.namespace, schedule_id=schedule_id, identity=client.identity)
    try:
        await client.workflow_service.delete_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def apply_changes(decision: Decision, schedule: Schedule) -> None:
    """Make the changed fields of a schedule what they are in the decision's target."""
    for change in decision.planned.changes:
        if change.field in SERVER_FIELDS:
            copy_field(change.field, decision.target, schedule)
        elif change.field == "note":
            schedule.state.notes = change.new


def _marks(decision: Decision) -> dict[str, Any]:
    """Return our memo keys; None for one that does not belong there any more."""
    marks: dict[str, Any] = {APPLIED_MEMO: record_text(decision.record)}
    if decision.cron is not None or any(change.field == "when" for change in decision.planned.changes):
        marks[CRON_MEMO] = decision.cron
    return marks
