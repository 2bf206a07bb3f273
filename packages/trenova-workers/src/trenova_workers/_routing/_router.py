"""The router: a start in, a task queue and a priority out."""

import random as randomness
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from temporalio.common import Priority

from trenova_workers._routing._fairness import fairness_key
from trenova_workers._routing._file import RulesFile
from trenova_workers._routing._matching import ReadyRule, ReadyRules
from trenova_workers._routing._requests import Explanation, Route, StartRequest, Step
from trenova_workers._routing._rules import Overflow, RoutingRules, Target


class Loads(Protocol):
    """What is known of the queues of one namespace; see `QueueLoads`."""

    def pick(self, group: str, queues: tuple[str, ...]) -> tuple[str, str]:
        """Return a queue and why it was chosen."""

    def overflows(self, first: str, overflow: Overflow) -> tuple[bool, str]:
        """Return whether starts go on to the other queue, and why."""

    def sent(self, queue: str) -> None:
        """Count a start that is on its way to ``queue``."""


class RulesSource(Protocol):
    """Where newer rules come from; see `RulesFile`."""

    def newer(self) -> RoutingRules | None:
        """Return rules that replace those returned before, or None. Must not raise."""


class Router:
    """Turns starts into routes, by rules that may be exchanged at any time.

    Safe to be called from several threads; a start sees the rules from before or after an exchange, never both.
    """

    def __init__(
        self, rules: RoutingRules, *, source: RulesSource | None = None, random: Callable[[], float] = randomness.random
    ) -> None:
        """Take the rules.

        Args:
            rules: What decides.
            source: Asked for newer rules before each start.
            random: Returns [0, 1); chooses where nothing is known of the queues of a group.
        """
        self._random = random
        self._source = source
        self._ready = ReadyRules(rules)

    @classmethod
    def from_file(cls, path: Path) -> "Router":
        """Take the rules of a YAML or JSON file, and those that it holds later; see `RulesFile`.

        Raises:
            ConfigurationError: It cannot be read or does not hold.
        """
        source = RulesFile(path)
        return cls(source.rules, source=source)

    @property
    def rules(self) -> RoutingRules:
        """The rules in force."""
        return self._ready.rules

    def replace(self, rules: RoutingRules) -> None:
        """Put other rules in force, all at once."""
        self._ready = ReadyRules(rules)

    @property
    def uses_load(self) -> bool:
        """Whether any rule asks how long work waits on a queue."""
        return self._ready.uses_load

    def asks_size(self, workflow: str, organization: str | None) -> bool:
        """Whether the size of the arguments can matter to such a start."""
        return self._ready.asks_size(workflow, organization)

    def route(self, request: StartRequest, loads: Loads | None = None) -> Route:
        """Decide where a start goes.

        Args:
            request: What is known of it.
            loads: How long work waits. Without it the first queue of a group or any (``load.unknown``), no overflow.
        """
        ready = self._newest()
        rule = ready.find(request)
        queue, reason = self._queue(ready.rules, rule.target, request, loads)
        return Route(queue, _priority(ready, rule.target, request), rule.name, reason)

    def route_lasting(self, request: StartRequest) -> Route:
        """Decide for starts that are yet to come, as those of a schedule: the first queue of a group, no overflow."""
        ready = self._newest()
        rule = ready.find(request)
        queue, reason = self._lasting_queue(ready.rules, rule.target, request)
        return Route(queue, _priority(ready, rule.target, request), rule.name, reason)

    def watched(self, request: StartRequest) -> tuple[str, ...]:
        """Return the queues whose load matters to a start; empty for most."""
        ready = self._newest()
        return ready.watched(request) if ready.uses_load else ()

    def explain(self, request: StartRequest, loads: Loads | None = None) -> Explanation:
        """Decide the same way, and say what each rule made of it."""
        ready = self._newest()
        chosen = ready.find(request)
        queue, reason = self._queue(ready.rules, chosen.target, request, loads)
        route = Route(queue, _priority(ready, chosen.target, request), chosen.name, reason)
        steps = [*_rule_steps(ready, chosen, request), Step("queue", queue != request.queue, reason)]
        return Explanation(request, route, (*steps, *_priority_steps(ready, chosen.target, request, route)))

    def _newest(self) -> ReadyRules:
        if self._source is not None:
            rules = self._source.newer()
            if rules is not None:
                self.replace(rules)
        return self._ready

    def _queue(
        self, rules: RoutingRules, target: Target, request: StartRequest, loads: Loads | None
    ) -> tuple[str, str]:
        if target.isolation and request.organization in target.isolation:
            return target.isolation[request.organization], f"isolation of {request.organization!r}"
        if target.group:
            queue, reason = self._of_group(rules, target.group, loads)
        elif target.queue:
            queue, reason = target.queue, "the rule's queue"
        else:
            return request.queue, "as the caller said"
        if target.overflow is None:
            return queue, reason
        if loads is None:
            return queue, f"{reason}; no figures, so no overflow"
        over, why = loads.overflows(queue, target.overflow)
        return (target.overflow.queue, why) if over else (queue, f"{reason}; {why}")

    def _lasting_queue(self, rules: RoutingRules, target: Target, request: StartRequest) -> tuple[str, str]:
        if target.group and request.organization not in target.isolation:
            return rules.groups[target.group][0], f"primary of group {target.group!r}, as it is to last"
        return self._queue(rules, target.model_copy(update={"overflow": None}), request, None)

    def _of_group(self, rules: RoutingRules, group: str, loads: Loads | None) -> tuple[str, str]:
        queues = rules.groups[group]
        if loads is not None:
            return loads.pick(group, queues)
        if rules.load.unknown == "primary":
            return queues[0], f"primary of group {group!r}, as nothing is known of its load"
        return queues[int(self._random() * len(queues))], f"any of group {group!r}, as nothing is known of its load"


def _priority(ready: ReadyRules, target: Target, request: StartRequest) -> Priority:
    urgencies = ready.rules.urgencies
    said = target.priority if target.priority is not None else request.urgency
    key = said if isinstance(said, int) else urgencies.get(said) if said else None
    named = _fairness_key(target, request)
    weight = None
    if named is not None:
        weight = target.weight
        if weight is None and target.fairness_key is None and request.organization is not None:
            weight = ready.weights.get(request.organization)
    if key is None and named is None:
        return Priority.default
    return Priority(priority_key=key, fairness_key=named, fairness_weight=weight)


def _fairness_key(target: Target, request: StartRequest) -> str | None:
    if target.fairness_key is not None:
        return target.fairness_key
    if target.fairness == "none" or not request.organization:
        return None
    return fairness_key(request.organization)


def _rule_steps(ready: ReadyRules, chosen: ReadyRule, request: StartRequest) -> list[Step]:
    steps: list[Step] = []
    for rule in ready.ready:
        subject = f"rule {rule.name}"
        if rule is chosen:
            return [*steps, Step(subject, applies=True, detail="matches; later rules are not looked at")]
        steps.append(Step(subject, applies=False, detail="; ".join(rule.differences(request))))
    return [*steps, Step("rule default", applies=True, detail="no rule matches")]


def _priority_steps(ready: ReadyRules, target: Target, request: StartRequest, route: Route) -> list[Step]:
    key, fairness, weight = route.priority.priority_key, route.priority.fairness_key, route.priority.fairness_weight
    if target.priority is not None:
        why = f"{key}: the rule says {target.priority!r}"
    elif key is not None:
        why = f"{key}: urgency {request.urgency!r}"
    else:
        known = ", ".join(ready.rules.urgencies)
        what = "no urgency was said" if request.urgency is None else f"{request.urgency!r} is none of {known}"
        why = f"the server's default (3): {what}"
    steps = [Step("priority", applies=key is not None, detail=why)]
    if fairness is None:
        off = "the rule says 'none'" if target.fairness == "none" else "the organization is not known"
        return [*steps, Step("fairness", applies=False, detail=f"no key: {off}")]
    whose = "the rule's key" if target.fairness_key else "the organization"
    if not target.fairness_key and fairness != request.organization:
        whose = "the organization, shortened to 64 bytes"
    said = f"key {fairness!r}: {whose}; weight {1 if weight is None else weight:g}"
    return [*steps, Step("fairness", applies=True, detail=said)]
