"""What a number of workers may be, whatever the load asks for."""

import math
from typing import Final, NamedTuple

from trenova_workers.scaling._decision import Clamp
from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState

_NEEDS_ONE: Final = frozenset({"created", "inactive", "current", "ramping", "draining"})
"""A version without pollers is never promoted, and one that drains without workers never has drained."""
_NO_RATE: Final = 1e-3


class Bounded(NamedTuple):
    """A number within its bounds, and the bound that it ran into."""

    number: int
    clamp: Clamp | None


def bounded(count: int, observation: Observation, policy: ScalingPolicy) -> Bounded:
    """Return a number that policy and version allow."""
    if count > policy.max_workers:
        return Bounded(policy.max_workers, "maximum")
    if count < policy.min_workers:
        return Bounded(policy.min_workers, "minimum")
    if count < 1 and observation.version_state in _NEEDS_ONE:
        return Bounded(1, "version")
    return Bounded(count, None)


def raised(before: int, wanted: int, announced: int, policy: ScalingPolicy) -> Bounded:
    """Return how far a number may rise at once; what a calendar announces is known and may come at once."""
    most = max(before + policy.up_step, math.ceil(before * policy.up_factor), announced)
    return Bounded(most, "step-up") if wanted > most else Bounded(wanted, None)


def lowered(before: int, kept: int, policy: ScalingPolicy) -> Bounded:
    """Return how far a number may fall at once."""
    least = before - max(policy.down_step, math.floor(before * policy.down_share))
    return Bounded(least, "step-down") if kept < least else Bounded(kept, None)


def is_idle(observation: Observation) -> bool:
    """Whether there is nothing at all to do, as far as that can be told; slots that are not known are not idle."""
    figures = (observation.backlog, observation.slots_used)
    rates = (observation.arrival_rate, observation.dispatch_rate)
    nothing = all(figure == 0 for figure in figures) and all(rate is not None and rate < _NO_RATE for rate in rates)
    return nothing and not observation.unmatched


def not_zero_because(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> str:
    """Return what forbids taking the last worker away, in words; empty if nothing does."""
    if state.idle_polls < policy.zero_polls:
        return f"nothing was to do in {state.idle_polls} observations in a row, and it takes {policy.zero_polls}"
    if observation.open_workflows is None:
        return "nobody counted the workflows that are open"
    if observation.open_workflows:
        return f"{observation.open_workflows:.0f} workflows are open"
    if observation.version_state in _NEEDS_ONE:
        return f"its version is {observation.version_state}"
    if observation.dependency_down or observation.rate_limited:
        return "work is held back and will come"
    near = [one for one in observation.upcoming if 0 <= seconds(one.at, observation.at) <= policy.horizon_s]
    return f"{near[0].name or 'a schedule'} fires at {near[0].at:%H:%M:%S}" if near else ""
