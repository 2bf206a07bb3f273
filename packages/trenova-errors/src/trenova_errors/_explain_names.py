"""Kinds and Temporal's time-outs by name, as a failure in a history shows them."""

from dataclasses import dataclass
from typing import Final

import temporalio.exceptions

from trenova_errors._classification import ADVICE, Classification
from trenova_errors._classify import classify
from trenova_errors._kinds import ErrorKind

_KINDS: Final = {kind.value: kind for kind in ErrorKind}
_TIME_OUTS: Final = {kind.name: kind for kind in temporalio.exceptions.TimeoutType}
_RETRIED: Final = {
    temporalio.exceptions.TimeoutType.START_TO_CLOSE,
    temporalio.exceptions.TimeoutType.HEARTBEAT,
}
_RETRIED_BY_SERVER: Final = (
    "The server retries an activity after it, whatever the kind says, as often as the retry policy allows. What must "
    "not be done twice needs maximum_attempts=1 or ActivityPolicy(retry_timed_out=False), or has to be idempotent."
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a name means.

    Attributes:
        subject: As people say it.
        decision: What is decided about it.
        notes: What else may decide.
    """

    subject: str
    decision: Classification
    notes: tuple[str, ...] = ()


def time_outs() -> tuple[str, ...]:
    """Return the names of Temporal's time-outs."""
    return tuple(_TIME_OUTS)


def kind_named(value: str) -> list[ErrorKind]:
    """Return the kind of that name, or nothing."""
    kind = _KINDS.get(value)
    return [] if kind is None else [kind]


def kind_reading(kind: ErrorKind) -> Named:
    """Say what is decided about a failure whose type is a kind."""
    flagged = kind.permanent or kind is ErrorKind.AMBIGUOUS
    error = temporalio.exceptions.ApplicationError("", type=kind.value, non_retryable=flagged)
    notes = () if kind.permanent else ("A failure that was raised as non-retryable is not retried, whatever its type.",)
    return Named(f"The failure type {kind.value} ({ADVICE[kind]})", classify(error), notes)


def time_out_named(value: str) -> list[Named]:
    """Say what is decided about a time-out of Temporal: ``START_TO_CLOSE``."""
    kind = _TIME_OUTS.get(value.upper().replace("-", "_"))
    if kind is None:
        return []
    error = temporalio.exceptions.TimeoutError("", type=kind, last_heartbeat_details=[])
    notes = (_RETRIED_BY_SERVER,) if kind in _RETRIED else ()
    return [Named(f"Temporal's time-out {kind.name}", classify(error), notes)]
