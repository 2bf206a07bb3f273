"""How long runs took and how long they were waited for: two things with opposite remedies, never added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median_low
from typing import Final

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.dashboard.schedule._strip import FAILED_STATUSES

_OF_ITSELF: Final = frozenset({TickClass.ON_TIME, TickClass.LATE, TickClass.DELAYED_OVERLAP})
"""Classes whose run the schedule started; a run of another one is a backfill's, whose delay says nothing."""
_LONGEST: Final = 10
_APART: Final = 2
_ENOUGH: Final = 3
"""Gaps between runs, of which none may be of one interval, before they count as its real cadence."""
_RECENT: Final = 20
_NOT_DUE: Final = frozenset({TickClass.PAUSED, TickClass.PENDING, TickClass.INCONCLUSIVE})


@dataclass(frozen=True)
class Timed:
    """One run.

    Attributes:
        tick: Whose it is.
        took: How long it ran; so far, where it has not ended.
        waited: From when it was due to when it began; None for a run of a backfill.
        over: Whether it took longer than is expected.
    """

    tick: Tick
    took: timedelta
    waited: timedelta | None
    over: bool

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        return self.tick.status in FAILED_STATUSES

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.tick.closed_at is None


@dataclass(frozen=True)
class Spread:
    """How a length varies.

    Attributes:
        half: At most this in half of all cases.
        most: At most this in 95 of 100.
        longest: At most this, ever.
    """

    half: timedelta
    most: timedelta
    longest: timedelta


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """A schedule whose runs come less often than it says.

    Attributes:
        configured: From one tick to the next.
        effective: From one run to the next, the middle of the last ones.
        gaps: How many gaps that rests on.
    """

    configured: timedelta
    effective: timedelta
    gaps: int


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Of the runs in a window.

    Attributes:
        timed: In order of time.
        limit: How long a run may take; None: as long as it likes.
        took: How long those took that have ended; None where none has.
        waited: From when they were due to when they began; None where none did.
        interval: The usual time from one tick to the next; None with fewer than three.
        cadence: Where runs come less often than ticks.
    """

    timed: Sequence[Timed]
    limit: timedelta | None
    took: Spread | None
    waited: Spread | None
    interval: timedelta | None
    cadence: Cadence | None

    @property
    def over(self) -> int:
        """How many took longer than is expected."""
        return sum(one.over for one in self.timed)

    @property
    def longest(self) -> list[Timed]:
        """The runs that took longest."""
        return sorted(self.timed, key=lambda one: one.took, reverse=True)[:_LONGEST]

    @property
    def outlasts(self) -> bool:
        """Whether the usual run takes longer than from one tick to the next."""
        return self.took is not None and self.interval is not None and self.took.half > self.interval


def durations_of(ticks: Sequence[Tick], limit: timedelta | None) -> Durations:
    """Measure the runs of ticks.

    A run that has not ended counts with what it has taken when it was seen last.

    Args:
        ticks: Of a window, in order of time.
        limit: How long a run may take.
    """
    timed = [_timed(tick, limit) for tick in ticks if tick.started_at is not None]
    return Durations(
        timed=timed,
        limit=limit,
        took=_spread([one.took for one in timed if not one.open]),
        waited=_spread([one.waited for one in timed if one.waited is not None]),
        interval=_interval(ticks),
        cadence=_cadence(ticks),
    )


def _timed(tick: Tick, limit: timedelta | None) -> Timed:
    began = tick.started_at or tick.at
    took = max((tick.closed_at or tick.observed_at) - began, timedelta(0))
    waited = max(began - tick.at, timedelta(0)) if tick.state in _OF_ITSELF else None
    return Timed(tick, took, waited, over=limit is not None and took > limit)


def _spread(lengths: Sequence[timedelta]) -> Spread | None:
    if not lengths:
        return None
    found = sorted(lengths)
    return Spread(half=found[(len(found) - 1) // 2], most=found[-(-len(found) * 95 // 100) - 1], longest=found[-1])


def _interval(ticks: Sequence[Tick]) -> timedelta | None:
    gaps = [after.at - before.at for before, after in pairwise(ticks)]
    return median_low(gaps) if len(gaps) >= _APART else None


def _cadence(ticks: Sequence[Tick]) -> Cadence | None:
    """Return how often runs come, if between any two of the last ones there was a tick in vain.

    Counted in ticks, not in time, so that a weekend or a pause is no drift.
    """
    due = [tick for tick in ticks if tick.state not in _NOT_DUE]
    began = [number for number, tick in enumerate(due) if tick.started_at is not None and tick.state in _OF_ITSELF]
    pairs = list(pairwise(began))[-_RECENT:]
    if len(pairs) < _ENOUGH or any(after - before < _APART for before, after in pairs):
        return None
    gaps = [due[after].at - due[before].at for before, after in pairs]
    return Cadence(
        configured=median_low(gaps) / median_low([after - before for before, after in pairs]),
        effective=median_low(gaps),
        gaps=len(gaps),
    )
