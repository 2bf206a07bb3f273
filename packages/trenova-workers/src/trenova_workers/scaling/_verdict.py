"""What becomes of the number of workers, given what the load asks for."""

import math
from datetime import datetime
from typing import NamedTuple

from trenova_workers.scaling import _sentences as say
from trenova_workers.scaling._bounds import Bounded, bounded, lowered, not_zero_because, raised
from trenova_workers.scaling._decision import Clamp, Held, Trigger
from trenova_workers.scaling._demand import Demand
from trenova_workers.scaling._faults import Fault, seconds
from trenova_workers.scaling._look import Look
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._override import Override
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._policy_checks import RATE_WINDOW_S
from trenova_workers.scaling._regret import least_by_regret


class Verdict(NamedTuple):
    """A number, and how it came about."""

    desired: int
    trigger: Trigger
    clamp: Clamp | None
    held: Held | None
    why: str


def by_fault(observation: Observation, before: int, fault: Fault, policy: ScalingPolicy) -> Verdict:
    """Hold, within the bounds."""
    result = bounded(before, observation, policy)
    if result.number != before:
        return Verdict(result.number, "bounds", result.clamp, None, say.moved_by_bounds(before, result))
    return Verdict(before, "none", None, fault.held, say.held_by_fault(before, fault))


def by_override(observation: Observation, before: int, override: Override, policy: ScalingPolicy) -> Verdict:
    """Do what a person told, within the bounds."""
    result = bounded(override.count, observation, policy)
    held: Held | None = "settled" if result.number == before else None
    return Verdict(result.number, "override", result.clamp, held, say.overridden(before, result, override))


def by_load(load: Demand, before: int) -> Verdict:
    """Do what the load asks for, as far as it may be done."""
    policy = load.look.policy
    allowed = bounded(before, load.look.observation, policy)
    if allowed.number != before:
        return Verdict(allowed.number, "bounds", allowed.clamp, None, say.moved_by_bounds(before, allowed))
    if load.sure > before:
        return _up(load, before)
    if max(load.kept, policy.min_workers) >= before:
        return Verdict(before, load.trigger, None, "settled", say.settled(load, before))
    return _down(load, before)


def _up(load: Demand, before: int) -> Verdict:
    look = load.look
    announced = load.candidates.by_calendar or 0
    stepped, step = raised(before, load.wanted, announced, look.policy)
    count, bound = bounded(stepped, look.observation, look.policy)
    held = _not_up(look, before, count, announced)
    if held is not None:
        return Verdict(before, load.trigger, bound, held, say.not_up(load, before, held))
    result = Bounded(count, bound or step)
    return Verdict(count, load.trigger, result.clamp, None, say.up(load, before, result))


def _not_up(look: Look, before: int, count: int, announced: int) -> Held | None:
    observation, learnt, policy = look.observation, look.learnt, look.policy
    if observation.dependency_down:
        return "dependency-down"
    if observation.rate_limited:
        return "rate-limited"
    if count == before:
        return "settled"
    if announced > before:
        return None
    raised_s, lowered_s = _ago(look, learnt.raised_at), _ago(look, learnt.lowered_at)
    # What was just taken away is not given back for a hair's breadth: if it was too much, work will wait.
    hasty = lowered_s < min(raised_s, policy.quiet_s) and look.wait_s <= policy.calm_wait_s
    return "cool-down" if hasty or raised_s < policy.up_cooldown_s else None


def _ago(look: Look, marked: datetime | None) -> float:
    return math.inf if marked is None else seconds(look.observation.at, marked)


def _down(load: Demand, before: int) -> Verdict:
    look = load.look
    policy, learnt = look.policy, look.learnt
    forbidden = not_zero_because(look.observation, learnt, policy)
    rests = learnt.idle_polls >= policy.zero_polls
    stepped, step = Bounded(load.kept, None) if rests or learnt.heap else lowered(before, load.kept, policy)
    # The load of a version that has drained does not come back.
    regretted = 0 if rests and look.observation.version_state == "drained" else least_by_regret(look)
    count, bound = bounded(max(stepped, regretted, 1 if forbidden else 0), look.observation, policy)
    held = None if rests else _restless(look)
    if held is None and count >= before:
        held = "regretted" if regretted >= before else "not-idle"
    if held is not None:
        return Verdict(before, load.trigger, None, held, say.not_down(load, before, held, forbidden))
    result = Bounded(count, bound or step)
    if rests:
        why = say.at_rest(load, before, count)
    else:
        why = say.heap_done(load, before, count) if learnt.heap else say.down(load, before, result)
    return Verdict(count, load.trigger, result.clamp, None, why)


def _restless(look: Look) -> Held | None:
    """Return why nothing is taken away yet; None if it may be."""
    learnt, now, policy = look.learnt, look.observation.at, look.policy
    if look.workers.starting:
        return "starting"
    calm_s = min(RATE_WINDOW_S, policy.quiet_s) if learnt.heap else policy.quiet_s
    if learnt.pressed_at is not None and seconds(now, learnt.pressed_at) < calm_s:
        return "not-quiet"
    changed = [one for one in (learnt.raised_at, learnt.lowered_at) if one is not None]
    return "cool-down" if changed and seconds(now, max(changed)) < policy.down_cooldown_s else None
