"""Decisions of those who use this package, which come before its own tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from trenova_errors._codes import Code
from trenova_errors._kinds import ErrorKind
from trenova_errors._retry_after import HintOptions
from trenova_errors._type_decisions import names_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One decision about failures that the tables cannot know.

    A rule means an exception if one of its types or one of its codes does, and ``when``, if there is one, agrees.

    Attributes:
        name: For logs and ``explain``.
        kind: What such a failure is.
        types: Exception classes, or their qualified names where a library must not be imported; subclasses count.
        codes: As :attr:`Classification.source` has them: ``SQLSTATE 23505``, ``HTTP 409``, ``errno ENOENT``.
        when: A last question; it must be quick, must not raise, and must not go by the text of a message.
        code: The finer code; that of the name, ``rule.<name>``, if empty.
        retry_after: The least delay before the next attempt, if the kind is retried.
    """

    name: str
    kind: ErrorKind
    types: tuple[type[BaseException] | str, ...] = ()
    codes: tuple[str, ...] = ()
    when: Callable[[BaseException], bool] | None = None
    code: str = ""
    retry_after: timedelta | None = None

    def means(self, exc: BaseException, code: Code | None) -> bool:
        """Whether the rule is about this exception, which carries that code."""
        named = code is not None and code.source in self.codes
        return (named or self.names(type(exc))) and (self.when is None or self.when(exc))

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
    """

    rules: tuple[Rule, ...] = ()
    hints: HintOptions = field(default_factory=HintOptions)

    def __init__(self, rules: Iterable[Rule] = (), hints: HintOptions | None = None) -> None:
        object.__setattr__(self, "rules", tuple(rules))
        object.__setattr__(self, "hints", hints or HintOptions())

    def find(self, exc: BaseException, code: Code | None) -> Rule | None:
        """Return the first rule that means the exception."""
        return next((rule for rule in self.rules if rule.means(exc, code)), None)


NO_RULES = RuleSet()
"""Only the tables decide."""
