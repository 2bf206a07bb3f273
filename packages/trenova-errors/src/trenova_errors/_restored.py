"""Making an error from what a failure carries: its kind, its code and its facts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import temporalio.exceptions

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._kinds import ErrorKind
from trenova_errors._types import (
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    DataIntegrityError,
    InvalidInputError,
    NonRetryableError,
    PayloadTooLargeError,
    PermissionDeniedError,
    ResourceNotFoundError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)

CLASSES: Final[Mapping[ErrorKind, type[ApplicationError]]] = {
    cls.kind: cls
    for cls in (
        AmbiguousOutcomeError,
        ConfigurationError,
        ConflictError,
        DataIntegrityError,
        InvalidInputError,
        NonRetryableError,
        PayloadTooLargeError,
        PermissionDeniedError,
        ResourceNotFoundError,
        RetryableError,
        ThrottledError,
        UnavailableError,
    )
}

_TAKEN: Final = frozenset({"retry_after", "idempotent"})
_MAX_FACTS: Final = 50
_MAX_CODE: Final = 100


def make(
    kind: ErrorKind,
    code: str,
    message: str,
    *,
    retry_after: timedelta | None = None,
    facts: Mapping[str, Fact] | None = None,
    idempotent: bool = False,
) -> ApplicationError:
    """Return an error of the class of ``kind`` with a code of its own.

    Args:
        kind: Decides the class.
        code: In place of the class's code.
        message: As for the class.
        retry_after: As for the class.
        facts: As for the class; those whose names the class takes for itself are left out.
        idempotent: For ``ambiguous`` alone: whether it may be tried again.
    """
    cls = CLASSES[kind]
    error = cls.__new__(cls)
    vars(error)["code"] = code[:_MAX_CODE]
    kept: dict[str, Any] = {name: value for name, value in (facts or {}).items() if name not in _TAKEN}
    if kind is ErrorKind.AMBIGUOUS:
        kept["idempotent"] = idempotent
    cls.__init__(error, message, retry_after=retry_after, **kept)
    return error


def restored(failure: temporalio.exceptions.ApplicationError) -> ApplicationError | None:
    """Return the typed error that this failure was on the other side of the wire; None if it was none of ours."""
    if isinstance(failure, ApplicationError):
        return failure
    try:
        kind = ErrorKind(failure.type or "")
    except ValueError:
        return None
    details = failure.details[0] if failure.details else None
    said: Mapping[Any, Any] = details if isinstance(details, Mapping) else {}
    code, facts = said.get("code"), said.get("facts")
    error = make(
        kind,
        code if isinstance(code, str) else kind.value,
        failure.message,
        retry_after=failure.next_retry_delay,
        facts=_facts(facts),
        idempotent=not failure.non_retryable,
    )
    error.__cause__ = failure.__cause__
    return error


def _facts(value: Any) -> Mapping[str, Fact]:
    if not isinstance(value, Mapping):
        return {}
    small = {str(name): fact for name, fact in value.items() if fact is None or isinstance(fact, str | int | float)}
    return dict(list(small.items())[:_MAX_FACTS])
