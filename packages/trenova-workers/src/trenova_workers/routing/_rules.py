"""The rules as data: what a start is matched by, and where it goes."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from trenova_workers.routing._fairness import LEAST_URGENT, LEAST_WEIGHT, LONGEST_KEY, MOST_WEIGHT
from trenova_workers.routing._problems import Problem, in_words

QueueName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Weight = Annotated[float, Field(ge=LEAST_WEIGHT, le=MOST_WEIGHT, allow_inf_nan=False)]
PriorityKey = Annotated[int, Field(ge=1, le=LEAST_URGENT)]
FairnessText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY)]

URGENCIES: Final[dict[str, int]] = {"critical": 1, "high": 2, "normal": 3, "low": 4, "bulk": 5}
"""The names of Temporal's five priority keys, unless the rules name others; the server's own default is 3."""


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _number_or_name(value: Any) -> Any:
    is_key = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LEAST_URGENT
    if value is not None and not is_key and not isinstance(value, str):
        raise PydanticCustomError("routing_priority", "neither a number from 1 to 5 nor the name of an urgency")
    return value


Patterns = Annotated[tuple[Name, ...], BeforeValidator(_one_or_many)]
Names = Annotated[frozenset[Name], BeforeValidator(_one_or_many)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Data):
    """What a start must be for a rule to apply: everything that is given has to hold, and nothing given is any.

    Lists of one may be written without brackets.
    """

    workflow: Patterns = ()
    """Workflow types, any of them: exact, or patterns with ``*``, ``?`` and ``[...]``; case counts."""
    queue: Patterns = ()
    """Task queues that the caller named, any of them, exact or patterns as above."""
    organization: Names = frozenset()
    """Organization ids, any of them."""
    organization_class: Names = frozenset()
    """Names of ``classes``, any of them."""
    urgency: Names = frozenset()
    """Names of ``urgencies``, any of them."""
    min_bytes: int | None = Field(default=None, ge=0)
    """Least size of the arguments, inclusive."""
    max_bytes: int | None = Field(default=None, ge=0)
    """Largest size of the arguments, inclusive. A start whose size is not known fits neither bound."""


class Overflow(_Data):
    """Another queue, for when the first would keep work waiting."""

    queue: QueueName
    above_wait_s: float = Field(gt=0, allow_inf_nan=False)
    """Seconds of expected wait on the first above which starts go to ``queue``."""
    back_below_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Seconds of expected wait on the first below which they return; half of ``above_wait_s`` unless given."""

    @property
    def returns_below_s(self) -> float:
        """The lower threshold in force."""
        return self.above_wait_s / 2 if self.back_below_s is None else self.back_below_s


class Target(_Data):
    """Where a start goes. What is not said stays as the caller said it."""

    queue: QueueName | None = None
    """The task queue."""
    group: Name | None = None
    """One of ``groups`` in its place: the queue of the group with the least expected wait."""
    isolation: dict[Name, QueueName] = Field(default_factory=dict)
    """A queue of its own for some organizations, before ``queue`` and ``group``."""
    overflow: Overflow | None = None
    """Does not apply to those in ``isolation``."""
    priority: Annotated[int | str | None, BeforeValidator(_number_or_name)] = None
    """1 (first) to 5, or the name of an urgency; unless given, the urgency of the start decides."""
    fairness: Literal["organization", "none"] = "organization"
    """Whether work is balanced between organizations."""
    fairness_key: FairnessText | None = None
    """A fixed key, at most 64 bytes, in place of the organization: everything with it is one tenant."""
    weight: Weight | None = None
    """Of the fairness key; unless given that of the organization, else of its class, else none (1)."""


class Rule(_Data):
    """One rule; of several that match a start the first applies."""

    name: Name
    match: Match = Match()
    target: Target


class OrganizationClass(_Data):
    """Organizations that are treated alike."""

    organizations: Names = Field(min_length=1)
    weight: Weight | None = None


class LoadOptions(_Data):
    """How queues of a group are compared. The defaults suit the server, which renews its figures every 5 s."""

    period_s: float = Field(default=5, ge=5, allow_inf_nan=False)
    """Seconds between two questions about one queue; the server answers the same in between."""
    stale_periods: int = Field(default=3, ge=1)
    """A reading older than so many periods says nothing any more."""
    margin_s: float = Field(default=1, ge=0, allow_inf_nan=False)
    """A queue counts as behind when its wait exceeds the other's by this and by ``margin_ratio`` of it."""
    margin_ratio: float = Field(default=0.25, ge=0, allow_inf_nan=False)
    back_ratio: float = Field(default=0.5, ge=0, lt=1, allow_inf_nan=False)
    """One that is behind counts as level again within this part of the margin."""
    forget_s: float = Field(default=120, gt=0, allow_inf_nan=False)
    """Seconds in which the speed that a queue showed under load counts twofold, so that a recovered one is tried."""
    unknown: Literal["uniform", "primary"] = "uniform"
    """What is chosen while nothing is known: any queue of the group, or its first."""
    first_reading_s: float = Field(default=0.5, ge=0, le=5, allow_inf_nan=False)
    """How long a start waits for figures when there are none; 0 never waits."""
    at_once: int = Field(default=4, ge=1)
    """Questions to the server that are under way at the same time."""


class RoutingRules(_Data):
    """All rules of an installation, as a YAML or JSON file has them."""

    urgencies: dict[Name, PriorityKey] = Field(default_factory=lambda: dict(URGENCIES))
    """Priority keys by name."""
    classes: dict[Name, OrganizationClass] = Field(default_factory=dict)
    weights: dict[Name, Weight] = Field(default_factory=dict)
    """Fairness weights by organization id; these come before those of classes."""
    groups: dict[Name, tuple[QueueName, ...]] = Field(default_factory=dict)
    """Equivalent queues by name, the primary first."""
    load: LoadOptions = LoadOptions()
    rules: tuple[Rule, ...] = ()
    default: Target = Target()
    """For starts that no rule matches."""

    @model_validator(mode="after")
    def _hold_together(self) -> "RoutingRules":
        from trenova_workers.routing._checks import problems_of

        found: list[Problem] = problems_of(self)
        if found:
            raise PydanticCustomError("routing_rules", "{said}", {"said": in_words(found), "problems": found})
        return self

    def targets(self) -> dict[str, Target]:
        """Return every target by the name of its rule, the default last under ``default``."""
        return {**{rule.name: rule.target for rule in self.rules}, "default": self.default}

    def queues(self) -> dict[str, list[str]]:
        """Return every task queue that the rules name, with the names of the rules that do."""
        named: dict[str, list[str]] = {}
        for name, target in self.targets().items():
            several = self.groups[target.group] if target.group else ()
            spill = [target.overflow.queue] if target.overflow else []
            single = [target.queue] if target.queue else []
            for queue in dict.fromkeys([*single, *several, *target.isolation.values(), *spill]):
                named.setdefault(queue, []).append(name)
        return named
