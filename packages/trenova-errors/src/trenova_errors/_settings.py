"""What the plugin was told, as its interceptors need it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from trenova_errors._budget import RetryBudget
from trenova_errors._rules import RuleSet

if TYPE_CHECKING:
    from trenova_errors._sizes import PayloadLimits

_MARK: Final = "__trenova_idempotent__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of :class:`ErrorsPlugin`, see there."""

    rules: RuleSet | None = None
    idempotent_activities: frozenset[str] = frozenset()
    dependency: Callable[[BaseException], str | None] | None = None
    limits: "PayloadLimits | None" = None
    max_unclassified_attempts: int | None = 50
    budget: RetryBudget | None = None

    def is_idempotent(self, activity_type: str, fn: Callable[..., Any]) -> bool:
        """Whether doing this activity twice is the same as doing it once."""
        return activity_type in self.idempotent_activities or getattr(fn, _MARK, False) is True


def idempotent(fn: _Function) -> _Function:
    """Declare that doing an activity twice is the same as doing it once, so that ``ambiguous`` is retried.

    Above or below ``@activity.defn``::

        @activity.defn(name="carrier.offer")
        @idempotent
        async def offer(tender: Tender) -> str: ...
    """
    setattr(fn, _MARK, True)
    return fn


def names(activities: Sequence[str | Callable[..., Any]]) -> frozenset[str]:
    """Return the names of activities that were given by name or as functions.

    Raises:
        TypeError: One is neither a name nor decorated with ``@activity.defn``.
    """
    found = set()
    for one in activities:
        name = one if isinstance(one, str) else _defined_name(one)
        if name is None:
            raise TypeError(f"{one!r} is no activity. Pass its name, or decorate it with @activity.defn.")
        found.add(name)
    return frozenset(found)


def _defined_name(fn: Callable[..., Any]) -> str | None:
    name = getattr(getattr(fn, "__temporal_activity_definition", None), "name", None)
    return name if isinstance(name, str) else None
