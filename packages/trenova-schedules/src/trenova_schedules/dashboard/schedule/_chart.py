"""Run times and waits as bars, drawn by the server: no script, and the same in a printed page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trenova_schedules.dashboard._words import duration_in_words, plural
from trenova_schedules.dashboard.schedule._durations import Durations, Timed

WIDTH: Final = 1200
HIGH: Final = 160
"""Of the run times; one below the line, the waits have :data:`LOW`."""
LOW: Final = 50
MOST_BARS: Final = 150
_GAP: Final = 2
_HEADROOM: Final = 1.1
_SMALLEST: Final = 2


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One run, or several that began in the same part of the window.

    Attributes:
        x: Its left edge.
        width: Its width.
        height: Of the longest of them, in the upper part.
        wait: Of the longest wait, in the lower part; 0 for none.
        tone: How it is drawn: ``over`` the limit, ``failed``, ``open`` or ``fine``.
        words: What it says.
    """

    x: float
    width: float
    height: float
    wait: float
    tone: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars on one row of time.

    Attributes:
        bars: In order of time.
        start: Where it begins: with the first run, as what was before is empty.
        end: Where it ends.
        top: How long a run would be that fills the upper part.
        low: How long a wait would be that fills the lower part; None where nothing waited for a second.
        limit: How high the limit is; None where it is out of the picture, or there is none.
        interval: Likewise of the time between two ticks.
    """

    bars: Sequence[Bar]
    start: datetime
    end: datetime
    top: timedelta
    low: timedelta | None
    limit: float | None
    interval: float | None


def chart_of(durations: Durations, start: datetime, end: datetime) -> Chart | None:
    """Draw the runs that began in a window; None where there are none.

    Args:
        durations: What to draw.
        start: Of the window.
        end: Of the window.
    """
    if not durations.timed or end <= max(start, durations.timed[0].tick.at):
        return None
    start = max(start, durations.timed[0].tick.at)
    longest = max(one.took for one in durations.timed)
    limit, interval = durations.limit, durations.interval
    shown = [one for one in (limit, interval) if one is not None and one <= 2 * longest]
    top = max([longest, *shown, timedelta(seconds=1)]) * _HEADROOM
    waited = max((one.waited for one in durations.timed if one.waited is not None), default=timedelta(0))
    low = waited * _HEADROOM if waited >= timedelta(seconds=1) else None
    return Chart(
        bars=[_bar(group, number, top, low) for number, group in _groups(durations.timed, start, end).items()],
        start=start,
        end=end,
        top=top,
        low=low,
        limit=_line(limit, top) if limit in shown else None,
        interval=_line(interval, top) if interval in shown else None,
    )


def _groups(timed: Sequence[Timed], start: datetime, end: datetime) -> dict[float, list[Timed]]:
    """Put runs into places by when their ticks were due, as wide apart as they come."""
    slot = WIDTH / MOST_BARS
    groups: dict[float, list[Timed]] = {}
    for one in timed:
        place = (one.tick.at - start) / (end - start) * WIDTH
        groups.setdefault(min(max(place // slot, 0), MOST_BARS - 1) * slot, []).append(one)
    return groups


def _bar(group: Sequence[Timed], x: float, top: timedelta, low: timedelta | None) -> Bar:
    took = max(one.took for one in group)
    wait = max((one.waited for one in group if one.waited is not None), default=timedelta(0))
    return Bar(
        x=x,
        width=WIDTH / MOST_BARS - _GAP,
        height=max(round(took / top * HIGH, 1), _SMALLEST),
        wait=round(wait / low * LOW, 1) if low else 0,
        tone=_tone(group),
        words=_words(group, took, wait),
    )


def _tone(group: Sequence[Timed]) -> str:
    if any(one.over for one in group):
        return "over"
    if any(one.failed for one in group):
        return "failed"
    return "open" if any(one.open for one in group) else "fine"


def _words(group: Sequence[Timed], took: timedelta, wait: timedelta) -> str:
    first = f"{group[0].tick.at:%Y-%m-%d %H:%M} UTC"
    said = [
        f"{first}: took {duration_in_words(took)}"
        if len(group) == 1
        else f"{first}: {len(group)} runs, the longest took {duration_in_words(took)}"
    ]
    if over := sum(one.over for one in group):
        said.append("longer than it may" if len(group) == 1 else f"{over} longer than they may")
    if failed := sum(one.failed for one in group):
        said.append("failed" if len(group) == 1 else f"{failed} failed")
    if running := sum(one.open for one in group):
        said.append(f"{plural(running, 'run')} not ended")
    if wait >= timedelta(seconds=1):
        said.append(f"began {duration_in_words(wait)} after its time")
    return ", ".join(said)


def _line(length: timedelta | None, top: timedelta) -> float | None:
    return None if length is None else round(HIGH - length / top * HIGH, 1)
