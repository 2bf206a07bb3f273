"""Turning exceptions into failures: the decision on top, and no rejected value anywhere below it."""

from functools import cache
from typing import Any

import temporalio.exceptions
from temporalio.api.failure.v1 import Failure
from temporalio.converter import FailureConverter, PayloadConverter

from trenova_errors._init_arguments import WorkflowInitArguments
from trenova_errors._reporting import report
from trenova_errors._types import InvalidInputError, UnavailableError
from trenova_errors._validation import VALIDATION_ERRORS, describe

_WRAPPERS = frozenset({"Failed decoding arguments", "Failed decoding heartbeat details"})


class UndecodableError(UnavailableError):
    """A worker cannot decode what it was sent, e.g. for want of a codec; one that can may take over."""

    code = "undecodable"


class LiftingFailureConverter(FailureConverter):
    """Mixed in before a failure converter; what that one does with an exception stays as it is."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """See base class."""
        shown = presentable(exception)
        report(exception, shown, payload_converter)
        super().to_failure(shown, payload_converter, failure)  # type: ignore[safe-super]


@cache
def lifting(base: type[FailureConverter]) -> type[FailureConverter]:
    """Return a subclass of the converter in use that lifts typed causes; ``base`` if it does already."""
    if issubclass(base, LiftingFailureConverter):
        return base
    return type(f"Lifting{base.__name__}", (LiftingFailureConverter, base), {"__doc__": base.__doc__})


def presentable(exception: BaseException) -> BaseException:
    """Return the exception that a failure should be built from, which mostly is the one given."""
    if _wraps_decoding(exception):
        return _typed_cause(exception) or _undecodable(exception)
    if isinstance(exception, WorkflowInitArguments):
        return InvalidInputError(f"The arguments do not fit the workflow: {exception}").with_traceback(
            exception.__traceback__
        )
    if isinstance(exception, VALIDATION_ERRORS):
        safe: BaseException = temporalio.exceptions.ApplicationError(describe(exception), type=type(exception).__name__)
        safe.__cause__ = exception.__cause__
        return safe.with_traceback(exception.__traceback__)
    return exception


def _wraps_decoding(exception: BaseException) -> bool:
    return (
        type(exception) is temporalio.exceptions.ApplicationError
        and not exception.type
        and exception.message in _WRAPPERS
        and exception.__cause__ is not None
    )


def _typed_cause(exception: BaseException) -> BaseException | None:
    seen: set[int] = set()
    cause: Any = exception.__cause__
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, temporalio.exceptions.ApplicationError) and cause.type:
            return cause
        seen.add(id(cause))
        cause = cause.__cause__
    return None


def _undecodable(exception: BaseException) -> UndecodableError:
    cause = exception.__cause__
    error = UndecodableError(
        f"{exception.args[0]} ({type(cause).__name__}). Give this worker the data converter and the codec of "
        "the one who sent them."
    )
    error.__cause__ = cause
    return error.with_traceback(exception.__traceback__)
