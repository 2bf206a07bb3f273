"""On the caller's side: the typed error that a failure was where it happened."""

from collections.abc import Mapping
from typing import Final

import temporalio.exceptions

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classification import Classification
from trenova_errors._classify import classify
from trenova_errors._evidence import chain_of, name_of
from trenova_errors._kinds import ErrorKind
from trenova_errors._restored import make, restored
from trenova_errors._rules import RuleSet

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

# What the SDK and the server say in words of their own, or not at all.
_MESSAGES: Final[Mapping[str, str]] = {
    "WorkflowAlreadyStartedError": "A workflow with this id has been started already.",
    "ActivityAlreadyStartedError": "An activity with this id has been started already.",
    "NexusOperationAlreadyStartedError": "A Nexus operation with this id has been started already.",
    "CancelledError": "It was cancelled.",
    "AsyncActivityCancelledError": "The activity was cancelled.",
    "TerminatedError": "It was terminated; its history says by whom and why.",
    "WorkflowContinuedAsNewError": "The run continues as a new one. Wait for that one, with follow_runs=True.",
    "WorkflowQueryRejectedError": "The query was rejected, because the run is not in a state for which it was asked.",
    "WorkflowQueryFailedError": "The workflow could not answer the query.",
    "WorkflowUpdateRPCTimeoutOrCancelledError": (
        "The update was sent, and the wait for its outcome ended. Ask for it again with the same update id."
    ),
    "RPCTimeoutOrCancelledError": "The wait for Temporal's answer ended without one.",
    "ServerError": "Temporal's server failed it.",
    "timeout.schedule_to_start": "No worker took it in time. Check that a worker polls its task queue.",
    "timeout.start_to_close": "It was begun and gave no answer in time, so nobody knows whether it took effect.",
    "timeout.heartbeat": "It was begun and fell silent, so nobody knows whether it took effect.",
    "timeout.schedule_to_close": (
        "It was not done in the time that all attempts together had, and nobody knows what the last one has done."
    ),
}

WORDS: Final = frozenset(_MESSAGES.values())
"""What is said of failures that have no words of their own; nothing of it is about the inside."""


def from_failure(error: BaseException, *, rules: RuleSet | None = None) -> ApplicationError:
    """Return the typed error that this failure was on the other side, to be raised or examined.

    Understands what a client, a workflow or an activity gets to see: ``WorkflowFailureError``,
    ``WorkflowUpdateFailedError``, ``ActivityError``, ``ChildWorkflowError``, time-outs, terminations,
    cancellations, and application failures of workers in any language whose ``type`` is one of our kinds. Kind,
    code, facts, delay and cause are those of the failure; ``activity_type``, ``retry_state`` and ``timeout_type``
    are added to the facts where they are known. What is none of these is classified, so ``RPCError`` and
    exceptions that never crossed the wire have an answer too.

    Args:
        error: What was caught.
        rules: As for :func:`classify`.

    Returns:
        An error of the class of its kind. Its cause is that of the failure, or ``error`` where that has none.
    """
    wrapped = innermost(error)
    typed = _typed(wrapped, rules)
    if typed is not wrapped:
        known = typed.facts
        typed.add_facts(**{name: fact for name, fact in _circumstances(error).items() if name not in known})
        if typed.__cause__ is None:
            typed.__cause__ = error
    return typed


def innermost(error: BaseException) -> BaseException:
    """Return what the failures that only say that something else has failed are about."""
    for link in chain_of(error):
        if link.__cause__ is None or not (_of_sdk(link) and type(link).__name__ in _WRAPPERS):
            return link
    return error


def _typed(error: BaseException, rules: RuleSet | None) -> ApplicationError:
    if isinstance(error, ApplicationError):
        return error
    found = classify(error, rules=rules)
    if isinstance(error, temporalio.exceptions.ServerError) and error.non_retryable:
        return make(ErrorKind.NON_RETRYABLE, found.code, _MESSAGES["ServerError"])
    if isinstance(error, temporalio.exceptions.ApplicationError):
        return restored(error) or _foreign(error, found)
    typed = make(
        found.kind,
        found.code,
        _message(error, found),
        retry_after=found.retry_after,
        facts=_identity(error),
        idempotent=found.retryable,
    )
    if _of_sdk(error):
        typed.__cause__ = error.__cause__
    return typed


def _message(error: BaseException, found: Classification) -> str:
    name = type(error).__name__ if _of_sdk(error) else ""
    return _MESSAGES.get(found.code) or _MESSAGES.get(name) or found.reason


def _foreign(error: temporalio.exceptions.ApplicationError, found: Classification) -> ApplicationError:
    """Return an error for a failure whose type is none of ours: all that is known is whether to retry."""
    if error.type == "PayloadsTooLarge":  # the SDK's own, see _sizes
        typed = make(ErrorKind.PAYLOAD_TOO_LARGE, ErrorKind.PAYLOAD_TOO_LARGE.value, error.message)
    else:
        typed = make(
            found.kind, found.code, error.message, retry_after=error.next_retry_delay, facts={"type": error.type}
        )
    typed.__cause__ = error.__cause__
    return typed


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
    """Return the exception's name, or of what Temporal speaks."""
    if not _of_sdk(error):
        return {"exception": name_of(type(error))}
    names = ("workflow_id", "workflow_type", "run_id", "activity_id", "activity_type", "operation_id")
    return {name: str(value) for name in names if (value := getattr(error, name, None)) is not None}


def _of_sdk(error: BaseException) -> bool:
    return type(error).__module__.startswith("temporalio.")
