"""What is decided about a code, a status or a class, without an exception at hand.

The answers are those of :func:`trenova_errors.classify`, read from the same tables and in the same order.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trenova_errors._classification import Classification, classification
from trenova_errors._codes import Code
from trenova_errors._explain_codes import SYSTEM_NAMES, code_named, codes_like, known_codes
from trenova_errors._explain_delay import RAISED, delay_of, origin_of
from trenova_errors._explain_logged import by_rule, code_of_class, own_code, rule_named, runbook_named
from trenova_errors._explain_names import Named, kind_named, kind_reading, time_out_named, time_outs
from trenova_errors._explain_types import (
    LIBRARIES,
    TypeSubject,
    classes_named,
    decided_by_code,
    known_classes,
    type_reading,
)
from trenova_errors._kinds import ErrorKind
from trenova_errors._rules import NO_RULES, Rule, RuleSet
from trenova_errors._type_decisions import qualified_name
from trenova_errors._types import InvalidInputError

_NEAR: Final = 5
_LIBRARIES_TOO: Final = frozenset({"gRPC", "SQLAlchemy"})
"""Systems whose name is also that of a library, as in ``sqlalchemy NoResultFound``."""

_EVIDENCE: Final = (
    "With evidence that something was sent (a block of sending(), a POST whose answer was lost) it is 'ambiguous'."
)

PRECEDENCE: Final = (
    "no failure at all (cancellation, continue-as-new)",
    "the type that an ApplicationError was raised with",
    "rules of your own, in their order",
    "the code that the exception carries",
    "the nearest entry of its class",
)
"""What decides about one exception, first to last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to understand what was asked for, and what is decided about it.

    Attributes:
        subject: As it was understood: ``SQLSTATE 40P01 (deadlock_detected)``.
        decision: What ``classify`` says about an exception that carries or is it.
        delay: Where the time until the next attempt comes from.
        notes: What else may decide, one sentence each.
    """

    subject: str
    decision: Classification
    delay: str
    notes: tuple[str, ...] = ()


def explain(words: Sequence[str], rules: RuleSet = NO_RULES) -> list[Reading]:
    """Say what is decided about each of the subjects that the words name.

    Args:
        words: ``40P01``, ``http 429`` as one word or two, ``httpx.ReadTimeout``, ``redis ReadOnlyError``, ``throttle``;
            a code may be written as logs have it, ``sqlstate.40P01``.
        rules: Decisions of the user, which come before the tables of this package.

    Returns:
        At least one reading of each subject, in their order; several where a word means several things.

    Raises:
        InvalidInputError: A subject is not known; the message has what is spelled alike.
    """
    return [reading for subject in _subjects(words) for reading in _readings(subject, rules)]


def _subjects(words: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    """Split words into systems, if they name one, and what is asked about."""
    waiting = [part for word in words for part in word.split()]
    while waiting:
        word = waiting.pop(0)
        system = SYSTEM_NAMES.get(word.lower())
        if system is None:
            yield None, f"{word.lower()}.{waiting.pop(0)}" if waiting and word.lower() in LIBRARIES else word
        elif waiting:
            yield system, waiting.pop(0)
        else:
            raise InvalidInputError(f"{word!r} names a system; add what is asked about, as in 'http 429'.", asked=word)


def _readings(subject: tuple[str | None, str], rules: RuleSet) -> list[Reading]:
    system, value = subject
    found = _of_system(system, value, rules) if system else _as_logged(value, rules)
    found = found if found or system else _bare(value, rules)
    if not found:
        raise _unknown(system, value)
    return found


def _of_system(system: str, value: str, rules: RuleSet) -> list[Reading]:
    if system == "type":
        return [_by_class(one, rules) for one in classes_named(value)]
    if system == "kind":
        return [_by_name(kind_reading(kind), RAISED) for kind in kind_named(value)]
    if system == "timeout":
        return [_by_name(one, "") for one in time_out_named(value)]
    code = code_named(system, value)
    if code is not None:
        return [_by_code(code, rules)]
    named = classes_named(f"{system.lower()}.{value}") if system in _LIBRARIES_TOO else []
    return [_by_class(one, rules) for one in named]


def _as_logged(value: str, rules: RuleSet) -> list[Reading]:
    """Read ``sqlstate.40P01``, as :attr:`Classification.code` has it."""
    system, dot, rest = value.partition(".")
    known = SYSTEM_NAMES.get(system.lower()) if dot else None
    if known is not None and (found := _of_system(known, rest, rules)):
        return found
    if of_rules := rule_named(value, rules):
        return [_of_rule(rule, rules) for rule in of_rules]
    named = own_code(value) or runbook_named(value) or code_of_class(value)
    # A bare word that is a code of our own may be another system's too: gRPC has a CANCELLED.
    return [*(_by_name(one, "") for one in named), *(_by_code(code, rules) for code in codes_like(value) if named)]


def _of_rule(rule: Rule, rules: RuleSet) -> Reading:
    decision = by_rule(rule)
    what = [*(item if isinstance(item, str) else qualified_name(item) for item in rule.types), *rule.codes]
    notes = (f"It is about {', '.join(what)}" + (", where its 'when' agrees." if rule.when else "."),)
    delay = delay_of(decision, "", rules.hints, rule.retry_after)
    return Reading(subject=f"The rule {rule.name}", decision=decision, delay=delay, notes=notes)


def _bare(value: str, rules: RuleSet) -> list[Reading]:
    found = [_by_code(code, rules) for code in codes_like(value)]
    found += [_by_name(kind_reading(kind), RAISED) for kind in kind_named(value)]
    found += [_by_name(one, "") for one in time_out_named(value)]
    # Only what begins with a capital is a class: several libraries may have one of that name.
    classes = classes_named(value) if not found or (value[:1].isupper() and not value.isupper()) else []
    return found + [_by_class(one, rules) for one in classes]


def _by_code(code: Code, rules: RuleSet) -> Reading:
    reading = _reading(code.described, decided_by_code(code), code.system, rules)
    return _ruled(reading, [rule for rule in rules.rules if code.source in rule.codes], code.system, rules)


def _by_class(subject: TypeSubject, rules: RuleSet) -> Reading:
    found = type_reading(subject)
    origin = origin_of(subject.names) if found.open_to_rules else RAISED
    reading = _reading(found.subject, found.decision, origin, rules, found.notes)
    about = [rule for rule in rules.rules if subject.meant_by(rule)] if found.open_to_rules else []
    return _ruled(reading, about, origin, rules)


def _by_name(named: Named, origin: str) -> Reading:
    return _reading(named.subject, named.decision, origin, NO_RULES, named.notes)


def _reading(
    subject: str, decision: Classification, origin: str, rules: RuleSet, notes: tuple[str, ...] = ()
) -> Reading:
    table = origin != RAISED and decision.kind is ErrorKind.UNAVAILABLE
    return Reading(
        subject=subject,
        decision=decision,
        delay=delay_of(decision, origin, rules.hints),
        notes=(*notes, _EVIDENCE) if table else notes,
    )


def _ruled(reading: Reading, about: Sequence[Rule], origin: str, rules: RuleSet) -> Reading:
    """Put the first rule that means the subject in front of what the tables say."""
    notes: list[str] = []
    for rule in about:
        if rule.when is None:
            decision = _by_rule(reading.subject, rule)
            without = f"Without the rule it is {reading.decision.kind.value!r}, by {reading.decision.source}."
            delay = delay_of(decision, origin, rules.hints, rule.retry_after)
            return Reading(subject=reading.subject, decision=decision, delay=delay, notes=(*notes, without))
        notes.append(f"The rule {rule.name!r} comes first where its 'when' agrees: {rule.kind.value!r}.")
    return replace(reading, notes=(*notes, *reading.notes))


def _by_rule(subject: str, rule: Rule) -> Classification:
    return classification(
        rule.kind,
        code=rule.code or f"rule.{rule.name}",
        subject=f"The rule {rule.name!r} means {subject}",
        source=f"rule {rule.name}",
        retry_after=rule.retry_after,
    )


def _unknown(system: str | None, value: str) -> InvalidInputError:
    known = {**known_codes(), "type": known_classes(), "kind": tuple(ErrorKind), "timeout": time_outs()}
    words = {word for name, names in known.items() if system in {None, name} for word in names}
    folded = {word.lower(): word for word in sorted(words)}
    near = [folded[match] for match in difflib.get_close_matches(value.lower(), folded, n=_NEAR, cutoff=0.6)]
    if near:
        meant = f"Did you mean {' or '.join(near)}?"
    elif system is None and "." in value:
        meant = (
            "No table has it, and it cannot be imported here: start the command where it can be. The code of an error "
            "class of your own is found if its module is imported, for example by --rules; or name the class."
        )
    else:
        meant = f"Name its system, as in 'http 429': {', '.join(known)}."
    what = f"{system} {value!r}" if system else f"{value!r}"
    return InvalidInputError(f"Nothing is known as {what}. {meant}", asked=value)
