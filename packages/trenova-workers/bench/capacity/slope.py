"""A straight line through measurements, and how sure its slope is."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_LEAST_POINTS = 5


@dataclass(frozen=True)
class Slope:
    """The slope of a line by least squares, and the ends of its 95 % confidence interval."""

    per_unit: float
    low: float
    high: float


def fit(xs: Sequence[float], ys: Sequence[float]) -> Slope:
    """Fit a line.

    Raises:
        ValueError: There are fewer than five points, or all have the same x.
    """
    if len(xs) < _LEAST_POINTS:
        raise ValueError(f"A slope needs at least {_LEAST_POINTS} points, got {len(xs)}. Measure more often.")
    line = statistics.linear_regression(xs, ys)
    left = sum((y - line.intercept - line.slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    degrees, middle = len(xs) - 2, statistics.fmean(xs)
    error = math.sqrt(left / degrees / sum((x - middle) ** 2 for x in xs))
    either_side = _student_975(degrees) * error
    return Slope(line.slope, line.slope - either_side, line.slope + either_side)


def _student_975(degrees: int) -> float:
    """The 97.5 % quantile of Student's distribution.

    By the expansion of Abramowitz and Stegun 26.7.5, which is within 0.01 from three degrees on.
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / float(degrees) ** power for power, term in enumerate(terms, start=1))
