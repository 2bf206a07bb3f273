"""Rules made ready to be asked often: which match a start, and why the others do not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from re import compile as compile_pattern
from typing import Final

from temporalio.common import Priority

from trenova_workers.routing._fairness import fairness_key
from trenova_workers.routing._requests import DEFAULT_RULE, StartRequest
from trenova_workers.routing._rules import Match, RoutingRules, Rule, Target

_CACHED: Final = 4096
_PATTERN: Final = frozenset("*?[")


def matcher(patterns: tuple[str, ...]) -> Callable[[str], object] | None:
    """Return what says whether a name is one of ``patterns``, or None where there are none."""
    if not patterns:
        return None
    if not any(_PATTERN & set(one) for one in patterns):
        return frozenset(patterns).__contains__
    return compile_pattern("|".join(translate(one) for one in patterns)).match


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """A rule with its patterns compiled and its classes replaced by their organizations."""

    name: str
    match: Match
    target: Target
    workflow: Callable[[str], object] | None
    queue: Callable[[str], object] | None
    organizations: frozenset[str] | None
    watched: tuple[str, ...]
    """Queues whose load matters to where it sends."""

    @classmethod
    def of(cls, rule: Rule, rules: RoutingRules) -> "ReadyRule":
        """Compile one rule."""
        match = rule.match
        named: frozenset[str] | None = match.organization or None
        if match.organization_class:
            members = frozenset[str]().union(*(rules.classes[one].organizations for one in match.organization_class))
            named = members if named is None else members & named
        return cls(
            rule.name, match, rule.target, matcher(match.workflow), matcher(match.queue), named, _watched(rule, rules)
        )

    def may_match(self, workflow: str, organization: str | None) -> bool:
        """Whether the two things by which rules are indexed leave this one possible."""
        if self.workflow is not None and not self.workflow(workflow):
            return False
        return self.organizations is None or organization in self.organizations

    def matches(self, request: StartRequest) -> bool:
        """Whether the rest of it holds, given that `may_match` did."""
        match, size = self.match, request.size
        if match.urgency and request.urgency not in match.urgency:
            return False
        if self.queue is not None and not self.queue(request.queue):
            return False
        if match.min_bytes is not None and (size is None or size < match.min_bytes):
            return False
        return match.max_bytes is None or (size is not None and size <= match.max_bytes)

    def differences(self, request: StartRequest) -> Iterator[str]:
        """Say in words what does not hold; nothing when the rule matches."""
        match, size = self.match, request.size
        if self.workflow is not None and not self.workflow(request.workflow):
            yield f"workflow {request.workflow!r} is not {_any(match.workflow)}"
        if self.queue is not None and not self.queue(request.queue):
            yield f"queue {request.queue!r} is not {_any(match.queue)}"
        if self.organizations is not None and request.organization not in self.organizations:
            yield f"organization {_known(request.organization)} is not {_whose(match)}"
        if match.urgency and request.urgency not in match.urgency:
            yield f"urgency {_known(request.urgency)} is not {_any(sorted(match.urgency))}"
        if match.min_bytes is not None and (size is None or size < match.min_bytes):
            yield f"size {_known(size)} is not at least {match.min_bytes} bytes"
        if match.max_bytes is not None and (size is None or size > match.max_bytes):
            yield f"size {_known(size)} is not at most {match.max_bytes} bytes"


class ReadyRules:
    """All rules, indexed by workflow type and organization as they are asked for."""

    def __init__(self, rules: RoutingRules) -> None:
        self.rules = rules
        self.ready = tuple(ReadyRule.of(rule, rules) for rule in rules.rules)
        self.default = ReadyRule.of(Rule(name=DEFAULT_RULE, target=rules.default), rules)
        self.weights = _weights(rules)
        self._ask_size = any(_asks_size(rule.match) for rule in rules.rules)
        self._index: dict[tuple[str, str | None], tuple[ReadyRule, ...]] = {}
        self._priorities: dict[tuple[str, str | None, str | None], Priority] = {}

    def find(self, request: StartRequest) -> ReadyRule:
        """Return the first rule that matches, or the default."""
        for rule in self._possible(request.workflow, request.organization):
            if rule.matches(request):
                return rule
        return self.default

    def asks_size(self, workflow: str, organization: str | None) -> bool:
        """Whether a rule that may match asks for the size of the arguments."""
        return self._ask_size and any(_asks_size(rule.match) for rule in self._possible(workflow, organization))

    def priority(self, rule: ReadyRule, request: StartRequest) -> Priority:
        """Return the priority that a rule gives to a start."""
        key = (rule.name, request.organization, request.urgency)
        found = self._priorities.get(key)
        if found is None:
            if len(self._priorities) >= _CACHED:
                self._priorities.clear()
            found = self._priorities[key] = self._make_priority(rule.target, request)
        return found

    def _make_priority(self, target: Target, request: StartRequest) -> Priority:
        said = target.priority if target.priority is not None else request.urgency
        key = said if isinstance(said, int) else self.rules.urgencies.get(said) if said else None
        named = _fairness_key(target, request.organization)
        weight = target.weight if named else None
        if weight is None and named and target.fairness_key is None:
            weight = self.weights.get(request.organization or "")
        return Priority(priority_key=key, fairness_key=named, fairness_weight=weight)

    def _possible(self, workflow: str, organization: str | None) -> tuple[ReadyRule, ...]:
        key = (workflow, organization)
        found = self._index.get(key)
        if found is None:
            found = tuple(rule for rule in self.ready if rule.may_match(workflow, organization))
            if len(self._index) >= _CACHED:
                self._index.clear()
            self._index[key] = found
        return found


def _watched(rule: Rule, rules: RoutingRules) -> tuple[str, ...]:
    target = rule.target
    first = rules.groups[target.group] if target.group else (target.queue,) if target.queue else ()
    if target.overflow is not None:
        return (*first, target.overflow.queue)
    return first if target.group else ()


def _asks_size(match: Match) -> bool:
    return match.min_bytes is not None or match.max_bytes is not None


def _fairness_key(target: Target, organization: str | None) -> str | None:
    if target.fairness_key is not None:
        return target.fairness_key
    return fairness_key(organization) if organization and target.fairness == "organization" else None


def _weights(rules: RoutingRules) -> dict[str, float]:
    of_classes = {
        organization: one.weight
        for one in rules.classes.values()
        if one.weight is not None
        for organization in one.organizations
    }
    return {**of_classes, **rules.weights}


def _any(names: "tuple[str, ...] | list[str]") -> str:
    shown = [repr(name) for name in names[:5]]
    more = len(names) - len(shown)
    return " or ".join(shown) + (f" or {more} more" if more else "")


def _whose(match: Match) -> str:
    named = [_any(sorted(match.organization))] if match.organization else []
    classes = [f"in class {_any(sorted(match.organization_class))}"] if match.organization_class else []
    return " and ".join([*named, *classes])


def _known(value: object) -> str:
    return "(not known)" if value is None else repr(value)
