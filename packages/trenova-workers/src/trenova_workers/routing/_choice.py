"""The choice among equivalent queues, and between a queue and its overflow. Pure: chance and time come in."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trenova_workers.routing._load import QueueView
from trenova_workers.routing._rules import LoadOptions, Overflow


class Choice(NamedTuple):
    """A queue, why, and which queues are behind from now on."""

    queue: str
    other: str
    """What it was compared with."""
    wait_s: float | None
    """Expected wait on ``queue``; None where it is not known."""
    other_wait_s: float | None
    level: bool
    """Whether chance decided."""
    behind: frozenset[str]

    def __str__(self) -> str:
        """Why, for people."""
        waits = f"{_seconds(self.wait_s)} of expected wait, {_seconds(self.other_wait_s)} on {self.other!r}"
        return f"{waits}: level, so chance or the order of the group decided" if self.level else waits


def choose(
    views: Sequence[QueueView],
    now: float,
    options: LoadOptions,
    *,
    behind: frozenset[str],
    random: Callable[[], float],
) -> Choice:
    """Take two queues at random and send to the one where work waits less.

    Within a margin they are level and chance decides. One that fell behind is level again only within a part of that
    margin, so noise around it does not move starts to and fro.

    Args:
        views: At least two queues, the primary first.
        now: On the clock of the readings.
        options: The margins, and what to do when nothing is known.
        behind: What the last choice returned; empty at first.
        random: Returns [0, 1).
    """
    one, other = _two(views, random)
    wait, other_wait = one.wait_s(now, options), other.wait_s(now, options)
    if wait is None or other_wait is None:
        return _unknown(views, (one, other), (wait, other_wait), options, behind)
    if other_wait < wait:
        low, less, high, more = other.queue, other_wait, one.queue, wait
    else:
        low, less, high, more = one.queue, wait, other.queue, other_wait
    margin = options.margin_s + options.margin_ratio * less
    if high in behind:
        margin *= options.back_ratio
    if math.isinf(less) or more - less <= margin:
        return Choice(one.queue, other.queue, wait, other_wait, level=True, behind=_without(behind, low, high))
    if high not in behind or low in behind:
        behind = _without(behind, low) | {high}
    return Choice(low, high, less, more, level=False, behind=behind)


class Spill(NamedTuple):
    """Whether starts go to an overflow queue, and why."""

    over: bool
    wait_s: float | None
    """Expected wait on the first queue; None where it is not known."""
    overflow_wait_s: float | None
    limit_s: float

    def __str__(self) -> str:
        """Why, for people."""
        said = f"{_seconds(self.wait_s)} of expected wait, overflow above {self.limit_s:g} s"
        if self.over or self.wait_s is None or self.wait_s <= self.limit_s:
            return said
        return f"{said}, but {_seconds(self.overflow_wait_s)} there"


def spills(there: float | None, first: float | None, overflow: Overflow, *, spilling: bool) -> Spill:
    """Decide whether starts go to the overflow queue: not while the first's wait is not known, nor to a longer wait.

    Args:
        there: Expected wait on the overflow queue; None when not known.
        first: Expected wait on the first queue.
        overflow: The thresholds.
        spilling: Whether they go there now.
    """
    limit = overflow.returns_below_s if spilling else overflow.above_wait_s
    over = first is not None and first > limit and (there is None or there < first)
    return Spill(over, first, there, limit)


def _two(views: Sequence[QueueView], random: Callable[[], float]) -> tuple[QueueView, QueueView]:
    one = int(random() * len(views))
    other = int(random() * (len(views) - 1))
    return views[one], views[other + (other >= one)]


def _without(behind: frozenset[str], *queues: str) -> frozenset[str]:
    return behind.difference(queues) if behind else behind


def _unknown(
    views: Sequence[QueueView],
    pair: tuple[QueueView, QueueView],
    waits: tuple[float | None, float | None],
    options: LoadOptions,
    behind: frozenset[str],
) -> Choice:
    """Choose without figures; a queue where nobody polls is avoided even so."""
    queues = pair[0].queue, pair[1].queue
    for mine, other in ((0, 1), (1, 0)):
        if waits[mine] is None and waits[other] == math.inf:
            return Choice(queues[mine], queues[other], None, math.inf, level=False, behind=behind | {queues[other]})
    if options.unknown == "primary":
        another = next(one for one in queues if one != views[0].queue)
        return Choice(views[0].queue, another, None, None, level=True, behind=behind)
    return Choice(*queues, *waits, level=True, behind=behind)


def _seconds(wait: float | None) -> str:
    if wait is None:
        return "an unknown time"
    return "endless" if math.isinf(wait) else f"{wait:.1f} s"
