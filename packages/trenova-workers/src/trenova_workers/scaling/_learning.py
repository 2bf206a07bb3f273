"""What an observation teaches: rates and the capacity of a worker, smoothed."""

from typing import Final

from trenova_workers.scaling._bounds import is_idle
from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._policy_checks import RATE_WINDOW_S
from trenova_workers.scaling._state import ScalingState, SlotsSeen
from trenova_workers.scaling._usual import smooth, usual

CAPACITY_SMOOTHING_S: Final = 120.0
"""The capacity of a worker changes with releases, not with the hour."""
NEARLY_ALL: Final = 0.9
"""From this share of the slots in use on, all of them count as in use."""
_LEAST_SLOTS_USED: Final = 0.5
_LEAST_SEEN_S: Final = RATE_WINDOW_S / 2
_LEAST_RATE: Final = 0.01
_MOST_JUMP: Final = 4.0
"""One sample moves the capacity by this factor at most: a figure that is off is not believed at once."""
_FAR: Final = 2.0
_NOISE_S: Final = 1.0
"""A backlog that is worked off within this time says nothing about what comes."""


def learn(observation: Observation, state: ScalingState, policy: ScalingPolicy) -> ScalingState:
    """Return the state after an observation without faults. Figures that are not newer teach nothing.

    What a dependency that is down makes of the workers' speed is not learnt.
    """
    now, read = observation.at, observation.read_at
    disturbed = now if observation.dependency_down or observation.rate_limited else state.disturbed_at
    idle = state.idle_polls + 1 if is_idle(observation) else 0
    told = state.model_copy(update={"at": now, "disturbed_at": disturbed, "idle_polls": idle})
    if read is None or (state.read_at is not None and read <= state.read_at):
        return told
    passed = RATE_WINDOW_S if state.read_at is None else seconds(read, state.read_at)
    served = _served(observation, state.capacity or policy.first_capacity)
    came = _came(observation, state, served, passed)
    sample = _rate(observation, state, came)
    rate = sample if idle else smooth(state.arrival_rate, sample, passed, policy.smoothing_s)
    learnt = told.model_copy(
        update={
            "read_at": read,
            "arrival_rate": rate,
            **usual(observation, state, passed),
            "backlog": observation.backlog,
            "served": served,
            "came": came,
            "slots_seen": _seen(observation, state),
        }
    )
    if disturbed is not None and seconds(now, disturbed) < RATE_WINDOW_S:
        return learnt
    return learnt.model_copy(update={"capacity": _capacity(observation, learnt, policy, passed)})


def arrivals(state: ScalingState, learnt: ScalingState) -> float:
    """Return the tasks per second that come now.

    The server's rate lags by half its window. Where tasks wait, workers are busy, so what they do and what the backlog
    changed by is what came; this tells a jump at the second look.

    Args:
        state: Before the observation.
        learnt: After it.
    """
    smoothed = learnt.arrival_rate or 0.0
    if learnt.came is None or state.came is None:
        return smoothed
    return max(smoothed, min(learnt.came, state.came))


def busy_workers(learnt: ScalingState) -> float | None:
    """Return the workers whose slots were in use, on average over the window of the server's rates.

    None if slots were never told, or only for so short a time that the rest of the window is a guess.
    """
    seen = learnt.slots_seen
    if not seen or learnt.read_at is None or seconds(learnt.read_at, seen[0].at) < _LEAST_SEEN_S:
        return None
    total, later = 0.0, RATE_WINDOW_S
    for older, newer in zip(reversed(seen[:-1]), reversed(seen), strict=False):
        span = min(seconds(newer.at, older.at), later)
        total += newer.busy * span
        later -= span
    return (total + seen[0].busy * later) / RATE_WINDOW_S


def _rate(observation: Observation, state: ScalingState, came: float | None) -> float:
    """Return what to believe of the rate: two looks where tasks wait, since one may be a heap that does not go on."""
    told = observation.arrival_rate or 0.0
    if came is None:
        return told
    if state.came is not None:
        return min(came, state.came)
    return min(came, told if state.arrival_rate is None else state.arrival_rate)


def _served(observation: Observation, capacity: float | None) -> float | None:
    workers = observation.workers
    if capacity is None or workers is None:
        return None
    busy = 1.0
    if observation.slots and observation.slots_used is not None:
        busy = min(1.0, observation.slots_used / observation.slots)
    return capacity * workers.running * busy


def _came(observation: Observation, state: ScalingState, served: float | None, passed: float) -> float | None:
    backlog = observation.backlog or 0.0
    if served is None or state.served is None or state.backlog is None or passed <= 0:
        return None
    if min(backlog, state.backlog) <= _NOISE_S * served and backlog <= state.backlog + _NOISE_S * served:
        return None
    return max(0.0, (served + state.served) / 2 + (backlog - state.backlog) / passed)


def _seen(observation: Observation, state: ScalingState) -> tuple[SlotsSeen, ...]:
    read = observation.read_at
    workers = observation.workers
    if observation.slots_used is None or not observation.slots or workers is None or read is None:
        return ()
    kept = [one for one in state.slots_seen if seconds(read, one.at) <= RATE_WINDOW_S]
    return (*kept, SlotsSeen(at=read, busy=workers.running * observation.slots_used / observation.slots))


def _capacity(observation: Observation, learnt: ScalingState, policy: ScalingPolicy, passed: float) -> float | None:
    sample = _sample(observation, learnt, policy)
    known = learnt.capacity
    if sample is None:
        return known
    if known is None:
        return sample
    sample = min(max(sample, known / _MOST_JUMP), known * _MOST_JUMP)
    # Where all are busy and work waits, what they do is what they can do; if it is far less than was believed, that is
    # no noise.
    refuted = _all_busy(observation) and sample < known / _FAR
    return smooth(known, sample, passed, RATE_WINDOW_S if refuted else CAPACITY_SMOOTHING_S)


def _sample(observation: Observation, learnt: ScalingState, policy: ScalingPolicy) -> float | None:
    """Return tasks per second and worker: by the slots that they take at any load, else only where work waits."""
    rate, workers = observation.dispatch_rate or 0.0, observation.workers
    if workers is None or workers.running < 1 or rate < _LEAST_RATE:
        return None
    if observation.slots:
        busy = busy_workers(learnt)
        if busy is None or busy * observation.slots / workers.running < _LEAST_SLOTS_USED:
            return None
        return rate / busy
    if not observation.backlog or workers.starting:
        return None
    raised = learnt.raised_at
    if raised is not None and seconds(observation.at, raised) < RATE_WINDOW_S + policy.start_s:
        return None
    return rate / workers.running


def _all_busy(observation: Observation) -> bool:
    used, slots = observation.slots_used or 0.0, observation.slots or 0.0
    return bool(slots and observation.backlog) and used >= NEARLY_ALL * slots
