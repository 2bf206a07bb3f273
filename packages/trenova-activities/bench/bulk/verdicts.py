"""What has to hold, and whether it does."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


class WrongResultError(RuntimeError):
    """The database does not hold what it should after a round, so its figures mean nothing."""


@dataclass(frozen=True)
class Verdict:
    """One thing that has to hold."""

    what: str
    found: str
    wanted: str
    held: bool

    def __str__(self) -> str:
        return f"{'ok    ' if self.held else 'MISSED'} {self.what}: {self.found} (wanted: {self.wanted})"


def at_least(what: str, values: Sequence[float], bound: float, form: str = ".2f") -> Verdict:
    """Judge the median of the rounds against a lower bound."""
    found = statistics.median(values)
    return Verdict(what, spread(values, form), f"at least {bound:{form}}", held=found >= bound)


def at_most(what: str, values: Sequence[float], bound: float, form: str = ".2f") -> Verdict:
    """Judge the median of the rounds against an upper bound."""
    found = statistics.median(values)
    return Verdict(what, spread(values, form), f"at most {bound:{form}}", held=found <= bound)


def spread(values: Sequence[float], form: str) -> str:
    """Return ``min / median / max``."""
    return " / ".join(f"{value:{form}}" for value in (min(values), statistics.median(values), max(values)))
