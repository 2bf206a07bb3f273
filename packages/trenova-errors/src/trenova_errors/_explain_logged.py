"""What stands in a log or a history and is no code of a system: codes of our own and of rules, and runbooks."""

from collections.abc import Iterator
from typing import Final

from trenova_errors._base import ApplicationError
from trenova_errors._classification import UNCLASSIFIED, Classification, classification
from trenova_errors._explain_names import Named, kind_named, kind_reading
from trenova_errors._kinds import ErrorKind
from trenova_errors._rules import Rule, RuleSet
from trenova_errors._type_decisions import NO_FAILURES
from trenova_errors._types import InvalidInputError

_RUNBOOK: Final = "error-decisions"
_OWN: Final = {
    UNCLASSIFIED: (ErrorKind.RETRYABLE, "An exception that nobody has decided about"),
    "payload": (ErrorKind.INVALID_INPUT, "An argument or a result is not what its receiver declares"),
    "argument_count": (
        ErrorKind.INVALID_INPUT,
        "A workflow, an activity or an update got too few or too many arguments",
    ),
    "undecodable": (ErrorKind.UNAVAILABLE, "A worker cannot decode what it was sent, e.g. for want of a codec"),
}
"""Codes of what :class:`ErrorsPlugin` raises itself."""

_NO_FAILURE: Final = frozenset(NO_FAILURES.values())
_DECIDE: Final = (
    "The log line has the class in 'error_types': ask for that. A rule of yours can decide about it; in a block of "
    "sending() it is 'ambiguous'."
)


def own_code(value: str) -> list[Named]:
    """Return what a code of this package means, or nothing."""
    if value in _NO_FAILURE:
        found = classification(
            ErrorKind.NON_RETRYABLE, code=value, subject=f"{value} is no failure", source=value, failure=False
        )
        return [Named(f"The code {value}", found)]
    if value not in _OWN:
        return []
    kind, what = _OWN[value]
    notes = (_DECIDE,) if value == UNCLASSIFIED else ()
    return [Named(f"The code {value}", _decided(kind, value, what), notes)]


def code_of_class(value: str) -> list[Named]:
    """Return what the error classes mean that have this code, among those that are imported: ``codec.unknown_key``."""
    return [
        Named(f"The code {value}, of {cls.__module__}.{cls.__qualname__}", _decided(cls.kind, value, cls.__qualname__))
        for cls in _classes(ApplicationError)
        if "." in value and cls.__dict__.get("code") == value
    ]


def runbook_named(value: str) -> list[Named]:
    """Return the kind of a runbook's section: ``error-decisions#unavailable``."""
    page, mark, kind = value.rpartition("#")
    known = mark and page.rpartition("/")[2].removesuffix(".md") in {_RUNBOOK, ""}
    return [kind_reading(one) for one in kind_named(kind)] if known else []


def rule_named(value: str, rules: RuleSet) -> list[Rule]:
    """Return the rule of that name, or that gives this code.

    Args:
        value: ``rule.quota``, or a rule's own code.
        rules: Those of the user.

    Raises:
        InvalidInputError: It is the code of a rule, and there is no such rule.
    """
    found = [rule for rule in rules.rules if value in {f"rule.{rule.name}", rule.code}]
    if not found and value.startswith("rule."):
        known = ", ".join(rule.name for rule in rules.rules)
        meant = f"The rules are {known}." if known else "Name the rules with --rules my_app.errors:RULES."
        raise InvalidInputError(f"There is no rule {value.removeprefix('rule.')!r} here. {meant}", asked=value)
    return found


def by_rule(rule: Rule) -> Classification:
    """Return what a rule decides about whatever it means."""
    return classification(
        rule.kind,
        code=rule.code or f"rule.{rule.name}",
        subject=f"The rule {rule.name!r} means this failure",
        source=f"rule {rule.name}",
        retry_after=rule.retry_after,
    )


def _decided(kind: ErrorKind, code: str, subject: str) -> Classification:
    return classification(kind, code=code, subject=subject, source=code)


def _classes(cls: type[ApplicationError]) -> Iterator[type[ApplicationError]]:
    for below in cls.__subclasses__():
        yield below
        yield from _classes(below)
