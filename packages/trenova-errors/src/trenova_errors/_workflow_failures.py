"""Deciding about and logging what escapes in workflow code, once, and not at a replay."""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,  # noqa: A004 - Temporal's
    is_cancelled_exception,
)

from trenova_errors._attempts import is_milestone
from trenova_errors._base import ApplicationError
from trenova_errors._classify import classify
from trenova_errors._escaped import decide
from trenova_errors._evidence import said_by_sdk
from trenova_errors._failure_log import Summary, level_of, mark, summary_of, write
from trenova_errors._kinds import ErrorKind
from trenova_errors._rules import RuleSet

_MAX_RUNS: Final = 1024
_TASK: Final = Summary(
    kind=ErrorKind.RETRYABLE.value,
    code="workflow_task",
    benign=False,
    retryable=True,
    reason="Workflow code raised what ends no run: the workflow task is tried again until the code is mended.",
    source="workflow task",
    runbook="error-decisions#workflow_task",
)


def escaping(
    event: str, error: Exception, organization: str | None, keys: Mapping[str, str], *, rules: RuleSet | None = None
) -> BaseException:
    """Log what escapes, and return what to raise in its place.

    An exception that the SDK takes for a bug stays as it is, so that the workflow task is tried again until
    somebody has mended the code. One that ends the run or an update, and has no type, is classified.
    """
    if not workflow.is_failure_exception(error):
        _task_failed(error, organization, keys)
        return error
    escaped = decide(error, raised_by="Workflow code", rules=rules)
    decided, summary = escaped.error, escaped.summary
    if isinstance(error, ActivityError | ChildWorkflowError):
        # It goes on as it is, so that the caller sees which activity it was.
        decided = error
        level: int | None = logging.INFO
    else:
        level = _level(summary, whole_run="update" not in keys)
    if level is not None:
        _line(level, event, error, summary, {**_context(organization), **keys})
    return decided


def refused(error: Exception, organization: str | None, *, update: str, rules: RuleSet | None = None) -> BaseException:
    """Log that a validator refused an update, and return what to raise in its place."""
    escaped = decide(error, raised_by="Workflow code", rules=rules)
    level = logging.INFO if escaped.summary.benign else logging.WARNING
    _line(level, "Update refused", error, escaped.summary, {**_context(organization), "update": update})
    return escaped.error


def input_summary(error: ApplicationError) -> Summary:
    """Return what the line of an input that was refused says."""
    return summary_of(classify(error))


def ended_unseen(subject: str, error: BaseException, organization: str | None) -> None:
    """Log the end of an activity or a child that no worker can have logged: a time-out or a termination."""
    cause = error.__cause__
    if is_cancelled_exception(error) or not isinstance(cause, TimeoutError | TerminatedError):
        return
    summary = decide(error, raised_by="Workflow code").summary
    keys: dict[str, Any] = {"subject": subject}
    if isinstance(error, ActivityError):
        keys = {"activity_type": error.activity_type, "activity_id": error.activity_id}
    elif isinstance(error, ChildWorkflowError):
        keys = {"child_workflow_id": error.workflow_id, "child_workflow_type": error.workflow_type}
    _line(logging.ERROR, f"{subject} ended without an answer", error, summary, {**_context(organization), **keys})


def _level(summary: Summary, *, whole_run: bool) -> int | None:
    info = workflow.info()
    most = info.retry_policy.maximum_attempts if info.retry_policy else 1
    again = whole_run and summary.retryable and info.retry_policy is not None and (not most or info.attempt < most)
    return level_of(summary, final=not again, milestone=is_milestone(info.attempt))


def _task_failed(error: Exception, organization: str | None, keys: Mapping[str, str]) -> None:
    times = _counted(workflow.info().run_id)
    mark(error)
    if is_milestone(times):
        context = {**_context(organization), **keys, "workflow_task_failures": times, "sdk_message": said_by_sdk(error)}
        _line(logging.ERROR, "Workflow task failed and is tried again until the code is mended", error, _TASK, context)


def _line(level: int, event: str, error: BaseException, summary: Summary, context: dict[str, Any]) -> None:
    mark(error)
    if not workflow.unsafe.is_replaying_history_events():
        write(level, event, error, summary, context)


def _context(organization: str | None) -> dict[str, Any]:
    return context_of(workflow.info(), organization)


def context_of(info: workflow.Info, organization: str | None) -> dict[str, Any]:
    """Return the keys of a run's lines."""
    return {
        "organization_id": organization,
        "workflow_id": info.workflow_id,
        "run_id": info.run_id,
        "workflow_type": info.workflow_type,
        "attempt": info.attempt,
        "task_queue": info.task_queue,
    }


_runs: Final[OrderedDict[str, int]] = OrderedDict()
_lock: Final = Lock()


def _counted(run_id: str) -> int:
    """Return how often this process has seen a task of this run fail; the SDK does not say."""
    with _lock:
        times = _runs.pop(run_id, 0) + 1
        _runs[run_id] = times
        if len(_runs) > _MAX_RUNS:
            _runs.popitem(last=False)
    return times
