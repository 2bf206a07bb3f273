"""What no single field can tell: names that lead nowhere, rules that cannot be reached."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trenova_workers._fields import nearest
from trenova_workers.routing._fairness import LONGEST_KEY
from trenova_workers.routing._problems import Problem

if TYPE_CHECKING:
    from trenova_workers.routing._rules import Match, RoutingRules, Rule, Target


def problems_of(rules: "RoutingRules") -> list[Problem]:
    """Return everything that does not hold together, in the order of the file."""
    found = [*_urgencies(rules), *_classes(rules), *_groups(rules)]
    for rule in rules.rules:
        found += [*_match(rules, rule.name, rule.match), *_target(rules, rule.name, rule.target)]
    return [*found, *_order(rules.rules), *_target(rules, "default", rules.default)]


def _urgencies(rules: "RoutingRules") -> Iterator[Problem]:
    if not rules.urgencies:
        yield Problem("", "urgencies", {}, "there is none", "Name at least one, or leave the key out.")
    for name in rules.urgencies:
        if name.isdecimal():
            yield Problem("", "urgencies", name, "a name of digits is taken for a priority", "Write it in letters.")


def _classes(rules: "RoutingRules") -> Iterator[Problem]:
    counted = Counter(name for one in rules.classes.values() for name in one.organizations)
    for name in sorted(name for name, times in counted.items() if times > 1):
        where = ", ".join(repr(key) for key, one in rules.classes.items() if name in one.organizations)
        yield Problem("", "classes", name, f"this organization is in {where}", "Leave it in one class.")


def _groups(rules: "RoutingRules") -> Iterator[Problem]:
    for name, queues in rules.groups.items():
        if len(set(queues)) < 2:  # noqa: PLR2004 (a choice needs two)
            said = "a group needs two different queues to choose from"
            yield Problem("", f"groups.{name}", list(queues), said, "Add a queue, or name the one by 'queue'.")
        elif len(set(queues)) < len(queues):
            yield Problem("", f"groups.{name}", list(queues), "a queue is named twice", "Name each once.")


def _match(rules: "RoutingRules", rule: str, match: "Match") -> Iterator[Problem]:
    for name in sorted(match.urgency - set(rules.urgencies)):
        yield Problem(rule, "match.urgency", name, "no such urgency", _known(name, rules.urgencies))
    for name in sorted(match.organization_class - set(rules.classes)):
        yield Problem(rule, "match.organization_class", name, "no such class", _known(name, rules.classes))
    least, most = match.min_bytes, match.max_bytes
    if least is not None and most is not None and least > most:
        yield Problem(rule, "match.min_bytes", least, f"'max_bytes' is {most}, so nothing fits", "Swap the two.")


def _target(rules: "RoutingRules", rule: str, target: "Target") -> Iterator[Problem]:
    if target.queue and target.group:
        also = f"'queue' is {target.queue!r} at the same time"
        yield Problem(rule, "target.group", target.group, also, "Keep one of the two.")
    if target.group and target.group not in rules.groups:
        yield Problem(rule, "target.group", target.group, "no such group", _known(target.group, rules.groups))
    if isinstance(target.priority, str) and target.priority not in rules.urgencies:
        said = "neither a number from 1 to 5 nor the name of an urgency"
        yield Problem(rule, "target.priority", target.priority, said, _known(target.priority, rules.urgencies))
    yield from _fairness(rule, target)
    yield from _overflow(rules, rule, target)


def _fairness(rule: str, target: "Target") -> Iterator[Problem]:
    key = target.fairness_key
    if key and len(key.encode()) > LONGEST_KEY:
        said = f"{len(key.encode())} bytes of UTF-8; the server takes {LONGEST_KEY}"
        yield Problem(rule, "target.fairness_key", key, said, "Shorten it.")
    if key and target.fairness == "none":
        yield Problem(rule, "target.fairness_key", key, "'fairness' is 'none' at the same time", "Keep one of the two.")
    if target.weight is not None and target.fairness == "none":
        said = "a weight belongs to a fairness key, and 'fairness' is 'none'"
        yield Problem(rule, "target.weight", target.weight, said, "Leave it out.")


def _overflow(rules: "RoutingRules", rule: str, target: "Target") -> Iterator[Problem]:
    spill = target.overflow
    if spill is None:
        return
    if not target.queue and not target.group:
        said = "there is no first queue whose wait is to be looked at"
        yield Problem(rule, "target.overflow", spill.queue, said, "Name 'queue' or 'group' beside it.")
    if spill.queue == target.queue or spill.queue in rules.groups.get(target.group or "", ()):
        said = "the queue that it relieves"
        yield Problem(rule, "target.overflow.queue", spill.queue, said, "Name another queue.")
    if spill.returns_below_s >= spill.above_wait_s:
        said = f"not below 'above_wait_s', which is {spill.above_wait_s:g}, so starts would go to and fro"
        yield Problem(rule, "target.overflow.back_below_s", spill.back_below_s, said, "Lower it.")


def _order(rules: "tuple[Rule, ...]") -> Iterator[Problem]:
    seen: set[str] = set()
    everything: str | None = None
    for rule in rules:
        if rule.name in seen or rule.name == "default":
            yield Problem(rule.name, "name", rule.name, "another has this name", "Give it a name of its own.")
        seen.add(rule.name)
        if everything is not None:
            said = f"never reached, because rule {everything!r} before it matches everything"
            yield Problem(rule.name, "match", rule.name, said, f"Move it above {everything!r}.")
        elif _matches_everything(rule.match):
            everything = rule.name


def _matches_everything(match: "Match") -> bool:
    any_workflow = not match.workflow or "*" in match.workflow
    return any_workflow and match.model_copy(update={"workflow": ()}) == type(match)()


def _known(name: str, known: "object") -> str:
    names = [str(one) for one in known] if isinstance(known, dict) else []
    near = nearest(name, names)
    if near:
        return f"Did you mean {near!r}?"
    return f"Known: {', '.join(names)}." if names else "There are none; declare it, or leave this out."
