"""Ticks of a window in one row: past ones by class, then the next fires; what is too dense is put together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_schedules._previewing._zones import zone_named
from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.dashboard._looks import FAILED, NEXT, RUNNING, Look, look_of
from trenova_schedules.dashboard._words import duration_in_words, plural

MOST_MARKS: Final = 120
"""Marks in a row; with more ticks, several share one."""

_ROUND: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 180, 360, 720, 1440))
_WORST: Final = ("bad", "unknown", "warn", "busy", "calm", "good")
FAILED_STATUSES: Final = frozenset({"FAILED", "TIMED_OUT", "TERMINATED"})


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One or several ticks.

    Attributes:
        at: When the first of them was due.
        look: Of the worst of them.
        words: What it says to whoever cannot see it.
        end: Where several are put together, the first time that is not among them.
        count: How many.
        ahead: Whether it is still to come.
        day: The day that begins with it, in the schedule's zone; None for another one of the same day.
    """

    at: datetime
    look: Look
    words: str
    end: datetime | None = None
    count: int = 1
    ahead: bool = False
    day: str | None = None


@dataclass(frozen=True)
class Strip:
    """A row of marks.

    Attributes:
        marks: In order of time.
        counts: Ticks by class.
        took: How long runs took that have ended, sorted.
    """

    marks: tuple[Mark, ...]
    counts: Counter[TickClass] = field(default_factory=Counter)
    took: tuple[timedelta, ...] = ()

    @property
    def sentence(self) -> str:
        """The counts in words, such as ``412 expected, 409 on time, 1 missed``."""
        parts = [f"{count:,} {look_of(state).word}" for state, count in self.counts.most_common()]
        return ", ".join([f"{self.counts.total():,} expected", *parts])

    @property
    def median(self) -> timedelta | None:
        """How long a run takes; None where none has ended."""
        return self.took[len(self.took) // 2] if self.took else None


def strip_of(ticks: Sequence[Tick], fires: Sequence[datetime], *, zone: str) -> Strip:
    """Put ticks and fires to come in one row.

    Args:
        ticks: Of the window, in order of time.
        fires: The next ones.
        zone: IANA name, for where days begin.
    """
    past = [tick for tick in ticks if tick.state is not TickClass.PENDING or tick.at <= datetime.now(UTC)]
    known = {tick.at for tick in past}
    marks = [_one(tick) for tick in past] if len(past) <= MOST_MARKS else _together(past)
    ahead = [_next(at) for at in fires if at not in known]
    took = sorted(tick.closed_at - tick.started_at for tick in past if tick.started_at and tick.closed_at)
    return Strip(
        marks=tuple(_with_days([*marks, *ahead], zone)),
        counts=Counter(tick.state for tick in past),
        took=tuple(took),
    )


def look_of_tick(tick: Tick) -> Look:
    """Return how a tick looks: a run that failed or goes on counts more than that it began in time."""
    if tick.started_at is not None and look_of(tick.state).tone in {"good", "warn"}:
        if tick.status in FAILED_STATUSES:
            return FAILED
        if tick.closed_at is None:
            return RUNNING
    return look_of(tick.state)


def _one(tick: Tick) -> Mark:
    look = look_of_tick(tick)
    words = [look.word]
    if tick.delay is not None and tick.delay >= timedelta(seconds=1):
        words.append(f"began {duration_in_words(tick.delay)} after its time")
    if tick.started_at and tick.closed_at:
        words.append(f"took {duration_in_words(tick.closed_at - tick.started_at)}")
    if look is RUNNING and tick.started_at:
        words.append(f"not ended {duration_in_words(max(tick.observed_at - tick.started_at, timedelta(0)))} later")
    if tick.reason:
        words.append(tick.reason)
    return Mark(at=tick.at, look=look, words=", ".join(words))


def _next(at: datetime) -> Mark:
    return Mark(at=at, look=NEXT, words=NEXT.word, ahead=True)


def _together(ticks: Sequence[Tick]) -> list[Mark]:
    span = ticks[-1].at - ticks[0].at
    length = next((one for one in _ROUND if span / one <= MOST_MARKS), _ROUND[-1])
    groups: dict[int, list[Tick]] = {}
    for tick in ticks:
        groups.setdefault(int(tick.at.timestamp() // length.total_seconds()), []).append(tick)
    return [_group(group, number, length) for number, group in groups.items()]


def _group(ticks: Sequence[Tick], number: int, length: timedelta) -> Mark:
    looks = Counter(look_of_tick(tick) for tick in ticks)
    worst = min(looks, key=lambda look: _WORST.index(look.tone))
    words = ", ".join(f"{count} {look.word}" for look, count in looks.most_common())
    begin = datetime.fromtimestamp(number * length.total_seconds(), UTC)
    return Mark(
        at=begin, look=worst, words=f"{plural(len(ticks), 'tick')}: {words}", end=begin + length, count=len(ticks)
    )


def _with_days(marks: Sequence[Mark], zone: str) -> list[Mark]:
    found, day, where = list[Mark](), "", zone_named(zone)
    for mark in marks:
        own = f"{mark.at.astimezone(where):%Y-%m-%d}"
        found.append(replace(mark, day=own) if own != day else mark)
        day = own
    return found
