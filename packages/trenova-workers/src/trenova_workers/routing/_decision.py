"""One start and the rule that matches it: what follows from the two."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from temporalio.common import Priority

from trenova_workers.routing._choice import Choice, Spill
from trenova_workers.routing._explaining import priority_steps, rule_steps
from trenova_workers.routing._matching import ReadyRule, ReadyRules
from trenova_workers.routing._requests import Explanation, Route, StartRequest, Step
from trenova_workers.routing._rules import Overflow

_Queue: TypeAlias = tuple[str, tuple[object, ...]]
"""A queue, and reasons that become words only where somebody reads them."""


class Loads(Protocol):
    """What is known of the queues of one namespace; see `QueueLoads`."""

    def pick(self, group: str, queues: tuple[str, ...]) -> Choice:
        """Choose a queue of a group."""

    def overflows(self, first: str, overflow: Overflow) -> Spill:
        """Decide whether starts go on to the overflow queue."""


class Decision(NamedTuple):
    """What the rules of one moment say about one start."""

    ready: ReadyRules
    rule: ReadyRule
    request: StartRequest
    random: Callable[[], float]

    @property
    def watched(self) -> tuple[str, ...]:
        """The queues whose load matters; none for most starts."""
        watched = self.rule.watched
        return () if watched and self._is_isolated() else watched

    def route(self, loads: Loads | None) -> Route:
        """Return where it goes now."""
        return Route(self._queue(loads)[0], self._priority(), self.rule.name)

    def lasting(self) -> Route:
        """Return where starts go that are yet to come: to the first queue of a group, without overflow."""
        group = self.rule.target.group
        if group and not self._is_isolated():
            return Route(self.ready.rules.groups[group][0], self._priority(), self.rule.name)
        return Route(self._first(None)[0], self._priority(), self.rule.name)

    def explain(self, loads: Loads | None) -> Explanation:
        """Return where it goes now and every step on the way there."""
        queue, why = self._queue(loads)
        route = Route(queue, self._priority(), self.rule.name)
        step = Step("queue", queue != self.request.queue, "; ".join(map(str, why)))
        rules = rule_steps(self.ready, self.rule, self.request)
        rest = priority_steps(self.ready, self.rule.target, self.request, route)
        return Explanation(self.request, route, (*rules, step, *rest))

    def _priority(self) -> Priority:
        return self.ready.priority(self.rule, self.request)

    def _is_isolated(self) -> bool:
        return self.request.organization in self.rule.target.isolation

    def _queue(self, loads: Loads | None) -> _Queue:
        first, why = self._first(loads)
        overflow = self.rule.target.overflow
        if overflow is None or self._is_isolated():
            return first, (why,)
        if loads is None:
            return first, (why, "nothing is known of its load, so no overflow")
        spill = loads.overflows(first, overflow)
        return overflow.queue if spill.over else first, (why, spill)

    def _first(self, loads: Loads | None) -> tuple[str, object]:
        target, organization = self.rule.target, self.request.organization
        if organization is not None and organization in target.isolation:
            return target.isolation[organization], "the organization has a queue of its own"
        if target.group:
            return self._of_group(target.group, loads)
        if target.queue:
            return target.queue, "the rule's queue"
        return self.request.queue, "as the caller said"

    def _of_group(self, group: str, loads: Loads | None) -> tuple[str, object]:
        rules = self.ready.rules
        queues = rules.groups[group]
        if loads is not None:
            choice = loads.pick(group, queues)
            return choice.queue, choice
        if rules.load.unknown == "primary":
            return queues[0], "the primary of the group, as nothing is known of its load"
        return queues[int(self.random() * len(queues))], "any of the group, as nothing is known of its load"
