"""What escapes from an activity leaves with a type, with the delay before its next attempt, and with one log line."""

import asyncio
import logging
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import temporalio.exceptions
from temporalio import activity
from temporalio.converter import DataConverter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from trenova_errors._arguments import fit
from trenova_errors._attempts import Attempt, after, is_milestone
from trenova_errors._classification import ADVICE
from trenova_errors._escaped import decide
from trenova_errors._evidence import name_of, organization_of
from trenova_errors._failure_log import Decision, level_of, logger, mark, write
from trenova_errors._from_failure import UNCLASSIFIED
from trenova_errors._kinds import ErrorKind
from trenova_errors._metrics import FailureCounters
from trenova_errors._restored import make
from trenova_errors._settings import Settings
from trenova_errors._sizes import check_result

_TIMED_OUT: Final = Summary(
    kind=ErrorKind.AMBIGUOUS.value,
    code="timeout",
    benign=False,
    reason=f"A time-out of the attempt has passed: {ADVICE[ErrorKind.AMBIGUOUS]}.",
    source="Temporal time-out",
    runbook=f"error-decisions#{ErrorKind.AMBIGUOUS}",
)
_UNASKED: Final = Summary(
    kind=ErrorKind.RETRYABLE.value,
    code="cancelled",
    benign=False,
    retryable=True,
    reason="The activity raised a cancellation that nobody had asked for: Temporal takes it for a failed attempt.",
    source="asyncio.CancelledError",
    runbook=f"error-decisions#{ErrorKind.RETRYABLE}",
)
_CANCELLED = (asyncio.CancelledError, temporalio.exceptions.CancelledError)


class ActivityErrors(ActivityInboundInterceptor):
    """Refuses a wrong number of arguments and decides about every exception that escapes."""

    def __init__(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
        settings: Settings | None = None,
        *,
        converter: DataConverter | None = None,
        counters: FailureCounters | None = None,
    ) -> None:
        super().__init__(next)
        self._settings = settings or Settings()
        self._converter = converter or DataConverter.default
        self._counters = counters or FailureCounters(None)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """See base class."""
        info = activity.info()
        try:
            subject = f"Activity {info.activity_type!r}"
            input.args = fit(input.fn, input.args, activity.payload_converter, subject=subject)
            result = await super().execute_activity(input)
            if self._settings.limits is not None:
                await check_result(result, self._converter, self._settings.limits)
        except _CANCELLED as error:
            self._cancelled(error, input)
            raise
        except Exception as error:  # noqa: BLE001 - decided about, never swallowed
            decided = self._failed(error, input)
            raise decided from decided.__cause__
        if self._settings.budget is not None:
            self._settings.budget.succeeded(info.activity_type, attempt=info.attempt)
        return result

    def _cancelled(self, error: BaseException, given: ExecuteActivityInput) -> None:
        """Log what is no cancellation: a time-out that the SDK delivers as one, and one that nobody asked for.

        A time-out never at ERROR: only the workflow that waits for the activity knows whether it was the last
        attempt, and has the line about it. One that nobody asked for fails the attempt, and is tried again.
        """
        mark(error)
        details = activity.cancellation_details()
        info = activity.info()
        if details is not None and details.timed_out and is_milestone(info.attempt):
            context = self._context(given)
            write(logging.WARNING, "Attempt of an activity timed out", error, _TIMED_OUT, context)
        elif details is None and not activity.is_worker_shutdown():
            self._log(error, _UNASKED, after(info, retryable=True, error_type=None, asked=None), given)

    def _failed(self, error: Exception, given: ExecuteActivityInput) -> BaseException:
        info = activity.info()
        idempotent = self._settings.is_idempotent(info.activity_type, given.fn)
        decided, decision = decide(error, raised_by="Activity", idempotent=idempotent, rules=self._settings.rules)
        if decision.code == UNCLASSIFIED and not isinstance(error, temporalio.exceptions.ApplicationError):
            self._counters.unclassified(info.activity_type, name_of(type(error)))
            decided, decision = self._bounded(decided, decision)
        attempt = self._attempt(decided, decision)
        if not attempt.final and isinstance(decided, ApplicationError):
            attempt = self._spend(error, decided, decision, attempt)
        self._counters.failed(info.activity_type, decision.kind, final=attempt.final)
        self._log(error, decision, attempt, given)
        if isinstance(error, BrokenExecutor):  # the SDK ends the worker on it, so it has to see it
            return error
        mark(decided)
        return decided

    def _bounded(self, decided: BaseException, decision: Decision) -> tuple[BaseException, Decision]:
        """End the retries of what nobody has decided about, after as many attempts as the settings allow."""
        most, attempt = self._settings.max_unclassified_attempts, activity.info().attempt
        if most is None or attempt < most or not isinstance(decided, ApplicationError):
            return decided, decision
        ended = make(
            ErrorKind.NON_RETRYABLE,
            UNCLASSIFIED,
            f"{decided.message} It has failed {attempt} times; register a rule that says what it means.",
            facts=decided.facts,
        )
        ended.__cause__ = decided.__cause__
        return ended, Decision(kind=ended.kind.value, code=UNCLASSIFIED, benign=False, reason=decision.reason)

    def _attempt(self, decided: BaseException, decision: Decision) -> Attempt:
        asked = decided.next_retry_delay if isinstance(decided, temporalio.exceptions.ApplicationError) else None
        return after(activity.info(), retryable=decision.retryable, error_type=decision.kind, asked=asked)

    def _spend(self, error: Exception, decided: ApplicationError, decision: Decision, attempt: Attempt) -> Attempt:
        """Take the retry from the budget, or make it wait longer."""
        budget, info = self._settings.budget, activity.info()
        if budget is None or attempt.delay is None:
            return attempt
        named = self._settings.dependency(error) if self._settings.dependency is not None else None
        dependency = named or decision.source or decision.code
        verdict = budget.take(dependency, decided.kind, activity_type=info.activity_type)
        if verdict.granted:
            return attempt
        if verdict.just_spent:
            logger.warning(
                "Retry budget of %s is spent: retries wait longer until it answers again",
                dependency,
                extra={"dependency": dependency, "error_kind": decided.kind.value, "task_queue": info.task_queue},
            )
        delay = budget.stretched(attempt.delay)
        if attempt.remaining is not None:
            delay = max(attempt.delay, min(delay, attempt.remaining))
        decided.wait(delay)
        return replace(attempt, delay=delay)

    def _log(self, error: BaseException, decision: Decision, attempt: Attempt, given: ExecuteActivityInput) -> None:
        level = level_of(decision, final=attempt.final, milestone=attempt.milestone)
        mark(error)
        if level is None:
            return
        event = "Activity failed" if attempt.final else "Activity failed and is tried again"
        context = {**self._context(given), "next_attempt_in": _seconds(attempt.delay)}
        write(level, event, error, summary, context)

    def _context(self, given: ExecuteActivityInput) -> dict[str, Any]:
        info = activity.info()
        return {
            "organization_id": organization_of(given.args, info.priority.fairness_key),
            "workflow_id": info.workflow_id,
            "run_id": info.workflow_run_id,
            "workflow_type": info.workflow_type,
            "activity_type": info.activity_type,
            "activity_id": info.activity_id,
            "attempt": info.attempt,
            "task_queue": info.task_queue,
        }


def _seconds(delay: timedelta | None) -> float | None:
    return None if delay is None else round(delay.total_seconds(), 3)
