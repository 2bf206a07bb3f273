"""Backfills: preview, start, follow and steer."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Path
from pydantic import ConfigDict, Field
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ResourceNotFoundError, UnavailableError
from trenova_schedules._managing._audit import AuditEntry
from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules._managing._changing import valid
from trenova_schedules._reading._document import WireDocument
from trenova_schedules.backfill import (
    BackfillHandle,
    BackfillPreview,
    BackfillProgress,
    BackfillRequest,
    SteeringAnswer,
    backfill_workflow_id,
    preview_backfill,
    start_backfill,
)
from trenova_schedules.server._api import Caller, Reader, Writer
from trenova_schedules.server._documented import changes, documented
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._problems import PreconditionRequiredError
from trenova_schedules.server._roles import OPERATOR, VIEWER

router = APIRouter(prefix="/schedules/{schedule_id}", tags=["backfills"])

_LONGEST_NAME: Final = 100
_PATIENCE: Final = timedelta(seconds=5)
_KEY: Final = r"^[A-Za-z0-9_-]{1,100}$"

Key = Annotated[str, Path(pattern=_KEY, description="As `key` of the answer that the start was given.")]
Needed = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Made up by the caller for one backfill: the same again finds the backfill that it made.",
    ),
]


class BackfillBody(WireDocument):
    """What to run; fields as in :class:`~trenova_schedules.backfill.BackfillRequest`."""

    model_config = ConfigDict(extra="forbid")

    start_at: Moment
    end_at: Moment
    policy: Literal["all", "missing", "missing_and_failed"] = "missing"
    rate_per_second: float = Field(default=10, ge=0, le=1000)
    concurrency: int | None = Field(default=None, ge=0, le=200)
    older: Literal["refuse", "run", "skip"] = "refuse"
    max_ticks: int = Field(default=100_000, ge=1, le=250_000)
    digest: str | None = Field(default=None, max_length=100)
    reason: str = Field(min_length=1, max_length=500)

    def request(self, schedule_id: str, by: str) -> BackfillRequest:
        """Return the request.

        Raises:
            InvalidInputError: It does not hold together.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return valid(BackfillRequest, {**fields, "schedule_id": schedule_id, "by": by}, "The backfill")


class BackfillStarted(WireDocument):
    """A backfill.

    Attributes:
        key: To ask for it again.
        schedule_id: Of the schedule.
        workflow_id: Of the workflow that does it.
    """

    key: str
    schedule_id: str
    workflow_id: str


class BackfillReport(WireDocument):
    """A backfill as it is.

    Attributes:
        key: By which it was asked for.
        schedule_id: Of the schedule.
        workflow_id: Of the workflow that does it.
        status: ``running``, ``completed``, ``canceled``, ``failed``, ``terminated`` or ``timed_out``.
        started_at: When it began.
        closed_at: When it ended; None while it runs.
        progress: How far it is, or was at its end; None where no worker answered.
    """

    key: str
    schedule_id: str
    workflow_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None = None
    progress: BackfillProgress | None = None


class SteerBody(WireDocument):
    """Why a backfill is paused or resumed."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class CancelBody(SteerBody):
    """Why a backfill is canceled, and whether the runs that it started and that have not ended are, too."""

    runs: Literal["leave", "cancel"] = "leave"


class LimitsBody(SteerBody):
    """Why a backfill is made faster or slower, and how fast; what is absent stays, 0 is as it was started."""

    rate_per_second: float | None = Field(default=None, ge=0, le=1000)
    concurrency: int | None = Field(default=None, ge=0, le=200)


@router.post("/backfills/preview", operation_id="previewBackfill", responses=documented(404, 409))
async def preview(caller: Writer, schedule_id: ScheduleId, body: BackfillBody) -> BackfillPreview:
    """Say what a backfill would do now, by the function that plans it; role viewer."""
    await caller.schedule(schedule_id, VIEWER)
    return await preview_backfill(
        caller.api.client, body.request(schedule_id, _name(caller)), ledger=caller.api.run_ledger
    )


@router.post("/backfills", operation_id="startBackfill", status_code=202, responses=changes(428))
async def start(caller: Writer, schedule_id: ScheduleId, body: BackfillBody, key: Needed = None) -> BackfillStarted:
    """Start a backfill; role operator. The same Idempotency-Key finds the backfill that it made."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    if key is None:
        raise PreconditionRequiredError(
            "A backfill needs the header Idempotency-Key, so that a repeated request starts no second one. "
            "Make one up. Nothing was changed."
        )
    # Of the caller, so that no two of them meet in one key.
    digest = hashlib.sha256(f"{caller.key}\0{key}".encode()).hexdigest()[:32]
    api, request = caller.api, body.request(schedule_id, _name(caller))

    async def work() -> BackfillStarted:
        handle = await start_backfill(
            api.client, request, key=digest, task_queue=api.options.backfill_queue, ledger=api.run_ledger
        )
        return BackfillStarted(key=digest, schedule_id=schedule_id, workflow_id=handle.id)

    entry = entry_of("backfill.start", schedule_id, caller.actor(labels), body.reason)
    return await audited(api.service.audit, entry, work)


@router.get("/backfills/{key}", operation_id="getBackfill", responses=documented(404))
async def get(caller: Reader, schedule_id: ScheduleId, key: Key) -> BackfillReport:
    """Say how far a backfill is; role viewer. Also of one that has ended, as long as the namespace keeps it."""
    await caller.schedule(schedule_id, VIEWER)
    handle = BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key))
    try:
        run = await handle.workflow.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("workflow", handle.id) from error
    try:
        progress: BackfillProgress | None = await handle.progress(patience=_PATIENCE)
    except UnavailableError:
        progress = None
    return BackfillReport(
        key=key,
        schedule_id=schedule_id,
        workflow_id=handle.id,
        status="running" if run.status is None else run.status.name.lower(),
        started_at=run.start_time,
        closed_at=run.close_time,
        progress=progress,
    )


@router.post("/backfills/{key}/pause", operation_id="pauseBackfill", responses=changes())
async def pause(caller: Writer, schedule_id: ScheduleId, key: Key, body: SteerBody) -> SteeringAnswer:
    """Stop a backfill after the call under way, until somebody resumes it; role operator."""
    handle, entry = await _steered(caller, schedule_id, key, "backfill.pause", body.reason)

    async def work() -> SteeringAnswer:
        return await handle.pause(reason=body.reason, by=_name(caller))

    return await audited(caller.api.service.audit, entry, work)


@router.post("/backfills/{key}/resume", operation_id="resumeBackfill", responses=changes())
async def resume(caller: Writer, schedule_id: ScheduleId, key: Key, body: SteerBody) -> SteeringAnswer:
    """Let a backfill go on where it stands; role operator."""
    handle, entry = await _steered(caller, schedule_id, key, "backfill.resume", body.reason)

    async def work() -> SteeringAnswer:
        return await handle.resume(by=_name(caller))

    return await audited(caller.api.service.audit, entry, work)


@router.post("/backfills/{key}/limits", operation_id="limitBackfill", responses=changes())
async def limits(caller: Writer, schedule_id: ScheduleId, key: Key, body: LimitsBody) -> SteeringAnswer:
    """Change how fast a backfill may be from its next call on, thus within about ten seconds; role operator."""
    handle, entry = await _steered(caller, schedule_id, key, "backfill.limits", body.reason)

    async def work() -> SteeringAnswer:
        return await handle.change_limits(
            by=_name(caller), rate_per_second=body.rate_per_second, concurrency=body.concurrency
        )

    return await audited(caller.api.service.audit, entry, work)


@router.post("/backfills/{key}/cancel", operation_id="cancelBackfill", responses=changes())
async def cancel(caller: Writer, schedule_id: ScheduleId, key: Key, body: CancelBody) -> SteeringAnswer:
    """End a backfill after the call under way; role operator."""
    handle, entry = await _steered(caller, schedule_id, key, "backfill.cancel", body.reason)

    async def work() -> SteeringAnswer:
        return await handle.cancel(reason=body.reason, by=_name(caller), runs=body.runs)

    return await audited(caller.api.service.audit, entry, work)


async def _steered(
    caller: Caller, schedule_id: str, key: str, action: str, reason: str
) -> tuple[BackfillHandle, AuditEntry]:
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    entry = entry_of(action, schedule_id, caller.actor(labels), reason)
    return BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key)), entry


def _name(caller: Caller) -> str:
    return caller.name[:_LONGEST_NAME]
