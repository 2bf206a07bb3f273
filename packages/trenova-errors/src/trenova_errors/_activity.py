"""What escapes from an activity leaves with a type, with the delay before its next attempt, and with one log line."""

import asyncio
import logging
from concurrent.futures import BrokenExecutor
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
from trenova_errors._failure_log import Summary, level_of, mark, write
from trenova_errors._kinds import ErrorKind
from trenova_errors._metrics import FailureCounters
from trenova_errors._retries import bounded, planned
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
        info, settings = activity.info(), self._settings
        idempotent = settings.is_idempotent(info.activity_type, given.fn)
        escaped = decide(error, raised_by="Activity", idempotent=idempotent, rules=settings.rules)
        if escaped.found.unclassified:
            self._counters.unclassified(info.activity_type, name_of(type(error)))
            escaped = bounded(escaped, settings.max_unclassified_attempts)
        attempt = planned(escaped, error, settings)
        self._counters.failed(info.activity_type, escaped.summary.kind, final=attempt.final)
        self._log(error, escaped.summary, attempt, given)
        if isinstance(error, BrokenExecutor):  # the SDK ends the worker on it, so it has to see it
            return error
        mark(escaped.error)
        return escaped.error

    def _log(self, error: BaseException, summary: Summary, attempt: Attempt, given: ExecuteActivityInput) -> None:
        level = level_of(summary, final=attempt.final, milestone=attempt.milestone)
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
