"""Ticks that only the server's counters can explain.

Between two looks a counter tells how many ticks met a fate, not which. Neighbouring looks that do not come out even
are taken together, since the server counts a tick when it deals with it, which may be after the next look.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from trenova_schedules._tick import TickClass
from trenova_schedules.ledger._evidence import Look
from trenova_schedules.ledger._fates import Fates
from trenova_schedules.ledger._settling import Settled, Span, settle_group

_NEVER_COUNTED = (TickClass.INCONCLUSIVE, "nobody has looked at the counters around that time")
_EITHER = (TickClass.INCONCLUSIVE, "skipped by overlap or missed by the catch-up window, nobody has looked")


class Counted:
    """Compares ticks with counters.

    Args:
        looks: In order of time.
        is_known: Whether every tick after one time and up to another is among those that are compared; the counters
            may have moved for others where it is not.
    """

    def __init__(self, looks: Sequence[Look], is_known: Callable[[int, int], bool]) -> None:
        self._begins = looks[0].at if looks else None
        self._spans = [
            Span(
                after.at,
                after.missed_catchup - before.missed_catchup,
                after.skipped_overlap - before.skipped_overlap,
                after.buffer_dropped - before.buffer_dropped,
                is_whole=is_known(before.at, after.at),
            )
            for before, after in pairwise(looks)
        ]
        self._ends = [span.end for span in self._spans]
        self._outside: dict[int, Settled] = {}

    def missed(self, tick: int) -> None:
        """Take in a tick that certainly missed the catch-up window."""
        if (span := self._around(tick)) is not None:
            span.missed -= 1

    def skipped(self, tick: int) -> None:
        """Take in a tick that the server certainly skipped and counted."""
        if (span := self._around(tick)) is not None:
            span.skipped -= 1

    def unsure(self, tick: int) -> None:
        """Take in a tick that stays undecided, but may have been counted."""
        if (span := self._around(tick)) is not None:
            span.unsure += 1

    def overlapped(self, tick: int, *, counted: bool) -> None:
        """Take in a tick that was skipped, unless the server was away and it missed the catch-up window.

        Args:
            tick: With a run in its way.
            counted: Whether the server counts what its policy skips; not what a later tick replaces.
        """
        if (span := self._around(tick)) is not None:
            (span.overlapped if counted else span.replaced).append(tick)
        else:
            self._outside[tick] = _EITHER

    def open(self, tick: int) -> None:
        """Take in a tick without a run that nothing else explains."""
        if (span := self._around(tick)) is not None:
            span.open.append(tick)
        else:
            self._outside[tick] = _NEVER_COUNTED

    def settle(self, fates: Fates) -> dict[int, Settled]:
        """Return class and reason of all open ticks, and of those with a run in their way that are not skipped ones.

        Args:
            fates: What could have become of a tick.
        """
        found = dict(self._outside)
        for group in self._groups():
            found.update(settle_group(group, fates))
        return found

    def _around(self, tick: int) -> Span | None:
        if self._begins is None or tick < self._begins:
            return None
        found = bisect_left(self._ends, tick)
        return self._spans[found] if found < len(self._spans) else None

    def _groups(self) -> Iterator[Span]:
        """Yield spans that do not come out even, neighbours as one."""
        group: Span | None = None
        for span in self._spans:
            if not span.is_whole and span.has_moved:
                if group is not None:
                    yield group
                group = None
                yield span  # what moved its counters besides its ticks is no matter of its neighbours
            elif group is None:
                group = None if span.is_even else span
            elif span.is_even and not (group.lacks_skipped and span.skipped > len(span.overlapped)):
                yield group
                group = None
            else:
                group = _joined(group, span)
        if group is not None:
            yield group


def _joined(first: Span, second: Span) -> Span:
    return replace(
        second,
        missed=first.missed + second.missed,
        skipped=first.skipped + second.skipped,
        dropped=first.dropped + second.dropped,
        is_whole=True,
        unsure=first.unsure + second.unsure,
        open=first.open + second.open,
        overlapped=first.overlapped + second.overlapped,
        replaced=first.replaced + second.replaced,
    )
