"""From an exception to the error that travels and to what a log line says of it."""

from dataclasses import dataclass
from typing import Final

import temporalio.exceptions

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classification import Classification
from trenova_errors._classify import classify
from trenova_errors._evidence import name_of
from trenova_errors._failure_log import Summary, summary_of
from trenova_errors._failures import presentable
from trenova_errors._from_failure import from_failure
from trenova_errors._kinds import ErrorKind
from trenova_errors._restored import make
from trenova_errors._rules import RuleSet
from trenova_errors._types import AmbiguousOutcomeError

_KINDS: Final = frozenset(kind.value for kind in ErrorKind)


@dataclass(frozen=True)
class Escaped:
    """What is done about an exception that escaped.

    Args:
        error: To raise in its place, often the same.
        found: The decision.
        summary: What a log line says.
    """

    error: BaseException
    found: Classification
    summary: Summary

    @property
    def retryable(self) -> bool:
        """Whether another attempt may follow."""
        return self.summary.retryable


def decide(error: BaseException, *, raised_by: str, idempotent: bool = False, rules: RuleSet | None = None) -> Escaped:
    """Decide about an exception that escapes.

    What carries a type is left as its author made it; the failure of something that was waited for keeps the
    kind of that failure; everything else is classified.

    Args:
        error: What escaped.
        raised_by: ``Activity`` or ``Workflow code``, for the message.
        idempotent: Whether what was tried may be tried again although nobody knows its outcome.
        rules: As for ``classify``.
    """
    if isinstance(error, AmbiguousOutcomeError) and idempotent:
        error.idempotent = True
    found = classify(error, idempotent=idempotent, rules=rules)
    if isinstance(error, temporalio.exceptions.ApplicationError):
        return Escaped(error, found, _of_application(error, found))
    if isinstance(error, temporalio.exceptions.TemporalError) and not found.unclassified:
        typed = from_failure(error, rules=rules)
        return Escaped(typed, found, _of_application(typed, found))
    return Escaped(_classified(error, found, raised_by), found, summary_of(found))


def _classified(error: BaseException, found: Classification, raised_by: str) -> ApplicationError:
    name = name_of(type(error))
    facts: dict[str, Fact] = {"exception": name}
    if not found.unclassified:
        facts["source"] = found.source
    typed = make(
        found.kind,
        found.code,
        f"{raised_by} raised {name}." + ("" if found.unclassified else f" {found.reason}"),
        retry_after=found.retry_after,
        facts=facts,
        idempotent=found.retryable,
    )
    typed.__cause__ = presentable(error)
    return typed.with_traceback(error.__traceback__)


def _of_application(error: temporalio.exceptions.ApplicationError, found: Classification) -> Summary:
    ours = error.type in _KINDS
    return Summary(
        kind=error.type if ours and error.type else found.kind.value,
        error_type=None if ours else error.type,
        code=found.code,
        benign=error.category is temporalio.exceptions.ApplicationErrorCategory.BENIGN,
        retryable=not error.non_retryable,
        reason=found.reason,
        source=found.source,
        runbook=found.runbook,
    )
