"""What a profile has to reach against the SDK's defaults, and whether it does.

The two take turns, so a round compares neighbours in time: throughput is judged by the median of the ratios of the
rounds, which a slow stretch of the machine moves less than the ratio of two medians.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.loads import Load
from capacity.measuring import Measured
from capacity.serving import DEFAULTS

Rounds = Mapping[str, Sequence[Measured]]
"""Of one load: what was measured, by variant, in the order of the rounds."""


@dataclass(frozen=True)
class Verdict:
    """One thing that has to hold."""

    what: str
    found: str
    wanted: str
    held: bool

    def __str__(self) -> str:
        return f"{'ok    ' if self.held else 'MISSED'} {self.what}: {self.found} (wanted: {self.wanted})"


def judge(load: Load, rounds: Rounds) -> list[Verdict]:
    """Return what has to hold of the load's profile; waits only where it has to win."""
    ours, defaults = rounds[load.profile], rounds[DEFAULTS]
    ratios = [mine.per_second / other.per_second for mine, other in zip(ours, defaults, strict=True)]
    ratio = statistics.median(ratios)
    verdicts = [
        Verdict(
            f"{load.profile}, throughput by that of the defaults",
            f"{ratio:.2f}, by round {min(ratios):.2f} to {max(ratios):.2f}",
            f"at least {load.least_ratio:.2f}",
            held=ratio >= load.least_ratio,
        )
    ]
    if load.least_ratio > 1:
        mine, other = (statistics.median(one.wait_p99_ms for one in side) for side in (ours, defaults))
        verdicts.append(
            Verdict(f"{load.profile}, schedule-to-start p99", f"{mine:.0f} ms", f"below {other:.0f} ms", mine < other)
        )
    return verdicts
