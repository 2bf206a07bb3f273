"""Whether a new version does worse than the old one, by the figures of both. Pure."""

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

from pydantic import Field

from trenova_workers.deploy._outcomes import RUNS, SIGNALS, Counts, Outcomes
from trenova_workers.deploy._status import DeployDocument

_Z: Final = 1.645
"""Of a one-sided bound that holds 95 times of 100."""


class RolloutThresholds(DeployDocument):
    """When a version counts as worse."""

    error_rise: float = Field(default=0.05, ge=0, le=1, allow_inf_nan=False)
    """How much higher the share of bad ends may be than the old version's, 0 to 1. What is surely above it, at 95 %,
    stops a rollout; so few bad ends among few do not."""
    samples: int = Field(default=20, ge=1)
    """Ends of one kind that the new version needs before they are judged; without so many runs it never does well."""


@dataclass(frozen=True)
class Verdict:
    """What the figures say.

    Attributes:
        says: ``worse`` than the old version; ``well``; or ``few``: not enough has ended to tell.
        why: A sentence with the figures.
    """

    says: Literal["worse", "well", "few"]
    why: str


def judge(old: Outcomes, new: Outcomes, thresholds: RolloutThresholds) -> Verdict:
    """Compare the new version with the old one over the same time, signal by signal.

    Args:
        old: What ended on the old version; a signal without ends counts as one without bad ends.
        new: On the new one.
        thresholds: From when on it is worse.
    """
    enough: list[str] = []
    for signal in SIGNALS:
        ended, before = new.get(signal, Counts()), old.get(signal, Counts())
        if ended.total < thresholds.samples:
            continue
        said = f"{_of(ended)} {signal} ended badly on the new version, {_of(before)} on the old one"
        if at_least(ended) > before.share + thresholds.error_rise:
            return Verdict("worse", f"{said}: a rise of more than {100 * thresholds.error_rise:g} points (error rise).")
        enough.append(said)
    runs = new.get(RUNS, Counts()).total
    if runs >= thresholds.samples:
        return Verdict("well", f"{'; '.join(enough)}.")
    return Verdict("few", f"{runs} runs ended on the new version; {thresholds.samples} are needed to judge.")


def reference(since: Outcomes, ever: Outcomes, samples: int) -> Outcomes:
    """Return what a new version is compared with: how the old one does now, or else how it did.

    A ramp of 100 leaves the old version no new work; that it then has no bad ends either says nothing.

    Args:
        since: What ended on the old version over the same time.
        ever: What is known to have ended on it at all.
        samples: Ends of a kind that the first needs, for that kind.
    """
    return {
        signal: now if (now := since.get(signal, Counts())).total >= samples else ever.get(signal, now)
        for signal in SIGNALS
    }


def at_least(counts: Counts) -> float:
    """Return the share of bad ends that there surely is, given so many seen: Wilson's lower bound."""
    if not counts.bad:
        return 0.0
    n, p, z2 = counts.total, counts.share, _Z * _Z
    return (p + z2 / (2 * n) - _Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)


def _of(counts: Counts) -> str:
    return f"{counts.bad} of {counts.total}"
