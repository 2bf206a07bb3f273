"""The loop of every nightly job: call the activity until it is done, obey, tell; deterministic code only."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from temporalio import workflow
from temporalio.exceptions import CancelledError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from trenova_activities._continuation import Continuation, ContinuationBudget, continuation_due, continue_as_new
    from trenova_activities._names import CANCELED_MEMO, CONTINUATION_PATCH
    from trenova_activities._nightly_contract import NightlyPayload, NightlyProgress, NightlyStand, RunState
    from trenova_activities._nightly_report import NightlyReport, stand_after
    from trenova_activities._nightly_telling import tell
    from trenova_activities._progress_contract import JobProgress
    from trenova_activities._steering import Steering
    from trenova_activities._steering_contract import Standstill
    from trenova_activities._timeouts import LAST_WORDS, LAST_WORDS_WAIT, NIGHTLY
    from trenova_errors import NonRetryableError

Progress = TypeVar("Progress", bound=NightlyProgress)


@dataclass(frozen=True)
class NightlyKind(Generic[Progress]):
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


class NightlyLoop(Generic[Progress]):
    """One run, and what it has been told.

    Made by ``@workflow.init``, so that a message that comes before the first line of the workflow finds it.

    Args:
        kind: Which job.
        payload: What is asked, with the state that the run before this one carried over.
    """

    def __init__(self, kind: NightlyKind[Progress], payload: NightlyPayload) -> None:
        before = payload.run
        self.steering = Steering(before.steering if before else None)
        self._kind = kind
        self._payload = payload
        self._stand = (before.stand if before else None) or NightlyStand()
        self._calls = self._first_call = before.calls if before else 0
        self._working = self._ended = False
        self._budget = ContinuationBudget.of_run()
        self._by_budget = True

    async def run(self) -> Progress:
        """Work until nothing is left; continues as new when its history has become long.

        Raises:
            ActivityError: What a call failed with.
            NonRetryableError: The run reached its end and failed for every organization.
        """
        try:
            progress = await self._work()
        except FailureError as error:
            if not (self._payload.dry_run or is_cancelled_exception(error) or self.steering.canceled):
                await self._tell_of_the_end()
            raise
        if not self._payload.dry_run:
            await tell(progress.notices, self._kind.job_type)
        if progress.failure:
            raise NonRetryableError(progress.failure, tenants=progress.tenants_done, rows=progress.rows)
        return progress

    def steered(self) -> None:
        """Show a change where the Temporal UI looks."""
        self._show()

    def report(self, *, steerable: bool) -> JobProgress:
        """Say how far the run is."""
        return self._report.answer(steerable=steerable)

    @property
    def _report(self) -> NightlyReport:
        return NightlyReport(
            job_type=self._kind.job_type,
            steering=self.steering,
            stand=self._stand,
            calls=self._calls,
            working=self._working,
            ended=self._ended,
            dry_run=self._payload.dry_run,
        )

    def _show(self) -> None:
        workflow.set_current_details(self._report.words)

    async def _work(self) -> Progress:
        while True:
            await workflow.wait_condition(lambda: not self._holds() or self._due() is not None)
            if (canceled := self.steering.canceled) is not None:
                await self._cancel(canceled)
            if (due := self._due()) is not None and self._may_continue(due):
                await continue_as_new(self._carried, due)
            if self._holds():
                continue
            progress = await self._call()
            if progress is not None and progress.done:
                self._ended = True
                self._show()
                return progress
            if workflow.cancellation_reason() is not None:  # it came too late for the call, which ended as usual
                raise CancelledError("The run was canceled between two calls.")

    def _holds(self) -> bool:
        return self.steering.paused is not None

    def _due(self) -> Continuation | None:
        """Say why to continue as new; never before this run has done something, or it would continue for ever."""
        if self._calls == self._first_call and not self.steering.handled:
            return None
        due = continuation_due(self._budget)
        return due if due is None or due.reason == "suggested" or self._by_budget else None

    def _may_continue(self, due: Continuation) -> bool:
        """Say whether the run may continue for this reason: one from before there were others may not."""
        self._by_budget = due.reason == "suggested" or workflow.patched(CONTINUATION_PATCH)
        return self._by_budget

    async def _call(self) -> Progress | None:
        """Call the activity once; a pause, a cancellation or a long history ends the call after its batch.

        Returns:
            Its answer; None where it was stopped before it had one.
        """
        self._calls += 1
        self._working = True
        began = _now()
        self._show()
        call = workflow.start_activity(
            self._kind.activity,
            self._payload.at(self._state(calls=self._calls)),
            result_type=self._kind.progress,
            activity_id=f"{self._kind.kind}-{self._calls}",
            summary=f"{self._kind.kind.capitalize()}, call {self._calls}: batches for some twenty seconds",
            **NIGHTLY,
        )
        with contextlib.suppress(asyncio.CancelledError):  # of the workflow: the call hears of it, and ends first
            await workflow.wait_condition(lambda: call.done() or self._is_stopped())
        stopped = not call.done() and call.cancel()
        try:
            progress: Progress = await call
        except FailureError as error:
            if stopped and is_cancelled_exception(error) and workflow.cancellation_reason() is None:
                return None
            raise
        finally:
            self._working = False
        self._stand = stand_after(self._stand, progress, _now() - began)
        self._show()
        return progress

    def _is_stopped(self) -> bool:
        """Say whether a call under way has to end: also where messages alone have made the history long."""
        told = self._holds() or self.steering.canceled is not None
        return told or (self.steering.handled > 0 and self._due() is not None)

    async def _cancel(self, canceled: Standstill) -> NoReturn:
        """End the run as canceled, with the reason where it is read: in its memo.

        A run that asks the server to cancel itself is refused, so its activity asks.
        """
        words = f"{canceled.by.words}: {canceled.reason}"
        workflow.upsert_memo({CANCELED_MEMO: words})
        self._show()
        await workflow.execute_activity(
            self._kind.activity,
            self._payload.at(self._state(calls=self._calls).model_copy(update={"canceled": True})),
            result_type=self._kind.progress,
            activity_id=f"{self._kind.kind}-canceled",
            summary="End the run as canceled, as it was told",
            **LAST_WORDS,
        )
        with contextlib.suppress(TimeoutError):  # of an activity from before, which does not know what is asked
            await workflow.wait_condition(lambda: workflow.cancellation_reason() is not None, timeout=LAST_WORDS_WAIT)
        raise NonRetryableError(f"Canceled by {words}. What was done before stands.")

    def _carried(self) -> NightlyPayload:
        """Return the argument of the next run of the chain."""
        state = self._state(calls=self._calls)
        return self._payload.at(state.model_copy(update={"steering": self.steering.state, "stand": self._stand}))

    def _state(self, *, calls: int, failed: bool = False) -> RunState:
        """Return what the activity is told of the run."""
        return RunState(
            run_id=workflow.info().first_execution_run_id,
            workflow_time=_now(),
            calls=calls,
            failed=failed,
            limits=self.steering.limits,
        )

    async def _tell_of_the_end(self) -> None:
        """Ask whom to tell that the run failed; without an answer the failure itself has to do."""
        try:
            progress: Progress = await workflow.execute_activity(
                self._kind.activity,
                self._payload.at(self._state(calls=self._calls, failed=True)),
                result_type=self._kind.progress,
                activity_id=f"{self._kind.kind}-failed",
                summary="Find out whom to tell that the run failed",
                **LAST_WORDS,
            )
        except FailureError:
            workflow.logger.warning("Nobody could be found to be told of the failure", exc_info=True)
        else:
            await tell(progress.notices, self._kind.job_type)


def _now() -> int:
    return int(workflow.now().timestamp())
