"""The law: how many workers a pool shall have."""

from typing import Final

from trenova_workers.scaling._decision import Action, Candidates, Decision
from trenova_workers.scaling._demand import Demand, demand
from trenova_workers.scaling._faults import Fault, fault_of
from trenova_workers.scaling._headroom import in_force, steer
from trenova_workers.scaling._learning import learn
from trenova_workers.scaling._look import Look, look_at
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._regret import regrets
from trenova_workers.scaling._state import ScalingState
from trenova_workers.scaling._verdict import Verdict, by_fault, by_load, by_override

_HEAPS: Final = frozenset({"calendar", "backlog", "unmatched", "age"})


def decide(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> Decision:
    """Return how many workers a pool shall have. Pure: no clock, no I/O, the same answer to the same question.

    Args:
        observation: What is known now. Whatever is missing, stale or makes no sense changes nothing.
        state: That of the last decision for this pool, or an empty one.
        policy: Of the pool; it may be another one each time.
    """
    fault = fault_of(observation, state, policy)
    before = _before(observation, state, policy)
    load: Demand | None = None
    if fault is not None:
        after = _after_fault(observation, state, fault)
        verdict = by_fault(observation, before, fault, policy)
    else:
        after = steer(observation, learn(observation, state, policy), policy)
        look = look_at(observation, state, after, policy)
        after = _pressed(look)
        load = demand(look._replace(learnt=after))
        verdict = by_load(load, before)
    override = observation.override
    if override is not None and observation.at < override.until:
        verdict = by_override(observation, before, override, policy)
    action: Action = "up" if verdict.desired > before else "down" if verdict.desired < before else "hold"
    return Decision(
        at=observation.at,
        pool=observation.pool,
        desired=verdict.desired,
        before=before,
        action=action,
        trigger=verdict.trigger,
        rho=None if load is None else load.look.rho,
        mu=(after.capacity or policy.first_capacity) if load is None else load.look.capacity,
        headroom=in_force(after, policy),
        candidates=Candidates() if load is None else load.candidates,
        clamp=verdict.clamp,
        held_because=verdict.held if action == "hold" else None,
        why=verdict.why,
        observation=observation,
        state=_remembering(after, before, load, verdict, action),
    )


def _before(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> int:
    workers = observation.workers
    if workers is not None and workers.planned >= 0:
        return workers.planned
    return policy.min_workers if state.desired is None else state.desired


def _pressed(look: Look) -> ScalingState:
    unknown = look.rho is None and bool(look.observation.backlog)
    if look.wait_s > look.policy.calm_wait_s or unknown:
        return look.learnt.model_copy(update={"pressed_at": look.observation.at})
    return look.learnt


def _after_fault(observation: Observation, state: ScalingState, fault: Fault) -> ScalingState:
    """Return a state that goes on from here: after a jump of the clock or a gap nothing is compared with before."""
    now = observation.at
    changes: dict[str, object] = {"at": now, "idle_polls": 0, "came": None}
    if fault.held in {"clock", "gap"}:
        changes |= {
            "read_at": None,
            "arrival_rate": None,
            "told_rate": None,
            "slots_seen": (),
            "backlog": None,
            "served": None,
        }
        changes |= {"window_started_at": None, "window_wait_s": 0.0, "windows_over": 0}
    for name in ("pressed_at", "raised_at", "lowered_at", "regretted_at", "disturbed_at", "rates_since"):
        marked = getattr(state, name)
        changes[name] = None if marked is None else min(marked, now)
    return state.model_copy(update=changes)


def _remembering(
    state: ScalingState, before: int, load: Demand | None, verdict: Verdict, action: Action
) -> ScalingState:
    changes: dict[str, object] = {"desired": verdict.desired}
    if load is not None:
        changes |= regrets(load.look, state, before, verdict.desired, verdict.trigger)
    if action == "up":
        changes["raised_at"] = state.at
        if verdict.trigger in _HEAPS:
            changes["heap"] = True
    elif action == "down":
        changes |= {"lowered_at": state.at, "heap": False}
    return state.model_copy(update=changes)
