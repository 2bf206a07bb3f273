"""How many runs start when, by task queue."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from trenova_schedules.dashboard.overview._described import Described
from trenova_schedules.dashboard.overview._expected import Expected, ExpectedFires
from trenova_schedules.dashboard.overview._wanted import Span

OTHERS: Final = "other task queues"
_NAMED: Final = 5
"""Task queues that are told apart; the others are put together."""
_LENGTHS: Final = {
    Span.DAY: (timedelta(days=1), timedelta(hours=1)),
    Span.WEEK: (timedelta(days=7), timedelta(hours=6)),
}
"""How far ahead, and how long a slot is."""
_MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A part of the time ahead.

    Attributes:
        start: Its beginning; of the first one, now is later.
        end: Its end, itself left out; of the last one, where the time ahead ends.
        counts: Fires by task queue, in the order of the load's queues; those without any are left out.
    """

    start: datetime
    end: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of its fires."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class Load:
    """The time ahead.

    Attributes:
        span: How far ahead.
        slots: In order.
        queues: Fires by task queue, the fullest first, :data:`OTHERS` last.
        crowd: Most schedules that fire in one minute.
        crowded: That minute; the first of several. None where nothing fires.
        schedules: How many schedules are counted.
        uncounted: Of how many it is not known yet when they fire.
        paused: How many are left out because they are paused.
        dense: Schedules that fire so often that not all of it is counted.
    """

    span: Span
    slots: Sequence[Slot]
    queues: Mapping[str, int]
    crowd: int
    crowded: datetime | None
    schedules: int
    uncounted: int
    paused: int
    dense: Sequence[str]

    @property
    def total(self) -> int:
        """All fires."""
        return sum(self.queues.values())

    @property
    def busiest(self) -> Slot:
        """The fullest part; the first of several."""
        return max(self.slots, key=lambda slot: slot.total)


def load_of(looks: Sequence[Described], expected: ExpectedFires, span: Span, now: datetime, *, unknown: int) -> Load:
    """Count fires.

    Args:
        looks: At the schedules; those that are paused do not count.
        expected: When they fire, as far as that is known.
        span: How far ahead.
        now: The present.
        unknown: How many more schedules there are that nobody has looked at yet.
    """
    active = [look for look in looks if not look.document.paused]
    known = [(look, _ahead(look, times, now)) for look in active if (times := expected.of(look)) is not None]
    edges = _edges(span, now)
    per_slot, minutes = _counted(known, edges)
    whole = sum(per_slot, Counter({look.document.task_queue: 0 for look, _ in known}))
    named = [queue for queue, _ in sorted(whole.items(), key=lambda one: (-one[1], one[0]))[:_NAMED]]
    crowd = max(minutes.values(), default=0)
    until = int(edges[-1].timestamp())
    return Load(
        span=span,
        slots=[
            Slot(start=start, end=end, counts=_together(counts, named))
            for counts, (start, end) in zip(per_slot, pairwise(edges), strict=True)
        ],
        queues=_together(whole, named),
        crowd=crowd,
        crowded=datetime.fromtimestamp(min(at for at, found in minutes.items() if found == crowd), UTC)
        if crowd
        else None,
        schedules=len(known),
        uncounted=len(active) - len(known) + unknown,
        paused=len(looks) - len(active),
        dense=sorted(look.document.id for look, times in known if not times.whole and times.end < until),
    )


def _edges(span: Span, now: datetime) -> list[datetime]:
    """Return where slots begin: at full hours, and the last one ends as long after now as is looked ahead."""
    ahead, length = _LENGTHS[span]
    begin, end = now.replace(minute=0, second=0, microsecond=0), now + ahead
    return [*(begin + number * length for number in range(-(-(end - begin) // length))), end]


def _ahead(look: Described, times: Expected, now: datetime) -> Expected:
    """Return the fires that are still to come: no more than the schedule may still start."""
    first = bisect_left(times.times, int(now.timestamp()))
    left = look.document.remaining_actions
    return replace(times, times=times.times[first:] if left is None else times.times[first : first + left])


def _counted(
    known: Sequence[tuple[Described, Expected]], edges: Sequence[datetime]
) -> tuple[list[Counter[str]], Counter[int]]:
    """Count fires by slot and task queue, and schedules by the minute, as unix seconds, in which they fire."""
    bounds = [int(edge.timestamp()) for edge in edges]
    slots: list[Counter[str]] = [Counter() for _ in bounds[1:]]
    minutes: Counter[int] = Counter()
    # Schedules that fire at the same times are counted once, and then as often as there are of them.
    alike = Counter((look.document.task_queue, look.fires, look.document.remaining_actions) for look, _ in known)
    of = {(look.document.task_queue, look.fires, look.document.remaining_actions): times for look, times in known}
    for key, many in alike.items():
        queue, times = key[0], of[key]
        for slot, (start, end) in zip(slots, pairwise(bounds), strict=True):
            if count := times.count(start, end):
                slot[queue] += count * many
        for minute in {at - at % _MINUTE for at in times.times if at < bounds[-1]}:
            minutes[minute] += many
    return slots, minutes


def _together(counts: Mapping[str, int], named: Sequence[str]) -> dict[str, int]:
    """Return counts in the order of the named ones, and what is not named as one."""
    found = {queue: counts[queue] for queue in named if counts.get(queue)}
    others = sum(count for queue, count in counts.items() if queue not in named)
    return {**found, OTHERS: others} if others else found
