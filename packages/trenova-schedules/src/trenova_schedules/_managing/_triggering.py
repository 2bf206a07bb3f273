"""Start a run by hand that is a run of its own.

The server names runs after their nominal second and starts one run for all triggers within a second, and the default
scheduler forgets a trigger when another request follows at once. So each trigger first claims a second of its own, by
a verified write to the memo of the action; of those who want the same second one gets it. Then the server is asked to
start a run in that second, and the trigger is done when the run is there.
"""

import asyncio
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest
from temporalio.client import Client

from trenova_errors import AmbiguousOutcomeError, ThrottledError
from trenova_schedules._managing._runs import latest_run, run_id_of
from trenova_schedules._managing._write import write_schedule
from trenova_schedules._reading import ScheduleConflictError, ScheduleSnapshot, read_schedule
from trenova_schedules._reading._document import WireDocument

_WITHIN: Final = timedelta(seconds=30)
_SECOND: Final = timedelta(seconds=1)
_FARTHEST: Final = timedelta(minutes=2)
_PATIENCE_S: Final = 15.0
_SEND_AGAIN_S: Final = 3.0
_LOOK_S: Final = 0.1
_TRIES: Final = 200
_WAITING: Final = frozenset({"buffer_one", "buffer_all", "cancel_other", "terminate_other"})
_APART_S: Final = 0.05
_MOST_SHOWN: Final = 10
"""Times to come that the server tells at most."""


class TriggeredRun(WireDocument):
    """What became of a trigger; camelCase on the wire.

    Attributes:
        schedule_id: Of the schedule.
        scheduled_at: The nominal second that it was given.
        outcome: ``started``; ``buffered``, where it starts when the run under way ends; ``skipped``, where the
            overlap policy lets no run start beside the one under way.
        workflow_id: Of the run; where it is not started, as it would be.
        run_id: Of the run that was started.
    """

    schedule_id: str
    scheduled_at: datetime
    outcome: Literal["started", "buffered", "skipped"]
    workflow_id: str
    run_id: str | None = None


async def trigger_run(client: Client, schedule_id: str, *, overlap: str | None, identity: str) -> TriggeredRun:
    """Start a run of a schedule, paused or not, and say what became of it.

    Raises:
        ResourceNotFoundError: There is no such schedule.
        ThrottledError: Others have claimed every second of the next two minutes, or it fires every second.
        AmbiguousOutcomeError: The server took the trigger, and nothing of it is to be seen.
    """
    nominal = await _claimed(client, schedule_id, identity)
    await asyncio.sleep(max(0.0, (nominal - datetime.now(UTC)).total_seconds()))
    before = await read_schedule(client, schedule_id)
    deadline = time.monotonic() + _PATIENCE_S
    while (now := time.monotonic()) < deadline:
        sent = datetime.now(UTC)
        await _send(client, schedule_id, nominal, overlap, identity)
        while time.monotonic() < min(now + _SEND_AGAIN_S, deadline):
            if found := await _found(client, before, nominal, sent, overlap):
                return found
            await asyncio.sleep(_LOOK_S)
    raise AmbiguousOutcomeError(
        f"Schedule {schedule_id!r} took a trigger and shows neither a run nor a wait nor a skip of it. "
        "Look at its runs before you try again.",
        schedule_id=schedule_id,
    )


async def _claimed(client: Client, schedule_id: str, identity: str) -> datetime:
    for _ in range(_TRIES):
        snapshot = await read_schedule(client, schedule_id)
        nominal = _free_second(snapshot, _last_claim(snapshot))
        try:
            await write_schedule(client, snapshot, lambda _: None, identity=identity, claim=nominal.isoformat())
        except ScheduleConflictError:
            await asyncio.sleep(random.uniform(0, _APART_S))  # noqa: S311 - no secret
            continue
        return nominal
    raise ThrottledError(
        f"Schedule {schedule_id!r} was changed by others {_TRIES} times while a run was to be started. "
        "Try again in a while.",
        schedule_id=schedule_id,
    )


def _last_claim(snapshot: ScheduleSnapshot) -> datetime | None:
    second = snapshot.claim.partition(" ")[0]
    return datetime.fromisoformat(second) if second else None


def _free_second(snapshot: ScheduleSnapshot, claimed: datetime | None) -> datetime:
    """Return the next second that no trigger has claimed and in which the schedule does not fire by itself."""
    document, now = snapshot.document, datetime.now(UTC)
    taken = {at.replace(microsecond=0) for at in document.next_fires}
    taken |= {run.scheduled_at.replace(microsecond=0) for run in document.recent_runs if run.scheduled_at}
    nominal = now.replace(microsecond=0) + _SECOND
    if claimed is not None:
        nominal = max(nominal, claimed + _SECOND)
    while nominal in taken:
        nominal += _SECOND
    beyond = len(document.next_fires) >= _MOST_SHOWN and nominal > document.next_fires[-1]
    automatic = beyond and not document.paused
    if nominal - now > _FARTHEST or automatic:
        raise ThrottledError(
            f"Schedule {document.id!r} has no second free in which a run by hand could be told from the others. "
            "Try again in a while, or pause it first if it fires every second.",
            schedule_id=document.id,
        )
    return nominal


async def _send(client: Client, schedule_id: str, nominal: datetime, overlap: str | None, identity: str) -> None:
    policy = f"SCHEDULE_OVERLAP_POLICY_{(overlap or 'unspecified').upper()}"
    request = TriggerImmediatelyRequest(overlap_policy=ScheduleOverlapPolicy.Value(policy))
    request.scheduled_time.FromDatetime(nominal)  # the CHASM scheduler takes its own clock instead
    await client.workflow_service.patch_schedule(
        PatchScheduleRequest(
            namespace=client.namespace,
            schedule_id=schedule_id,
            patch=SchedulePatch(trigger_immediately=request),
            identity=identity,
            request_id=str(uuid.uuid4()),
        ),
        retry=True,
        timeout=_WITHIN,
    )


async def _found(
    client: Client, before: ScheduleSnapshot, nominal: datetime, sent: datetime, overlap: str | None
) -> TriggeredRun | None:
    schedule_id = before.document.id
    workflow_id = run_id_of(before.raw.schedule, nominal)

    def ended(outcome: Literal["started", "buffered", "skipped"], run_id: str | None = None) -> TriggeredRun:
        return TriggeredRun(
            schedule_id=schedule_id, scheduled_at=nominal, outcome=outcome, workflow_id=workflow_id, run_id=run_id
        )

    if not before.raw.schedule.policies.keep_original_workflow_id:
        run_id = await latest_run(client, workflow_id)
        if run_id is not None:
            return ended("started", run_id)
    current = (await read_schedule(client, schedule_id)).document
    known = {run.run_id for run in before.document.recent_runs}
    for run in current.recent_runs:
        at = run.scheduled_at
        if run.run_id not in known and at is not None and nominal <= at < sent + 2 * _SECOND and at.microsecond:
            return ended("started", run.run_id).model_copy(update={"workflow_id": run.workflow_id})
    counts, earlier = current.counts, before.document.counts
    policy = overlap or before.document.overlap
    # Every start passes through the buffer for a moment; it waits there only for a run that is under way.
    if policy in _WAITING and current.running and counts.buffer_size > earlier.buffer_size:
        return ended("buffered")
    if policy in {"skip", "buffer_one"} and counts.skipped_overlap > earlier.skipped_overlap:
        return ended("skipped")
    return None
