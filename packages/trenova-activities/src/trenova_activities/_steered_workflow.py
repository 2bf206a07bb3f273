"""The messages that a run under way understands; deterministic code only."""

from typing import Protocol

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import CANCEL, CHANGE_LIMITS, PAUSE, PROGRESS, RESUME, STEERING_PATCH
    from trenova_activities._progress_contract import JobProgress
    from trenova_activities._steering import Asked, Request, Steering
    from trenova_activities._steering_contract import (
        CancelRequest,
        LimitsRequest,
        PauseRequest,
        ResumeRequest,
        SteeringAnswer,
    )
    from trenova_errors import ConflictError, InvalidInputError

_NOBODY = "somebody"
_NO_REASON = "no reason was given"
_DEAF = (
    "This run was begun by an older version and was told something then, which that version did not understand; it "
    "cannot be steered any more. Cancel it with 'temporal workflow cancel' and start it again, or wait for its end."
)


class Steerable(Protocol):
    """The work that is steered."""

    steering: Steering

    def steered(self) -> None:
        """Take note of a change."""

    def report(self, *, steerable: bool) -> JobProgress:
        """Say how far the work is."""


class SteeredWorkflow:
    """Updates, signals and the query of a run; a workflow derives from it and calls ``super().__init__``.

    Handlers only set what the work looks at, so none is ever under way between two tasks.

    Args:
        work: What is steered.
    """

    def __init__(self, work: Steerable) -> None:
        self._steered = work
        self._deaf = False

    @workflow.update(name=PAUSE, description="Stop after the batch under way and hold until somebody resumes.")
    def pause(self, request: PauseRequest) -> SteeringAnswer:
        """Stop after the batch under way, within about 15 seconds, and hold."""
        return self._apply(request)

    @pause.validator
    def _may_pause(self, request: PauseRequest) -> None:
        self._refuse(request)

    @workflow.update(name=RESUME, description="Go on where the run stands.")
    def resume(self, request: ResumeRequest) -> SteeringAnswer:
        """Go on where the run stands."""
        return self._apply(request)

    @resume.validator
    def _may_resume(self, request: ResumeRequest) -> None:
        self._refuse(request)

    @workflow.update(name=CANCEL, description="End the run after the batch under way; what was done stands.")
    def cancel(self, request: CancelRequest) -> SteeringAnswer:
        """End the run as canceled after the batch under way, with a reason that stays in its memo."""
        return self._apply(request)

    @cancel.validator
    def _may_cancel(self, request: CancelRequest) -> None:
        self._refuse(request)

    @workflow.update(name=CHANGE_LIMITS, description="Change rows per batch and per second from the next call on.")
    def change_limits(self, request: LimitsRequest) -> SteeringAnswer:
        """Change how fast the run may be, from its next call on."""
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

    @workflow.query(name=PROGRESS, description="How far the run is, how fast, and what it was told.")
    def progress(self) -> JobProgress:
        """How far the run is, how fast, and what it was told."""
        return self._steered.report(steerable=not self._deaf)

    def _refuse(self, request: Request) -> None:
        if self._deaf:
            raise ConflictError(_DEAF)
        if said := self._steered.steering.refusal(request):
            raise (InvalidInputError if isinstance(request, LimitsRequest) and _empty(request) else ConflictError)(said)

    def _signaled(self, request: Request) -> None:
        """Apply a signal; what an update would be refused is logged, for nobody waits for an answer."""
        if said := self._steered.steering.refusal(request):
            workflow.logger.warning("A signal was not obeyed: %s", said)
            return
        # In the replay of a run that was told this under an older version, which ignored it, there is no mark: to obey
        # now would contradict its history.
        if not workflow.patched(STEERING_PATCH):
            self._deaf = True
            return
        self._obey(request, Asked(at=_now()))

    def _apply(self, request: Request) -> SteeringAnswer:
        workflow.patched(STEERING_PATCH)
        update = workflow.current_update_info()
        return self._obey(request, Asked(at=_now(), update_id=update.id if update else None))

    def _obey(self, request: Request, asked: Asked) -> SteeringAnswer:
        answer = self._steered.steering.apply(request, asked)
        if answer.applied:
            self._steered.steered()
        return answer


def _empty(request: LimitsRequest) -> bool:
    return request.batch_size is None and request.rows_per_second is None


def _now() -> int:
    return int(workflow.now().timestamp())
