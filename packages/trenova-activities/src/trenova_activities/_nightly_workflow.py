"""The loop of every nightly job: call the activity until it is done, tell of failures; deterministic code only."""

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import CancelledError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import JOB_NOTIFICATION_WORKFLOW, NOTIFICATION_QUEUE
    from trenova_activities._nightly_contract import FailureNotice, NightlyPayload, NightlyProgress, RunState
    from trenova_activities._notice_labels import notice_labels
    from trenova_activities._notification_contract import JobNotificationPayload
    from trenova_activities._timeouts import LAST_WORDS, NIGHTLY
    from trenova_errors import NonRetryableError

Progress = TypeVar("Progress", bound=NightlyProgress)


@dataclass(frozen=True)
class NightlyLoop(Generic[Progress]):
    """One kind of nightly run.

    Attributes:
        kind: First part of the activity ids, e.g. ``cancel``.
        activity: Wire name of the activity; it takes the payload and answers with its progress.
        progress: The model of the answer.
        job_type: As in the registry of notifications.
    """

    kind: str
    activity: str
    progress: type[Progress]
    job_type: str

    async def run(self, payload: NightlyPayload) -> Progress:
        """Work until nothing is left; continues as new when the server suggests it.

        Raises:
            ActivityError: What a call failed with.
            NonRetryableError: The run reached its end and failed for every organization.
        """
        state = RunState(
            run_id=workflow.info().first_execution_run_id,
            workflow_time=0,
            calls=payload.run.calls if payload.run else 0,
        )
        try:
            progress = await self._work(payload, state)
        except FailureError as error:
            if not (payload.dry_run or is_cancelled_exception(error)):
                await self._tell_of_the_end(payload, state)
            raise
        if not payload.dry_run:
            await self._tell(progress.notices)
        if progress.failure:
            raise NonRetryableError(progress.failure, tenants=progress.tenants_done, rows=progress.rows)
        return progress

    async def _work(self, payload: NightlyPayload, state: RunState) -> Progress:
        first = state.calls
        while True:
            if state.calls > first and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(payload.at(state))
            state = state.model_copy(update={"calls": state.calls + 1, "workflow_time": _now()})
            progress: Progress = await workflow.execute_activity(
                self.activity,
                payload.at(state),
                result_type=self.progress,
                activity_id=f"{self.kind}-{state.calls}",
                summary=f"{self.kind.capitalize()}, call {state.calls}: batches for some twenty seconds",
                **NIGHTLY,
            )
            if progress.done:
                return progress
            if workflow.cancellation_reason() is not None:  # it came too late for the call, which ended as usual
                raise CancelledError("The run was canceled between two calls.")

    async def _tell_of_the_end(self, payload: NightlyPayload, state: RunState) -> None:
        """Ask whom to tell that the run failed; without an answer the failure itself has to do."""
        ending = state.model_copy(update={"workflow_time": _now(), "failed": True})
        try:
            progress: Progress = await workflow.execute_activity(
                self.activity,
                payload.at(ending),
                result_type=self.progress,
                activity_id=f"{self.kind}-failed",
                summary="Find out whom to tell that the run failed",
                **LAST_WORDS,
            )
        except FailureError:
            workflow.logger.warning("Nobody could be found to be told of the failure", exc_info=True)
        else:
            await self._tell(progress.notices)

    async def _tell(self, notices: list[FailureNotice]) -> None:
        await asyncio.gather(*(self._notify(notice) for notice in notices))

    async def _notify(self, notice: FailureNotice) -> None:
        """Start one notification and wait until the server has it; its failure never fails the run."""
        info = workflow.info()
        notification = JobNotificationPayload(
            organization_id=notice.organization_id,
            business_unit_id=notice.business_unit_id,
            timestamp=_now(),
            job_id=info.workflow_id,
            job_type=self.job_type,
            target_role=notice.role,
            success=False,
            result=notice.words,
        )
        try:
            await workflow.start_child_workflow(
                JOB_NOTIFICATION_WORKFLOW,
                notification,
                id=f"{info.workflow_id}/notify/{notice.organization_id}/{notice.business_unit_id}",
                task_queue=NOTIFICATION_QUEUE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING,
                **notice_labels(notification).child_arguments(),
            )
        except FailureError:
            workflow.logger.warning("The notification could not be started", exc_info=True)


def _now() -> int:
    return int(workflow.now().timestamp())
