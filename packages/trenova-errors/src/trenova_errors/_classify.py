"""The decision about a failure: by type, code and status of the exceptions in its chain, never by their text.

From the outermost exception inwards, the first that says something definite decides. A wrapper (SQLAlchemy's errors,
``httpx.ConnectError``, Temporal's ``ActivityError``) decides only if nothing below it does, and an exception that
nobody has decided about is looked through. For one exception the order is: no failure at all (cancellation,
continue-as-new); the type that an ``ApplicationError`` carries; rules of the user, in their order; the code it
carries; the nearest entry of its type.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import temporalio.exceptions

from trenova_errors._attribute import attribute, entry
from trenova_errors._base import ApplicationError
from trenova_errors._chain import around, chain
from trenova_errors._classification import ADVICE, UNCLASSIFIED, Classification, classification
from trenova_errors._codes import Code, code_of
from trenova_errors._kinds import ErrorKind
from trenova_errors._left_open import leaves_open
from trenova_errors._outcome import sent
from trenova_errors._retry_after import retry_after
from trenova_errors._rules import Rule, RuleSet, rule_set
from trenova_errors._type_decisions import is_bug, no_failure, qualified_name, type_decision

_DEEPEST: Final = 20
_KINDS: Final = {kind.value: kind for kind in ErrorKind}
_STARTED: Final = {
    temporalio.exceptions.TimeoutType.START_TO_CLOSE,
    temporalio.exceptions.TimeoutType.SCHEDULE_TO_CLOSE,
    temporalio.exceptions.TimeoutType.HEARTBEAT,
}
"""Time-outs of Temporal after which the work may have been done."""


def classify(
    exc: BaseException, *, idempotent: bool = False, rules: RuleSet | Iterable[Rule] | None = None
) -> Classification:
    """Decide what a failure means.

    Args:
        exc: What was raised; its causes, contexts and the members of exception groups are looked at too.
        idempotent: Whether what was tried may be done twice, so that an unknown outcome is tried again.
        rules: Decisions of the user, which come before the tables of this package; a list will do.

    Returns:
        The decision; for what nobody has decided about ``retryable`` with the code ``unclassified``.
    """
    known = _Circumstances(rule_set(rules), idempotent=idempotent)
    return _classify(exc, known) or _unclassified(exc, known)


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """What is known beside the exception.

    Attributes:
        rules: Decisions of the user.
        idempotent: What was tried may be done twice.
        sent: What had been sent, if there is evidence.
        depth: How many groups are around this exception, each the cause of one before it.
        seen: Which exceptions have been weighed, and with which evidence; members of groups share causes.
    """

    rules: RuleSet
    idempotent: bool
    sent: str | None = None
    depth: int = 0
    seen: set[tuple[int, str | None]] = field(default_factory=set)

    def with_evidence(self, exc: BaseException) -> "_Circumstances":
        """Return the same with the evidence that an exception brings."""
        what = sent(exc) if self.sent is None else None
        return self if what is None else replace(self, sent=what)

    def first_time(self, exc: BaseException) -> bool:
        """Whether an exception has not been weighed yet; it has from now on."""
        key = (id(exc), self.sent)
        new = key not in self.seen
        self.seen.add(key)
        return new


def _classify(exc: BaseException, known: _Circumstances) -> Classification | None:
    """Return the decision, or None if all there is to say has been said about another member of a group."""
    walked: list[BaseException] = []
    found = _by_chain(exc, known, walked)
    if found is None or not _asked_of_tables(found):
        return found
    before = _left_open_before(exc, known, {id(link) for link in walked})
    return found if before is None else _made_ambiguous(found, before, known)


def _by_chain(exc: BaseException, known: _Circumstances, walked: list[BaseException]) -> Classification | None:
    """Return what the chain says, and add the links that were asked to ``walked``."""
    fallback: Classification | None = None
    sent_by_unknown = False
    for link in chain(exc):
        walked.append(link)
        known = known.with_evidence(link)
        if not known.first_time(link):
            return fallback
        if isinstance(link, BaseExceptionGroup):
            return _of_group(link, known) or fallback
        found, wrapper = _decide(link, known)
        if found is not None and not wrapper:
            return found
        fallback = fallback or found
        sent_by_unknown |= found is None and known.sent is not None and not is_bug(type(link))
    if fallback is None:
        return _unclassified(exc, known if sent_by_unknown else replace(known, sent=None))
    # The evidence may have come from below what decides.
    late = sent_by_unknown and fallback.kind is not ErrorKind.AMBIGUOUS and leaves_open(fallback.kind, fallback.source)
    return _made_ambiguous(fallback, str(known.sent), known) if late else fallback


def _asked_of_tables(found: Classification) -> bool:
    """Whether a failure would be tried again, and nobody who knows better said so: no rule, no error with a type."""
    said = found.source.startswith(("rule ", "raised as "))
    return found.failure and found.retryable and found.kind is not ErrorKind.AMBIGUOUS and not said


def _left_open_before(exc: BaseException, known: _Circumstances, walked: set[int]) -> str | None:
    """Return what had been sent, and left open, when this failure was met: by what was being handled meanwhile.

    A lost COMMIT stays lost when the roll-back after it fails as well, however that failure looks.
    """
    for link in around(exc):
        what = None if id(link) in walked else sent(link)
        if what is None:
            continue
        own = _by_chain(link, _Circumstances(known.rules, idempotent=False), [])
        if own is not None and (own.kind is ErrorKind.AMBIGUOUS or not own.failure):
            return what
    return None


def _made_ambiguous(found: Classification, what: str, known: _Circumstances) -> Classification:
    return classification(
        ErrorKind.AMBIGUOUS,
        code=found.code,
        subject=f"{found.reason.removesuffix(f': {ADVICE[found.kind]}.')} after {what} was sent",
        source=found.source,
        retryable=known.idempotent,
        retry_after=found.retry_after,
        exception=found.exception,
    )


def _decide(exc: BaseException, known: _Circumstances) -> tuple[Classification | None, bool]:
    """Return what this one exception says, and whether it is only a wrapper."""
    if (code := no_failure(type(exc))) is not None:
        return _no_failure(exc, code), False
    if isinstance(exc, temporalio.exceptions.ApplicationError):
        return _raised(exc, known), False
    carried = code_of(exc)
    if (rule := known.rules.find(exc, carried)) is not None:
        return _by_rule(exc, rule, known), False
    if carried is not None:
        return _by_code(exc, carried, known), False
    if isinstance(exc, temporalio.exceptions.TimeoutError):
        return _timed_out(exc, known), False
    return _by_type(exc, known)


def _no_failure(exc: BaseException, code: str) -> Classification:
    return classification(
        ErrorKind.NON_RETRYABLE,
        code=code,
        subject=f"{qualified_name(type(exc))} is no failure",
        source=f"type {qualified_name(type(exc))}",
        failure=False,
        exception=exc,
    )


def _raised(exc: temporalio.exceptions.ApplicationError, known: _Circumstances) -> Classification:
    named = _KINDS.get(exc.type) if isinstance(exc.type, str) else None
    kind = named or (ErrorKind.NON_RETRYABLE if exc.non_retryable else ErrorKind.RETRYABLE)
    again = not exc.non_retryable and not kind.permanent
    return classification(
        kind,
        code=_code_of_failure(exc, kind),
        subject=f"{qualified_name(type(exc))} was raised"
        if named
        else "An application error of another type was raised",
        source=f"raised as {kind.value}",
        retryable=again or (kind is ErrorKind.AMBIGUOUS and known.idempotent),
        retry_after=exc.next_retry_delay,
        exception=exc,
    )


def _code_of_failure(exc: temporalio.exceptions.ApplicationError, kind: ErrorKind) -> str:
    details = exc.details[0] if exc.details else None
    code = attribute(exc, "code") if isinstance(exc, ApplicationError) else entry(details, "code")
    return code if isinstance(code, str) else kind.value


def _by_rule(exc: BaseException, rule: Rule, known: _Circumstances) -> Classification:
    return classification(
        rule.kind,
        code=rule.code or f"rule.{rule.name}",
        subject=f"The rule {rule.name!r} means {qualified_name(type(exc))}",
        source=f"rule {rule.name}",
        retryable=known.idempotent if rule.kind is ErrorKind.AMBIGUOUS else None,
        retry_after=rule.retry_after or retry_after(exc, known.rules.hints),
        exception=exc,
    )


def _by_code(exc: BaseException, code: Code, known: _Circumstances) -> Classification:
    return _weighed(
        exc,
        code.decision.kind,
        code=code.code,
        subject=code.described,
        source=code.source,
        known=known,
    )


def _by_type(exc: BaseException, known: _Circumstances) -> tuple[Classification | None, bool]:
    entry = type_decision(type(exc))
    if entry is None:
        return None, True
    name, decision, wrapper = entry
    found = _weighed(
        exc,
        decision.kind,
        code=f"type.{name}",
        subject=f"{qualified_name(type(exc))} ({decision.name})",
        source=f"type {name}",
        known=known,
    )
    return found, wrapper


def _weighed(
    exc: BaseException,
    kind: ErrorKind,
    *,
    code: str,
    subject: str,
    source: str,
    known: _Circumstances,
) -> Classification:
    """Complete a decision of the tables, with the evidence that something was sent."""
    if known.sent is not None and leaves_open(kind, source):
        kind, subject = ErrorKind.AMBIGUOUS, f"{subject} after {known.sent} was sent"
    return classification(
        kind,
        code=code,
        subject=subject,
        source=source,
        retryable=known.idempotent if kind is ErrorKind.AMBIGUOUS else None,
        retry_after=None if kind.permanent else retry_after(exc, known.rules.hints),
        exception=exc,
    )


def _timed_out(exc: temporalio.exceptions.TimeoutError, known: _Circumstances) -> Classification:
    name = exc.type.name if exc.type is not None else "UNSPECIFIED"
    started = exc.type in _STARTED
    return classification(
        ErrorKind.AMBIGUOUS if started else ErrorKind.UNAVAILABLE,
        code=f"timeout.{name.lower()}",
        subject=f"Temporal's time-out {name}",
        source=f"timeout {name}",
        retryable=known.idempotent if started else None,
        exception=exc,
    )


def _of_group(group: BaseExceptionGroup[BaseException], known: _Circumstances) -> Classification | None:
    """Take the member that weighs most: permanent, then of unknown outcome, then the longest delay."""
    if known.depth == _DEEPEST:
        return None
    inside = replace(known, depth=known.depth + 1)
    found = (_classify(member, around) for member, around in _members(group, inside))
    return max((one for one in found if one is not None), key=_weight, default=None)


def _members(
    group: BaseExceptionGroup[BaseException], known: _Circumstances
) -> Iterator[tuple[BaseException, _Circumstances]]:
    """Yield the members that are no groups, however deep they lie, with the evidence of the groups around them."""
    waiting = [(member, known) for member in reversed(group.exceptions)]
    while waiting:
        member, around = waiting.pop()
        if not isinstance(member, BaseExceptionGroup):
            yield member, around
            continue
        around = around.with_evidence(member)
        if around.first_time(member):
            waiting += [(inner, around) for inner in reversed(member.exceptions)]


def _weight(found: Classification) -> tuple[bool, bool, bool, timedelta]:
    return (
        found.failure,
        found.failure and found.kind.permanent,
        found.kind is ErrorKind.AMBIGUOUS,
        found.retry_after or timedelta(0),
    )


def _unclassified(exc: BaseException, known: _Circumstances) -> Classification:
    name = qualified_name(type(exc))
    found = classification(
        ErrorKind.RETRYABLE,
        code=UNCLASSIFIED,
        subject=f"Nobody has decided about {name} yet",
        source=UNCLASSIFIED,
        exception=exc,
    )
    return found if known.sent is None else _made_ambiguous(found, known.sent, known)
