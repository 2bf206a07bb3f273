"""Weights that the server itself is to use: what the rules want, what is there, what we set. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Final, Literal, TypeAlias

from trenova_workers.routing._fairness import fairness_key
from trenova_workers.routing._rules import RoutingRules, Target

Kind: TypeAlias = Literal["workflow", "activity"]
"""Which tasks of a queue: each of the two has weights of its own."""

Slot: TypeAlias = tuple[str, Kind]
"""A task queue and which of its tasks."""

Weights: TypeAlias = Mapping[Slot, Mapping[str, float]]
"""Weights by fairness key."""

KINDS: Final[tuple[Kind, Kind]] = ("workflow", "activity")

_PRECISION: Final = 1e-6
"""The server keeps weights as 32-bit numbers."""


@dataclass(frozen=True, slots=True)
class OverrideChange:
    """One weight of one queue. ``after`` is None for one that is taken away, ``before`` where there was none."""

    queue: str
    kind: Kind
    key: str
    before: float | None
    after: float | None
    note: str = ""


def desired_overrides(rules: RoutingRules) -> Weights:
    """Return the weights that every queue of the rules is to have.

    An override of the server counts more than the weight that a task carries. So a queue gets none for organizations
    if one of its rules gives them a weight of its own, and none for a fixed key to which rules give different ones.
    """
    of_organizations = _organization_weights(rules)
    wanted: dict[Slot, dict[str, float]] = {}
    for queue, names in rules.queues().items():
        targets = [target for name, target in rules.targets().items() if name in names]
        fixed = dict(_fixed(targets))
        by_organization = [one for one in targets if one.fairness == "organization" and one.fairness_key is None]
        shared = of_organizations if by_organization and all(one.weight is None for one in by_organization) else {}
        wanted |= {(queue, kind): {**shared, **fixed} for kind in KINDS}
    return wanted


def plan_overrides(current: Weights, desired: Weights, recorded: Weights) -> list[OverrideChange]:
    """Return what has to change; nothing when all is as it should be.

    Args:
        current: What the server has.
        desired: From `desired_overrides`.
        recorded: What we set before. Only these are taken away, and only while they are as we left them.
    """
    changes: list[OverrideChange] = []
    for slot, there in current.items():
        want, ours = desired.get(slot, {}), recorded.get(slot, {})
        for key, weight in want.items():
            before = there.get(key)
            if before is None or not _same(before, weight):
                foreign = before is not None and not _is_ours(ours.get(key), before)
                note = "was set by somebody else" if foreign else ""
                changes.append(OverrideChange(*slot, key, before, weight, note))
        gone = [key for key in ours if key not in want and key in there and _is_ours(ours[key], there[key])]
        changes += [OverrideChange(*slot, key, there[key], None) for key in gone]
    return changes


def left_alone(current: Weights, desired: Weights, recorded: Weights) -> list[OverrideChange]:
    """Return what is on the server though the rules do not want it, and stays because it is not as we left it."""
    return [
        OverrideChange(*slot, key, weight, weight, "set by somebody else, left alone")
        for slot, there in current.items()
        for key, weight in there.items()
        if key not in desired.get(slot, {}) and not _is_ours(recorded.get(slot, {}).get(key), weight)
    ]


def remember(recorded: Weights, changes: list[OverrideChange], desired: Weights) -> Weights:
    """Return what is ours once ``changes`` are made: what we set before and still want, and what we set now."""
    ours = {
        slot: {key: desired[slot][key] for key in keys if key in desired.get(slot, {})}
        for slot, keys in recorded.items()
    }
    for change in changes:
        if change.after is not None:
            ours.setdefault((change.queue, change.kind), {})[change.key] = change.after
    return {slot: keys for slot, keys in ours.items() if keys}


def _organization_weights(rules: RoutingRules) -> dict[str, float]:
    of_classes = {
        name: one.weight for one in rules.classes.values() if one.weight is not None for name in one.organizations
    }
    return {fairness_key(name): weight for name, weight in {**of_classes, **rules.weights}.items()}


def _fixed(targets: list[Target]) -> Iterator[tuple[str, float]]:
    for key in dict.fromkeys(one.fairness_key for one in targets if one.fairness_key):
        weights = {one.weight for one in targets if one.fairness_key == key}
        if len(weights) == 1 and (weight := weights.pop()) is not None:
            yield key, weight


def _same(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=_PRECISION)


def _is_ours(recorded: float | None, there: float) -> bool:
    return recorded is not None and _same(recorded, there)
