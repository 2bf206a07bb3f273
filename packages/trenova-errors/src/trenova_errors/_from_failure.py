"""On the caller's side: the typed error that a failure was where it happened."""

from collections.abc import Mapping
from typing import Any, Final

import temporalio.exceptions
from temporalio.exceptions import TimeoutType

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classify import classify
from trenova_errors._evidence import chain_of, name_of
from trenova_errors._kinds import ErrorKind
from trenova_errors._restored import make, restored

UNCLASSIFIED: Final = "unclassified"

# By name, since the client's module need not be loaded: each only says that what it is caused by has happened.
_WRAPPERS: Final = frozenset(
    {
        "WorkflowFailureError",
        "WorkflowUpdateFailedError",
        "ActivityFailureError",
        "ActivityError",
        "ChildWorkflowError",
        "NexusOperationError",
        "NexusOperationFailureError",
    }
)
_STARTED: Final = frozenset({TimeoutType.START_TO_CLOSE, TimeoutType.HEARTBEAT})

# What the SDK and the server raise without a type of ours: (kind, code, message).
_BY_NAME: Final[Mapping[str, tuple[ErrorKind, str, str]]] = {
    "WorkflowAlreadyStartedError": (ErrorKind.CONFLICT, "already_started", "A workflow with this id has been started."),
    "ActivityAlreadyStartedError": (
        ErrorKind.CONFLICT,
        "already_started",
        "An activity with this id has been started.",
    ),
    "NexusOperationAlreadyStartedError": (
        ErrorKind.CONFLICT,
        "already_started",
        "A Nexus operation with this id has been started.",
    ),
    "CancelledError": (ErrorKind.NON_RETRYABLE, "cancelled", "It was cancelled."),
    "AsyncActivityCancelledError": (ErrorKind.NON_RETRYABLE, "cancelled", "The activity was cancelled."),
    "TerminatedError": (ErrorKind.NON_RETRYABLE, "terminated", "It was terminated; its history says by whom and why."),
    "WorkflowContinuedAsNewError": (
        ErrorKind.NON_RETRYABLE,
        "continued_as_new",
        "The run has been continued as a new one. Wait for that one, with follow_runs=True.",
    ),
    "WorkflowQueryRejectedError": (
        ErrorKind.CONFLICT,
        "query_rejected",
        "The query was rejected, because the run is not in a state for which it was asked.",
    ),
    "WorkflowQueryFailedError": (ErrorKind.NON_RETRYABLE, "query_failed", "The workflow could not answer the query."),
    "WorkflowUpdateRPCTimeoutOrCancelledError": (
        ErrorKind.AMBIGUOUS,
        "update_unanswered",
        "The update was sent, and the wait for its outcome ended. Ask for it again with the same update id.",
    ),
    "RPCTimeoutOrCancelledError": (
        ErrorKind.UNAVAILABLE,
        "rpc_unanswered",
        "The wait for Temporal's answer ended without one.",
    ),
}
_MESSAGES: Final[Mapping[TimeoutType | None, str]] = {
    TimeoutType.SCHEDULE_TO_START: "No worker took it in time. Check that a worker polls its task queue.",
    TimeoutType.START_TO_CLOSE: "It was begun and gave no answer in time, so nobody knows whether it took effect.",
    TimeoutType.HEARTBEAT: "It was begun and fell silent, so nobody knows whether it took effect.",
    TimeoutType.SCHEDULE_TO_CLOSE: "It was not done in the time that all attempts together had.",
}

WORDS: Final = frozenset(_MESSAGES.values())
"""What is said of failures that have no words of their own; nothing of it is about the inside."""


def from_failure(error: BaseException, *, rules: Any = None) -> ApplicationError:
    """Return the typed error that this failure was on the other side, to be raised or examined.

    Understands what a client, a workflow or an activity gets to see: ``WorkflowFailureError``,
    ``WorkflowUpdateFailedError``, ``ActivityError``, ``ChildWorkflowError``, time-outs, terminations,
    cancellations, and application failures of workers in any language whose ``type`` is one of our kinds. Kind,
    code, facts, delay and cause are those of the failure; ``activity_type`` and ``timeout_type`` are added to
    the facts where they are known. What is none of these is classified, so ``RPCError`` and exceptions that never
    crossed the wire have an answer too.

    Args:
        error: What was caught.
        rules: As for ``classify``.

    Returns:
        An error of the class of its kind. Its cause is that of the failure, or ``error`` where that has none.
    """
    wrapped = innermost(error)
    typed = _typed(wrapped, rules)
    if typed is not wrapped:
        _add(typed, _circumstances(error))
        if typed.__cause__ is None:
            typed.__cause__ = error
    return typed


def innermost(error: BaseException) -> BaseException:
    """Return what the failures that only say that something else has failed are about."""
    for link in chain_of(error):
        last_attempt = isinstance(link, temporalio.exceptions.TimeoutError) and _is_application(link.__cause__)
        if link.__cause__ is None or not (type(link).__name__ in _WRAPPERS or last_attempt):
            return link
    return error


def _typed(error: BaseException, rules: Any) -> ApplicationError:
    if isinstance(error, ApplicationError):
        return error
    if isinstance(error, temporalio.exceptions.ApplicationError):
        return restored(error) or _foreign(error)
    if isinstance(error, temporalio.exceptions.TimeoutError):
        return _timeout(error)
    if isinstance(error, temporalio.exceptions.ServerError):
        kind = ErrorKind.NON_RETRYABLE if error.non_retryable else ErrorKind.UNAVAILABLE
        return make(kind, "server", "Temporal's server failed it.")
    known = _BY_NAME.get(type(error).__name__) if _of_sdk(error) else None
    if known is not None:
        return make(*known, facts=_identity(error))
    found = classify(error, rules=rules)
    name = name_of(type(error))
    return make(
        found.kind,
        found.code,
        f"{name}: {found.reason}",
        retry_after=found.retry_after,
        facts={"exception": name},
        idempotent=found.retryable,
    )


def _foreign(error: temporalio.exceptions.ApplicationError) -> ApplicationError:
    """Return an error for a failure whose type is none of ours: all that is known is whether to retry."""
    if error.type == "PayloadsTooLarge":  # the SDK's own, see _sizes
        return make(ErrorKind.PAYLOAD_TOO_LARGE, ErrorKind.PAYLOAD_TOO_LARGE.value, error.message)
    kind = ErrorKind.NON_RETRYABLE if error.non_retryable else ErrorKind.RETRYABLE
    typed = make(kind, UNCLASSIFIED, error.message, retry_after=error.next_retry_delay, facts={"type": error.type})
    typed.__cause__ = error.__cause__
    return typed


def _timeout(error: temporalio.exceptions.TimeoutError) -> ApplicationError:
    name = "unknown" if error.type is None else error.type.name.lower()
    kind = ErrorKind.AMBIGUOUS if error.type in _STARTED else ErrorKind.UNAVAILABLE
    message = _MESSAGES.get(error.type, "It was not done in time.")
    return make(kind, f"timeout.{name}", message, facts={"timeout_type": name})


def _circumstances(error: BaseException) -> Mapping[str, Fact]:
    facts: dict[str, Fact] = {}
    for link in chain_of(error):
        if isinstance(link, temporalio.exceptions.ActivityError):
            facts["activity_type"] = link.activity_type
            facts["retry_state"] = None if link.retry_state is None else link.retry_state.name.lower()
        elif isinstance(link, temporalio.exceptions.TimeoutError) and link.type is not None:
            facts["timeout_type"] = link.type.name.lower()
    return facts


def _identity(error: BaseException) -> Mapping[str, Fact]:
    names = ("workflow_id", "workflow_type", "run_id", "activity_id", "activity_type", "operation_id")
    return {name: str(value) for name in names if (value := getattr(error, name, None)) is not None}


def _add(error: ApplicationError, facts: Mapping[str, Fact]) -> None:
    error.add_facts(**{name: fact for name, fact in facts.items() if name not in error.facts})


def _is_application(error: BaseException | None) -> bool:
    return isinstance(error, temporalio.exceptions.ApplicationError)


def _of_sdk(error: BaseException) -> bool:
    return type(error).__module__.startswith("temporalio.")
