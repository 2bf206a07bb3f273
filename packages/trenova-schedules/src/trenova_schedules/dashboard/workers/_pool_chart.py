"""Workers above the line, tasks that waited below it, drawn by the server as the other charts are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trenova_schedules.dashboard._words import plural
from trenova_schedules.worker_pools import PoolDetail, PoolPoint

WIDTH: Final = 1200
HIGH: Final = 120
"""Of workers; tasks that waited have :data:`LOW` below the line."""
LOW: Final = 70
_GAP: Final = 1
_SMALLEST: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class PoolBar:
    """One part of the time.

    Attributes:
        x: Its left edge.
        width: Its width.
        workers: Height of those that ran.
        desired: How far above the line the number is that there should have been.
        backlog: Depth of what waited; 0 for nothing.
        words: What it says.
    """

    x: float
    width: float
    workers: float
    desired: float
    backlog: float
    words: str


@dataclass(frozen=True, kw_only=True)
class PoolChart:
    """The last hours of a pool.

    Attributes:
        bars: In order of time; what is not known has none.
        start: Where it begins.
        end: Where it ends.
        most_workers: How many workers fill the upper part.
        most_backlog: How many tasks fill the lower part; 0 where none waited.
    """

    bars: Sequence[PoolBar]
    start: datetime
    end: datetime
    most_workers: int
    most_backlog: float


def pool_chart(detail: PoolDetail, start: datetime, end: datetime) -> PoolChart | None:
    """Draw the past of a pool; None where nothing is known of it."""
    points = [one for one in detail.points if start <= one.at <= end]
    if not points or end <= start:
        return None
    workers = max([1, *(max(one.desired, one.workers or 0) for one in points)])
    backlog = max((one.backlog or 0 for one in points), default=0.0)
    width = timedelta(seconds=detail.part_s) / (end - start) * WIDTH
    return PoolChart(
        bars=[_bar(one, (one.at - start) / (end - start) * WIDTH, width, workers, backlog) for one in points],
        start=start,
        end=end,
        most_workers=workers,
        most_backlog=backlog,
    )


def _bar(point: PoolPoint, x: float, width: float, workers: int, backlog: float) -> PoolBar:
    waited = point.backlog or 0
    return PoolBar(
        x=round(x, 1),
        width=round(max(width - _GAP, 1), 1),
        workers=round((point.workers or 0) / workers * HIGH, 1),
        desired=round(point.desired / workers * HIGH, 1),
        backlog=max(round(waited / backlog * LOW, 1), _SMALLEST) if waited else 0,
        words=_words(point),
    )


def _words(point: PoolPoint) -> str:
    there = "workers not counted" if point.workers is None else plural(point.workers, "worker")
    waited = "what waited is not known" if point.backlog is None else f"{plural(round(point.backlog), 'task')} waited"
    return f"{point.at:%Y-%m-%d %H:%M} UTC: {there} of {point.desired}, {waited}"
