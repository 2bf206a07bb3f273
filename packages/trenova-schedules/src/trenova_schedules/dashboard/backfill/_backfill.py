"""A backfill as pages show it: what was asked, how far it is, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ApplicationError, ResourceNotFoundError, UnavailableError, from_failure
from trenova_schedules.backfill import BackfillHandle, BackfillProgress, BackfillResult, backfill_workflow_id
from trenova_schedules.backfill._judging import between
from trenova_schedules.backfill._names import CANCELED_MEMO
from trenova_schedules.server._api import Caller

_PATIENCE: Final = timedelta(seconds=3)
_MOST_FAILED: Final = 20
_FAILED: Final = ("Failed", "Canceled", "Terminated", "TimedOut")


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that failed.

    Attributes:
        workflow_id: Of the run.
        run_id: Of the run.
        status: ``failed``, ``canceled``, ``terminated`` or ``timed_out``.
        closed_at: When it ended.
    """

    workflow_id: str
    run_id: str
    status: str
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BackfillView:
    """One backfill.

    Attributes:
        key: Under which it was started.
        schedule_id: Of the schedule.
        workflow_id: Of the workflow that does it.
        status: ``running``, ``completed``, ``canceled``, ``failed``, ``terminated`` or ``timed_out``.
        started_at: When it began.
        closed_at: When it ended; None while it goes on.
        progress: How far it is, or was at its end; None where no worker answers.
        result: What came of it; None while it goes on, or where it was not completed.
        queue: On which no worker answers; empty where one does.
        failed: Runs in its range that failed, the first ones.
        said: Who canceled it and why, or what it failed with; empty otherwise.
    """

    key: str
    schedule_id: str
    workflow_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    progress: BackfillProgress | None
    result: BackfillResult | None
    queue: str
    failed: Sequence[FailedRun] = ()
    said: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.closed_at is None


async def backfill_view(caller: Caller, schedule_id: str, key: str) -> BackfillView:
    """Look at a backfill.

    Raises:
        ResourceNotFoundError: There is none under this key, or the namespace has forgotten it.
    """
    handle = BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key))
    try:
        run = await handle.workflow.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("workflow", handle.id) from error
    progress, queue = None, ""
    try:
        progress = await handle.progress(patience=_PATIENCE)
    except UnavailableError:
        queue = run.task_queue
    result = await _result(handle) if run.status is WorkflowExecutionStatus.COMPLETED else None
    return BackfillView(
        key=key,
        schedule_id=schedule_id,
        workflow_id=handle.id,
        status="running" if run.status is None else run.status.name.lower(),
        started_at=run.start_time,
        closed_at=run.close_time,
        progress=progress,
        result=result,
        queue=queue,
        failed=await _failed(caller, result) if result is not None and result.verified.failed else (),
        said=await _said(handle, run),
    )


async def _failed(caller: Caller, result: BackfillResult) -> list[FailedRun]:
    """Return runs of the range that failed, as visibility has them."""
    first, last = int(result.start_at.timestamp()), int(result.end_at.timestamp()) - 1
    names = ", ".join(f"'{name}'" for name in _FAILED)
    query = f"{between(result.schedule_id, [first, last])} AND ExecutionStatus IN ({names})"
    return [
        FailedRun(
            workflow_id=run.id,
            run_id=run.run_id,
            status="" if run.status is None else run.status.name.lower(),
            closed_at=run.close_time,
        )
        async for run in caller.api.client.list_workflows(query, limit=_MOST_FAILED)
    ]


async def _said(handle: BackfillHandle, run: WorkflowExecutionDescription) -> str:
    """Return who canceled it and why, or what it failed with."""
    if run.status is WorkflowExecutionStatus.CANCELED:
        by = (await run.memo()).get(CANCELED_MEMO)
        return f"by {by}" if by else ""
    if run.status is not WorkflowExecutionStatus.FAILED:
        return ""
    try:
        await handle.result()
    except WorkflowFailureError as error:
        return from_failure(error).message
    return ""


async def _result(handle: BackfillHandle) -> BackfillResult | None:
    try:
        return await handle.result()
    except (WorkflowFailureError, ApplicationError):
        return None
