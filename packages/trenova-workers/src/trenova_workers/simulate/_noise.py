"""Randomness that is the same for every law: drawn once for a trace, of its seed."""

import math
import random
from collections.abc import Sequence
from typing import Final

_SMALL: Final = 30.0


def counted(rates: Sequence[float], random_: random.Random) -> tuple[int, ...]:
    """Return how many arrive in each second if so many do on average (Poisson)."""
    return tuple(_poisson(rate, random_) for rate in rates)


def durations(count: int, spread: float, random_: random.Random) -> tuple[float, ...]:
    """Return a factor for each second whose mean is 1 (lognormal)."""
    if spread <= 0:
        return (1.0,) * count
    middle = -spread * spread / 2
    return tuple(random_.lognormvariate(middle, spread) for _ in range(count))


def _poisson(rate: float, random_: random.Random) -> int:
    if rate <= 0:
        return 0
    if rate > _SMALL:
        return max(0, round(random_.gauss(rate, math.sqrt(rate))))
    bound, product, count = math.exp(-rate), random_.random(), 0
    while product > bound:
        product *= random_.random()
        count += 1
    return count
