"""What load is usual, over minutes, and by how much it varies from one half minute to the next."""

import math
from typing import Final

from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._policy_checks import RATE_WINDOW_S
from trenova_workers.scaling._state import ScalingState

_USUAL_S: Final = 180.0
_VARIES_S: Final = 600.0
_ERRORS: Final = 10.0
"""Many, since a load in batches is anything but normal: a hundred tasks less is four batches."""
_LEAST_SHARE: Final = 0.25
"""Below this share of it a load is another one, however much it varies."""
_NO_RATE: Final = 1e-3
"""Tasks per second below which there is no load to speak of."""
_ONE_JUMP: Final = 9.0
"""A jump counts for so many times the usual variance at most: a load that changes for good does not vary."""


def usual(observation: Observation, state: ScalingState, passed: float) -> dict[str, object]:
    """Return what an observation teaches of the usual load, as changes of the state.

    Args:
        observation: Without faults, its figures newer than the last.
        state: Before it.
        passed: Seconds between the two.
    """
    rate = observation.arrival_rate or 0.0
    since = state.rates_since or observation.at
    known_s = max(0.0, seconds(observation.at, since))
    return {
        "rates_since": since,
        "told_rate": rate,
        "usual_rate": smooth(state.usual_rate, rate, passed, min(_USUAL_S, RATE_WINDOW_S + known_s)),
        "rate_variance": _variance(rate, state, passed, max(passed, min(_VARIES_S, known_s))),
    }


def has_fallen(state: ScalingState, rate: float) -> bool:
    """Whether the usual load is surely less than it was, and not only between two batches.

    Args:
        state: After an observation.
        rate: Tasks per second, as was usual then.
    """
    variance = max(rate / RATE_WINDOW_S, state.rate_variance or 0.0)
    error = math.sqrt(variance * RATE_WINDOW_S / (2 * _USUAL_S))
    return (state.usual_rate or 0.0) < max(rate - _ERRORS * error, _LEAST_SHARE * rate, _NO_RATE)


def smooth(known: float | None, value: float, passed: float, over: float) -> float:
    """Return a mean in which what is older than ``over`` seconds counts by a third; the value where none is known."""
    if known is None or over <= 0:
        return value
    weight = 1 - math.exp(-passed / over)
    return known + weight * (value - known)


def _variance(rate: float, state: ScalingState, passed: float, over: float) -> float | None:
    """Return the variance of means over the server's window: half the square of what two apart differ by.

    Two looks share most of their windows, so they differ by the less the less time has passed.
    """
    if state.told_rate is None or state.usual_rate is None or passed <= 0:
        return state.rate_variance
    sample = (rate - state.told_rate) ** 2 * RATE_WINDOW_S / (2 * min(passed, RATE_WINDOW_S))
    if state.rate_variance is not None:
        sample = min(sample, _ONE_JUMP * max(state.rate_variance, state.usual_rate / RATE_WINDOW_S))
    return smooth(state.rate_variance, sample, passed, over)
