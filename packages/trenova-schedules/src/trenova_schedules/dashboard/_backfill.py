"""A backfill as pages show it: what was asked, how far it is, what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ApplicationError, ResourceNotFoundError, UnavailableError
from trenova_schedules.backfill import BackfillHandle, BackfillProgress, BackfillResult, backfill_workflow_id
from trenova_schedules.server._api import Caller

_PATIENCE: Final = timedelta(seconds=3)


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
    result = None
    if run.status is WorkflowExecutionStatus.COMPLETED:
        result = await _result(handle)
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
    )


async def _result(handle: BackfillHandle) -> BackfillResult | None:
    try:
        return await handle.result()
    except (WorkflowFailureError, ApplicationError):
        return None
