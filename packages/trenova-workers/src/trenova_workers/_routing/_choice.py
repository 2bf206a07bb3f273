"""The choice among equivalent queues, and between a queue and its overflow. Pure: chance and time come in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trenova_workers._routing._load import QueueView
from trenova_workers._routing._rules import LoadOptions, Overflow


@dataclass(frozen=True, slots=True)
class Choice:
    """A queue, why, and which queues are behind from now on."""

    queue: str
    reason: str
    behind: frozenset[str]


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
    first, second = _two(views, random)
    waits = first.wait_s(now, options), second.wait_s(now, options)
    if waits[0] is None or waits[1] is None:
        return _unknown(views, (first, second), waits, options, behind)
    (low, less), (high, more) = sorted(((first.queue, waits[0]), (second.queue, waits[1])), key=lambda one: one[1])
    margin = options.margin_s + options.margin_ratio * less
    if high in behind:
        margin *= options.back_ratio
    if math.isinf(less) or more - less <= margin:
        said = f"{less:.1f} s and {more:.1f} s of wait are level" if not math.isinf(less) else "nobody polls either"
        return Choice(first.queue, f"any of {low!r} and {high!r}: {said}", behind - {low, high})
    reason = f"{less:.1f} s of expected wait, {_seconds(more)} on {high!r}"
    return Choice(low, reason, behind - {low} | {high})


def spills(over: float | None, first: float | None, overflow: Overflow, *, spilling: bool) -> tuple[bool, str]:
    """Return whether starts go to the overflow queue, and why.

    Args:
        over: Expected wait there; None when not known.
        first: Expected wait on the first queue.
        overflow: The thresholds.
        spilling: Whether they go there now.
    """
    if first is None:
        return False, "its wait is not known, so no overflow"
    limit = overflow.returns_below_s if spilling else overflow.above_wait_s
    said = f"{_seconds(first)} of expected wait, overflow above {limit:g} s"
    if first <= limit:
        return False, said
    if over is not None and over >= first:
        return False, f"{said}, but {_seconds(over)} on {overflow.queue!r}"
    return True, f"overflow: {said}"


def _two(views: Sequence[QueueView], random: Callable[[], float]) -> tuple[QueueView, QueueView]:
    one = int(random() * len(views))
    other = int(random() * (len(views) - 1))
    return views[one], views[other + (other >= one)]


def _unknown(
    views: Sequence[QueueView],
    pair: tuple[QueueView, QueueView],
    waits: tuple[float | None, float | None],
    options: LoadOptions,
    behind: frozenset[str],
) -> Choice:
    """Choose without figures; a queue where nobody polls is avoided even so."""
    for mine, other in ((0, 1), (1, 0)):
        if waits[mine] is None and waits[other] == math.inf:
            return Choice(pair[mine].queue, f"nobody polls {pair[other].queue!r}", behind | {pair[other].queue})
    nothing = ", ".join(repr(one.queue) for one, wait in zip(pair, waits, strict=True) if wait is None)
    reason = f"nothing is known of {nothing}"
    if options.unknown == "primary":
        return Choice(views[0].queue, f"primary: {reason}", behind)
    return Choice(pair[0].queue, f"any: {reason}", behind)


def _seconds(wait: float) -> str:
    return "endless" if math.isinf(wait) else f"{wait:.1f} s"
