"""What went wrong, in a dispatcher's words, told from the wire type of a failure."""

from typing import Final

from temporalio import exceptions

from trenova_errors import PERMANENT_KINDS, ErrorKind

_OWN_WORDS: Final = frozenset(
    {
        ErrorKind.INVALID_INPUT,
        ErrorKind.RESOURCE_NOT_FOUND,
        ErrorKind.PERMISSION_DENIED,
        ErrorKind.CONFLICT,
        ErrorKind.NON_RETRYABLE,
    }
)
"""Kinds whose messages are written for the person who asked."""

_WORDS: Final[dict[str, str]] = {
    ErrorKind.DATA_INTEGRITY: "The database refused the change because it does not fit what is already there.",
    ErrorKind.CONFIGURATION: "The system is not set up for this job. Your administrator has been told what is missing.",
    ErrorKind.UNAVAILABLE: "The system could not be reached for too long.",
    ErrorKind.THROTTLE: "The system was too busy for too long.",
    ErrorKind.AMBIGUOUS: "It is not certain whether the change was made.",
    ErrorKind.PAYLOAD_TOO_LARGE: "The request is too large.",
}
_NOTHING_CHANGED: Final = " Nothing was changed."
_LOOK: Final = " Please look before you try again."
_UNKNOWN: Final = "Something went wrong on our side."


def explain_failure(error: BaseException) -> str:
    """Say in one or two sentences what a failed job means for the person who asked for it.

    Args:
        error: What the workflow caught; the decisive failure is the innermost typed one.
    """
    words = what_failed(error)
    cause = _cause_of(error)
    if exceptions.is_cancelled_exception(error) or isinstance(cause, exceptions.CancelledError):
        return words
    if not isinstance(cause, exceptions.TimeoutError | exceptions.ApplicationError):
        return words
    permanent = isinstance(cause, exceptions.ApplicationError) and cause.type in PERMANENT_KINDS
    return words + (_NOTHING_CHANGED if permanent else _LOOK)


def what_failed(error: BaseException) -> str:
    """Say in a sentence what went wrong, and nothing of what has or has not been changed."""
    cause = _cause_of(error)
    if exceptions.is_cancelled_exception(error) or isinstance(cause, exceptions.CancelledError):
        return "It was canceled before it was done."
    if isinstance(cause, exceptions.TimeoutError):
        return "It could not be done in time."
    if not isinstance(cause, exceptions.ApplicationError):
        return _UNKNOWN
    if cause.type in _OWN_WORDS:
        return f"{cause.message.rstrip('.')}."
    return _WORDS.get(cause.type or "", _UNKNOWN)


def times(count: int) -> str:
    """Say how often: ``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _cause_of(error: BaseException) -> BaseException:
    return error.cause if isinstance(error, exceptions.ActivityError) and error.cause else error
