"""Decisions of those who use this package, which come before its own tables."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from trenova_errors._codes import Code
from trenova_errors._kinds import ErrorKind
from trenova_errors._retry_after import HintOptions
from trenova_errors._rule_checks import checked_codes, checked_delay, checked_kind, checked_name, checked_types
from trenova_errors._type_decisions import names_of
from trenova_errors._types import ConfigurationError

_logger: Final = logging.getLogger("trenova_errors")
_MANY: Final = 1000
_warned: Final[set[str]] = set()
"""Rules whose ``when`` has raised, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One decision about failures that the tables cannot know.

    A rule means an exception if one of its types or one of its codes does, and ``when``, if there is one, agrees.

    Attributes:
        name: For logs and ``explain``.
        kind: What such a failure is; its string will do.
        types: Exception classes, or their qualified names where a library must not be imported; subclasses count. Of
            builtins the bare name will do.
        codes: As :attr:`Classification.source` has them: ``SQLSTATE 23505``, ``HTTP 409``, ``errno ENOENT``.
        when: A last question; it must be quick and must not go by the text of a message. One that raises means that
            the rule is not about this failure; a warning says so once.
        code: The finer code; that of the name, ``rule.<name>``, if empty.
        retry_after: The least delay before the next attempt, if the kind is retried; taken as it is, neither cut at
            ``HintOptions.longest`` nor spread.

    Raises:
        ConfigurationError: The rule could not mean any failure, or not what it seems to say.
    """

    name: str
    kind: ErrorKind
    types: tuple[type[BaseException] | str, ...] = ()
    codes: tuple[str, ...] = ()
    when: Callable[[BaseException], bool] | None = None
    code: str = ""
    retry_after: timedelta | None = None

    def __post_init__(self) -> None:
        of = f"The rule {checked_name(self.name)!r}"
        object.__setattr__(self, "kind", checked_kind(of, self.kind))
        object.__setattr__(self, "types", checked_types(of, self.types))
        object.__setattr__(self, "codes", checked_codes(of, self.codes))
        if not self.types and not self.codes:
            raise ConfigurationError(f"{of} names no types and no codes, so it means nothing. Name at least one.")
        if self.when is not None and not callable(self.when):
            raise ConfigurationError(f"{of} has a 'when' that cannot be called. Give a function of the exception.")
        if self.retry_after is not None:
            checked_delay(of, "retry_after", self.retry_after)

    def means(self, exc: BaseException, code: Code | None) -> bool:
        """Whether the rule is about this exception, which carries that code."""
        named = code is not None and code.source in self.codes
        return (named or self.names(type(exc))) and (self.when is None or self._agrees(self.when, exc))

    def _agrees(self, when: Callable[[BaseException], bool], exc: BaseException) -> bool:
        """Ask the last question; a mistake in it must not take the place of the failure that is looked at."""
        try:
            return bool(when(exc))
        except Exception as error:  # noqa: BLE001 - code of others, asked about a failure
            if self.name not in _warned and len(_warned) < _MANY:
                _warned.add(self.name)
                _logger.warning(
                    "The 'when' of a rule raised, so the rule is passed over; mend it",
                    extra={"rule": self.name, "exception": type(error).__name__},
                )
            return False

    def names(self, cls: type[BaseException]) -> bool:
        """Whether one of the rule's types is this class or a base of it."""
        names = names_of(cls)
        return any(item in names if isinstance(item, str) else issubclass(cls, item) for item in self.types)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order of their precedence, and how delays are read.

    Attributes:
        rules: The first that means an exception decides.
        hints: How long a delay that another side names may be, and how it is spread.

    Raises:
        ConfigurationError: Something is no :class:`Rule`, or two rules have the same name.
    """

    rules: tuple[Rule, ...] = ()
    hints: HintOptions = field(default_factory=HintOptions)

    def __init__(self, rules: Iterable[Rule] = (), hints: HintOptions | None = None) -> None:
        object.__setattr__(self, "rules", _checked_rules(rules))
        if hints is not None and not isinstance(hints, HintOptions):
            raise ConfigurationError(f"RuleSet has hints of type {type(hints).__name__}. Give HintOptions(...).")
        object.__setattr__(self, "hints", hints or HintOptions())

    def find(self, exc: BaseException, code: Code | None) -> Rule | None:
        """Return the first rule that means the exception."""
        return next((rule for rule in self.rules if rule.means(exc, code)), None)


def _checked_rules(rules: Any) -> tuple[Rule, ...]:
    if isinstance(rules, (Rule, str)) or not isinstance(rules, Iterable):
        raise ConfigurationError(f"RuleSet takes a list of rules, not {type(rules).__name__}. Write RuleSet([...]).")
    given = tuple(rules)
    strange = [type(rule).__name__ for rule in given if not isinstance(rule, Rule)]
    if strange:
        raise ConfigurationError(f"RuleSet was given {', '.join(strange)} among its rules. Give Rule(...) only.")
    names = [rule.name for rule in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"Two rules are called {', '.join(map(repr, twice))}. Give each a name of its own.")
    return given


NO_RULES = RuleSet()
"""Only the tables decide."""


def rule_set(rules: RuleSet | Iterable[Rule] | None) -> RuleSet:
    """Return a set of rules, whichever way they were given.

    Raises:
        ConfigurationError: They are no rules.
    """
    if rules is None:
        return NO_RULES
    return rules if isinstance(rules, RuleSet) else RuleSet(rules)
