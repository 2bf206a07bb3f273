"""What a failure says of the step that failed, and how one tells of what could not be undone."""

from collections.abc import Sequence
from typing import Final

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, TimeoutType

from trenova_activities._saga_contract import NotUndone, NotUndoneError
from trenova_errors import ErrorKind, from_failure

_REFUSALS: Final = frozenset(
    {
        ErrorKind.INVALID_INPUT,
        ErrorKind.RESOURCE_NOT_FOUND,
        ErrorKind.CONFLICT,
        ErrorKind.DATA_INTEGRITY,
        ErrorKind.NON_RETRYABLE,
    }
)
"""Kinds with which an idempotent step says that it did nothing: had an earlier attempt done it, this one would have
found its result. Any other failure is that of the last attempt alone."""


def is_certain(error: BaseException) -> bool:
    """Whether a step that failed like this certainly has had no effect, in any of its attempts."""
    if exceptions.is_cancelled_exception(error):
        return False
    cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) and error.cause else error
    if isinstance(cause, exceptions.TimeoutError):
        return cause.type == TimeoutType.SCHEDULE_TO_START
    return isinstance(cause, ApplicationError) and cause.type in _REFUSALS


def code_of(error: BaseException) -> str:
    """Return the finer code that a failure carries in its details, or its kind."""
    return from_failure(error).code


def not_undone_error(left: Sequence[NotUndone], error: BaseException) -> NotUndoneError:
    """Say in one failure what could not be undone, and why there was something to undo."""
    said = " ".join(f"{one.step}: {one.said}" for one in left)
    return NotUndoneError(
        f"It failed, and not everything could be undone. {said} Look at these before you start it again.",
        steps=", ".join(one.step for one in left),
        codes=", ".join(one.code for one in left),
        failed_with=code_of(error),
    )
