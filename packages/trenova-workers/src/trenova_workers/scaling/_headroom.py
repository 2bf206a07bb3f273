"""The outer loop: waits over their target raise the headroom, waits well within it lower it slowly."""

from typing import Final

from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState

WINDOWS_OVER: Final = 2
"""One bad window may be a burst; from the second on it is too little headroom."""
MOST_UTILIZATION: Final = 0.98


def wait_of(observation: Observation, capacity: float | None) -> float:
    """Return the seconds that work waits: measured, the oldest that waits now, or what is yet to be worked off.

    Endless where tasks wait and nobody works.
    """
    told = max(observation.wait_p95_s or 0.0, (observation.backlog_age_s or 0.0) if observation.backlog else 0.0)
    workers, backlog = observation.workers, observation.backlog or 0.0
    if workers is None or not backlog:
        return told
    if workers.running < 1:
        return float("inf")
    return told if capacity is None else max(told, backlog / (capacity * workers.running))


def in_force(state: ScalingState, policy: ScalingPolicy) -> float:
    """Return the headroom of the moment, within the bounds of the policy."""
    told = policy.headroom if state.headroom is None else state.headroom
    return min(max(told, policy.headroom_min), policy.headroom_max)


def utilization(headroom: float, policy: ScalingPolicy) -> float:
    """Return the share of capacity that workers are sized for at a headroom: the policy's at the policy's."""
    if policy.headroom == 0:
        return min(policy.utilization, MOST_UTILIZATION)
    spare = (1 - policy.utilization) * headroom / policy.headroom
    return min(max(1 - spare, policy.utilization / 2), MOST_UTILIZATION)


def steer(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> ScalingState:
    """Return the state with this observation in its window, and the headroom of the next one if the window is over.

    While more workers are not possible or on their way, waits do not say that the headroom is too small.
    """
    wait = min(wait_of(observation, state.capacity), 1e9)
    started = state.window_started_at
    if started is None or seconds(observation.at, started) < 0:
        return state.model_copy(update={"window_started_at": observation.at, "window_wait_s": wait})
    worst = max(state.window_wait_s, wait)
    if seconds(observation.at, started) < policy.window_s:
        return state.model_copy(update={"window_wait_s": worst})
    over = state.windows_over + 1 if worst > policy.wait_target_s else 0
    changes = {"window_started_at": observation.at, "window_wait_s": 0.0, "windows_over": over}
    headroom = in_force(state, policy)
    if over >= WINDOWS_OVER and _may_rise(observation, state, policy):
        headroom += policy.headroom_up
    elif worst <= policy.calm_wait_s and observation.dispatch_rate:
        headroom -= policy.headroom_down
    bounded = min(max(headroom, policy.headroom_min), policy.headroom_max)
    return state.model_copy(update={**changes, "headroom": bounded})


def _may_rise(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> bool:
    workers, raised = observation.workers, state.raised_at
    if raised is not None and seconds(observation.at, raised) < policy.window_s:
        return False
    blocked = observation.rate_limited or observation.dependency_down or workers is None
    return not blocked and workers is not None and not workers.starting and workers.planned < policy.max_workers
