"""What makes an observation no ground for a change."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from trenova_workers.scaling._decision import Held
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState

_NEEDED = ("backlog", "backlog_age_s", "arrival_rate", "dispatch_rate")
_OPTIONAL = ("wait_p95_s", "unmatched", "slots_used", "slots", "open_workflows")
_AHEAD_S = 5.0
"""Two clocks that are kept in time differ by less."""


class Fault(NamedTuple):
    """One fault: its class, and what is so in words without a full stop."""

    held: Held
    said: str


def fault_of(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> Fault | None:
    """Return what is wrong with an observation, the worst first; None if it can be judged."""
    return next(_faults(observation, state, policy), None)


def seconds(later: datetime, earlier: datetime) -> float:
    """Return the seconds between two moments."""
    return (later - earlier).total_seconds()


def _faults(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> Iterator[Fault]:
    yield from _missing(observation)
    yield from _nonsense(observation)
    yield from _time(observation, state, policy)


def _missing(observation: Observation) -> Iterator[Fault]:
    gone = [name for name in _NEEDED if getattr(observation, name) is None]
    if observation.workers is None:
        gone.append("workers")
    if observation.read_at is None:
        gone.append("read_at")
    if gone:
        yield Fault("missing-data", f"{', '.join(gone)} could not be read")


def _nonsense(observation: Observation) -> Iterator[Fault]:
    figures = {name: getattr(observation, name) for name in (*_NEEDED, *_OPTIONAL)}
    if observation.workers is not None:
        figures |= {f"workers.{name}": value for name, value in observation.workers}
    figures |= {f"upcoming {one.name!r}": math.nan if one.tasks is None else one.tasks for one in observation.upcoming}
    for name, value in figures.items():
        if value is not None and not (math.isfinite(value) and value >= 0):
            yield Fault("nonsense-data", f"{name} is {value!r}, which cannot be")


def _time(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> Iterator[Fault]:
    now, read = observation.at, observation.read_at
    if read is not None and seconds(read, now) > _AHEAD_S:
        yield Fault("clock", f"the figures are {seconds(read, now):.0f} s ahead of this clock")
    if read is not None and seconds(now, read) > policy.stale_s:
        yield Fault(
            "stale-data", f"the figures are {seconds(now, read):.0f} s old, and {policy.stale_s:g} s are allowed"
        )
    if state.at is None:
        return
    passed = seconds(now, state.at)
    if passed < 0:
        yield Fault("clock", f"the clock went back by {-passed:.0f} s")
    elif passed > policy.gap_s:
        yield Fault("gap", f"nothing was observed for {passed:.0f} s, so this one only begins anew")
