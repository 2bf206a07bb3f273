"""The SDK's line about an attempt that did not fail within our interceptor.

It never came to the activity, an exit ended it, or an interceptor further out failed it, as one does that cuts short.

The SDK sets an activity's context after it has looked the activity up and decoded its arguments, so its line names
nothing. What it is about is the task that the SDK's own frame is working on.
"""

import logging
from types import TracebackType
from typing import Any, Final

import temporalio.exceptions
from temporalio.worker import ActivityInboundInterceptor

from trenova_errors._classify import classify
from trenova_errors._evidence import stack_of, types_of
from trenova_errors._failure_log import Summary, level_of, summary_of
from trenova_errors._failures import presentable
from trenova_errors._kinds import ErrorKind

_SDK: Final = "temporalio.worker._activity"


def rewrite_unbegun(record: logging.LogRecord, error: BaseException) -> None:
    """Take message and traceback out, and say which attempt of which activity it was."""
    start = _task(error.__traceback__)
    shown = presentable(error)
    event, summary = _said(error, shown)
    most = 0 if start is None else start.retry_policy.maximum_attempts
    final = not summary.retryable or bool(start is not None and most and start.attempt >= most)
    level = level_of(summary, final=final, milestone=True) or logging.WARNING
    record.levelno, record.levelname = level, logging.getLevelName(level)
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    record.msg, record.args = "%s: %s (%s), %s", (event, summary.kind, summary.code, types_of(error))
    keys = {
        **_context(start),
        "error_kind": summary.kind,
        "error_code": summary.code,
        "error_reason": summary.reason,
        "error_source": summary.source,
        "runbook": summary.runbook,
        "error_types": types_of(error),
        "error_stack": stack_of(error),
    }
    vars(record).update({name: value for name, value in keys.items() if value is not None})


def _said(error: BaseException, shown: BaseException) -> tuple[str, Summary]:
    if not isinstance(error, Exception):
        return f"Activity ended by {type(error).__name__}", _undecided("An exception ended it that ends processes.")
    if type(error) is temporalio.exceptions.ApplicationError and error.type == "NotFoundError":
        summary = Summary(
            kind=ErrorKind.RETRYABLE.value,
            code="activity_not_registered",
            benign=False,
            retryable=True,
            reason="This worker has no such activity: another one of its task queue may have it.",
            source="worker",
            runbook="error-decisions#retryable",
        )
        return "Activity is not registered with this worker", summary
    event = "Activity failed" if _had_begun(error.__traceback__) else "Activity failed before it began"
    return event, summary_of(classify(shown))


def _had_begun(traceback: TracebackType | None) -> bool:
    """Whether the attempt came as far as the interceptors, which are asked once its arguments are decoded."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "execute_activity" and isinstance(
            frame.f_locals.get("self"), ActivityInboundInterceptor
        ):
            return True
        traceback = traceback.tb_next
    return False


def _undecided(reason: str) -> Summary:
    kind = ErrorKind.RETRYABLE.value
    return Summary(
        kind=kind, code="exit", benign=False, retryable=True, reason=reason, runbook=f"error-decisions#{kind}"
    )


def _task(traceback: TracebackType | None) -> Any:
    """Return the task that the SDK was working on; None where its frame is not there."""
    while traceback is not None:
        frame = traceback.tb_frame
        start = frame.f_locals.get("start") if frame.f_globals.get("__name__") == _SDK else None
        if hasattr(start, "activity_type") and hasattr(start, "retry_policy"):
            return start
        traceback = traceback.tb_next
    return None


def _context(start: Any) -> dict[str, Any]:
    if start is None:
        return {}
    return {
        "workflow_id": start.workflow_execution.workflow_id,
        "run_id": start.workflow_execution.run_id,
        "workflow_type": start.workflow_type,
        "activity_type": start.activity_type,
        "activity_id": start.activity_id,
        "attempt": start.attempt,
    }
