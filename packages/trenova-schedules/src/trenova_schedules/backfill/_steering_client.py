"""Steer a run from outside, and ask how far it is: exactly once, also while it continues as new."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConflictError, ResourceNotFoundError, UnavailableError, from_failure
from trenova_schedules.backfill._names import CANCEL, CHANGE_LIMITS, PAUSE, PROGRESS, RESUME
from trenova_schedules.backfill._outcome_contract import BackfillProgress
from trenova_schedules.backfill._steering import Request
from trenova_schedules.backfill._steering_contract import (
    CancelRequest,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    SteeringAnswer,
)

PATIENCE: Final = timedelta(seconds=15)
"""How long a worker may take to answer."""

_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0
_UPDATES: Final[dict[type[Request], str]] = {
    PauseRequest: PAUSE,
    ResumeRequest: RESUME,
    CancelRequest: CANCEL,
    LimitsRequest: CHANGE_LIMITS,
}
_PASSES: Final = frozenset(
    {
        RPCStatusCode.ABORTED,
        RPCStatusCode.FAILED_PRECONDITION,  # its workflow task failed, e.g. for a signal that came meanwhile
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAVAILABLE,
    }
)
_TOO_LATE: Final = frozenset(
    {RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.FAILED_PRECONDITION}
)
_UNKNOWN_HANDLER: Final = ("expected but not found", "not found, known queries")


async def steer(
    client: Client,
    workflow_id: str,
    request: Request,
    *,
    update_id: str | None = None,
    patience: timedelta = PATIENCE,
) -> SteeringAnswer:
    """Pause, resume, cancel or limit a run, and return what came of it.

    An update that meets a continue-as-new is refused by the server and is sent again under its id, which the run knows,
    so it is applied once.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        workflow_id: The newest run of this workflow is steered.
        request: What is asked; its class says which update it is.
        update_id: Makes two calls the same one, for a caller that may have lost the answer; made up if absent.
        patience: How long a worker may take to answer.

    Raises:
        ConflictError: The run has ended or is being canceled, or its workflow cannot do this.
        InvalidInputError: The request is refused.
        ResourceNotFoundError: There is no such workflow.
        UnavailableError: No worker answered in time; ask again with the same id.
    """
    name, update_id = _UPDATES[type(request)], update_id or uuid.uuid4().hex
    call = _Call(client, workflow_id, patience)

    async def once(left: timedelta) -> SteeringAnswer:
        answer: SteeringAnswer = await call.handle.execute_update(
            name, request, id=update_id, result_type=SteeringAnswer, rpc_timeout=left
        )
        return answer

    try:
        # One call of the SDK asks the server anew, each time with its whole time limit, while no worker has it.
        async with asyncio.timeout_at(call.ends):
            while True:
                try:
                    return await once(call.left())
                except RPCError as error:
                    await call.wait_after(error)
    except WorkflowUpdateFailedError as error:
        raise await call.refusal(error, f"take the update {name!r}") from error
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise await call.nobody() from error


async def progress_of(client: Client, workflow_id: str, *, patience: timedelta = PATIENCE) -> BackfillProgress:
    """Ask a run how far it is; one that has ended answers too, as long as the namespace keeps it.

    Args:
        client: As for :func:`steer`.
        workflow_id: The newest run of this workflow is asked.
        patience: How long a worker may take to answer.

    Raises:
        ConflictError: Its workflow does not tell.
        ResourceNotFoundError: There is no such workflow.
        UnavailableError: No worker answered in time.
    """
    call = _Call(client, workflow_id, patience)
    try:
        told: BackfillProgress = await call.handle.query(
            PROGRESS, result_type=BackfillProgress, rpc_timeout=call.left()
        )
    except WorkflowQueryFailedError as error:
        raise await call.refusal(error, f"answer the query {PROGRESS!r}") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ResourceNotFoundError.of("workflow", workflow_id) from None
        if error.status in _TOO_LATE:
            raise await call.nobody() from error
        raise
    return told


@dataclass
class _Call:
    """One request, over all its tries."""

    client: Client
    workflow_id: str
    patience: timedelta

    def __post_init__(self) -> None:
        self.handle: WorkflowHandle[object, object] = self.client.get_workflow_handle(self.workflow_id)
        self._wait_s = _FIRST_WAIT_S
        self.ends = asyncio.get_running_loop().time() + self.patience.total_seconds()

    def left(self) -> timedelta:
        """Return how long this try may take."""
        left = self.ends - asyncio.get_running_loop().time()
        return timedelta(seconds=max(left, _FIRST_WAIT_S))

    async def wait_after(self, error: RPCError) -> None:
        """Wait a little before the next try, or raise what no further try would change."""
        if error.status is RPCStatusCode.NOT_FOUND:
            await self._refuse_ended()
        elif error.status not in _PASSES:
            raise error
        if asyncio.get_running_loop().time() >= self.ends:
            raise await self.nobody() from error
        await asyncio.sleep(self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    async def _refuse_ended(self) -> None:
        """Raise unless the run goes on: one that continued as new a moment ago is not found either."""
        try:
            found = await self.handle.describe(rpc_timeout=self.left())
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise ResourceNotFoundError.of("workflow", self.workflow_id) from None
        if found.status not in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW}:
            ended = "" if found.status is None else f": it is {found.status.name.lower().replace('_', ' ')}"
            raise ConflictError(f"The run {self.workflow_id!r} has ended{ended}. Nothing was changed; start a new one.")

    async def refusal(self, error: Exception, what: str) -> Exception:
        """Return what the workflow refused with, in words; another one may not know what is asked."""
        said = str(error.__cause__ or error)
        if not any(part in said for part in _UNKNOWN_HANDLER):
            return from_failure(error)
        found = await self.handle.describe(rpc_timeout=self.left())
        return ConflictError(
            f"{found.workflow_type} cannot {what}. Only long jobs can be steered: the cancellation of stale shipments "
            "and the deletion of audit entries. End others with 'temporal workflow cancel'."
        )

    async def nobody(self) -> UnavailableError:
        """Return that no worker answered, and where one is missed."""
        found = await self.handle.describe(rpc_timeout=PATIENCE)
        return UnavailableError(
            f"No worker answered within {self.patience.total_seconds():.0f} seconds; is one polling the task queue "
            f"{found.task_queue!r}? Start one and ask again; 'status' shows whether this request was obeyed after all."
        )
