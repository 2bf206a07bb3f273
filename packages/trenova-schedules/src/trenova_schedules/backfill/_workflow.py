"""The workflow that runs missed ticks, and the messages that it understands; deterministic code only."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_errors import ConflictError, InvalidInputError
    from trenova_schedules.backfill._contract import BackfillInput
    from trenova_schedules.backfill._loop import BackfillLoop
    from trenova_schedules.backfill._names import BACKFILL_WORKFLOW, CANCEL, CHANGE_LIMITS, PAUSE, PROGRESS, RESUME
    from trenova_schedules.backfill._outcome_contract import BackfillProgress, BackfillResult
    from trenova_schedules.backfill._steering import Asked, Request
    from trenova_schedules.backfill._steering_contract import (
        CancelRequest,
        LimitsRequest,
        PauseRequest,
        ResumeRequest,
        SteeringAnswer,
    )

_NOBODY = "somebody"
_NO_REASON = "no reason was given"


@workflow.defn(name=BACKFILL_WORKFLOW)
class BackfillScheduleWorkflow:
    """The ticks of a schedule in a range of the past, each once, also while the schedule is paused.

    Handlers only set what the loop looks at, so none is ever under way between two tasks.
    """

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    @workflow.init
    def __init__(self, asked: BackfillInput) -> None:
        self._work = BackfillLoop(asked)

    @workflow.run
    async def run(self, _asked: BackfillInput) -> BackfillResult:
        """Plan, start and verify.

        Raises:
            ActivityError: The request is refused, or a call failed for a day.
        """
        return await self._work.run()

    @workflow.update(name=PAUSE, description="Stop after the call under way and hold until somebody resumes.")
    def pause(self, request: PauseRequest) -> SteeringAnswer:
        """Stop after the call under way, within about 10 seconds, and hold."""
        return self._apply(request)

    @pause.validator
    def _may_pause(self, request: PauseRequest) -> None:
        self._refuse(request)

    @workflow.update(name=RESUME, description="Go on where the backfill stands.")
    def resume(self, request: ResumeRequest) -> SteeringAnswer:
        """Go on where the backfill stands."""
        return self._apply(request)

    @resume.validator
    def _may_resume(self, request: ResumeRequest) -> None:
        self._refuse(request)

    @workflow.update(name=CANCEL, description="End the backfill after the call under way.")
    def cancel(self, request: CancelRequest) -> SteeringAnswer:
        """End the backfill as canceled after the call under way, with a reason that stays in its memo."""
        return self._apply(request)

    @cancel.validator
    def _may_cancel(self, request: CancelRequest) -> None:
        self._refuse(request)

    @workflow.update(name=CHANGE_LIMITS, description="Change starts per second and runs at once from the next call on.")
    def change_limits(self, request: LimitsRequest) -> SteeringAnswer:
        """Change how fast the backfill may be, from its next call on."""
        return self._apply(request)

    @change_limits.validator
    def _may_change_limits(self, request: LimitsRequest) -> None:
        self._refuse(request)

    @workflow.signal(name=PAUSE, description="As the update, for callers that need no answer.")
    def _pause_signal(self, request: PauseRequest | None = None) -> None:
        self._signaled(request or PauseRequest(reason=_NO_REASON, by=_NOBODY))

    @workflow.signal(name=RESUME, description="As the update, for callers that need no answer.")
    def _resume_signal(self, request: ResumeRequest | None = None) -> None:
        self._signaled(request or ResumeRequest(by=_NOBODY))

    @workflow.signal(name=CANCEL, description="As the update, for callers that need no answer.")
    def _cancel_signal(self, request: CancelRequest | None = None) -> None:
        self._signaled(request or CancelRequest(reason=_NO_REASON, by=_NOBODY))

    @workflow.query(name=PROGRESS, description="How far the backfill is, how fast, and what it was told.")
    def progress(self) -> BackfillProgress:
        """How far the backfill is, how fast, and what it was told."""
        return self._work.report()

    def _refuse(self, request: Request) -> None:
        if said := self._work.steering.refusal(request):
            raise (InvalidInputError if isinstance(request, LimitsRequest) and _empty(request) else ConflictError)(said)

    def _signaled(self, request: Request) -> None:
        """Apply a signal; what an update would be refused is logged, for nobody waits for an answer."""
        if said := self._work.steering.refusal(request):
            workflow.logger.warning("A signal was not obeyed: %s", said)
            return
        self._obey(request, Asked(at=_now()))

    def _apply(self, request: Request) -> SteeringAnswer:
        update = workflow.current_update_info()
        return self._obey(request, Asked(at=_now(), update_id=update.id if update else None))

    def _obey(self, request: Request, asked: Asked) -> SteeringAnswer:
        answer = self._work.steering.apply(request, asked)
        if answer.applied:
            self._work.steered()
        return answer


def _empty(request: LimitsRequest) -> bool:
    return request.rate_per_second is None and request.concurrency is None


def _now() -> int:
    return int(workflow.now().timestamp())
