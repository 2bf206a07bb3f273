"""Ticks that only the server's counters can explain.

Between two looks a counter tells how many ticks met a fate, not which. Neighbouring looks that do not come out even
are taken together, since the server counts a tick when it deals with it, which may be after the next look.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise

from trenova_schedules._tick import TickClass
from trenova_schedules.ledger._evidence import Look
from trenova_schedules.ledger._runs import RunIndex

_UNNOTICED_S = 60
"""Seconds for which the server may take a run for running that has ended."""

_NO_REASON = (TickClass.REAL_MISS, "the server counted nothing that would explain it")

PAUSED_AT_ITS_TURN = "when its turn came after the run before it"

Settled = tuple[int, TickClass, str]


@dataclass(slots=True)
class _Span:
    """What was counted between two looks, less what is explained already."""

    end: int
    missed: int
    skipped: int
    dropped: int
    ticks: list[int] = field(default_factory=list)
    overlapped: list[int] = field(default_factory=list)

    @property
    def is_even(self) -> bool:
        """Whether nothing is left to explain."""
        return not self.ticks and self.missed <= 0 and self.dropped <= 0


class Counted:
    """Compares open ticks with counters.

    Args:
        looks: In order of time.
        skipped: Ticks that are known to be skipped by overlap.
        missed: Ticks that are known to have missed the catch-up window.
    """

    def __init__(self, looks: Sequence[Look], *, skipped: Sequence[int], missed: Sequence[int]) -> None:
        self._begins = looks[0].at if looks else None
        self._spans = [
            _Span(
                after.at,
                after.missed_catchup - before.missed_catchup,
                after.skipped_overlap - before.skipped_overlap,
                after.buffer_dropped - before.buffer_dropped,
            )
            for before, after in pairwise(looks)
        ]
        self._ends = [span.end for span in self._spans]
        for tick in skipped:
            if (span := self._around(tick)) is not None:
                span.skipped -= 1
                span.overlapped.append(tick)
        for tick in missed:
            if (span := self._around(tick)) is not None:
                span.missed -= 1

    def doubt(
        self, may_miss: Callable[[int], bool], sign_after: Callable[[int], float]
    ) -> dict[int, tuple[TickClass, str]]:
        """Return the classes of ticks for which another run was in the way, but the server counted something else.

        An outage that began while one run was under way looks like that: the ticks in it were missed, not skipped.

        Args:
            may_miss: Whether nothing shows that the server was there within the catch-up window after a tick.
            sign_after: When the server was there for the first time after a tick.
        """
        found: dict[int, tuple[TickClass, str]] = {}
        missed = (TickClass.MISSED_CATCHUP, "by the server's count")
        unknown = (TickClass.INCONCLUSIVE, "skipped by overlap or missed by the catch-up window, nobody knows")
        for span in self._spans:
            excess = min(-span.skipped, span.missed)
            ticks = [tick for tick in span.overlapped if may_miss(tick)] if excess > 0 else []
            if not ticks:
                continue
            spare = max(0, len(ticks) - excess)
            if spare and len(set(map(sign_after, ticks))) > 1:
                spare = len(ticks)
            found.update(dict.fromkeys(ticks, unknown if spare else missed))
            # Those of one outage follow each other: wherever they begin, these are among them.
            found.update(dict.fromkeys(ticks[spare : len(ticks) - spare], missed))
            span.missed -= min(len(ticks), excess)
        return found

    def settle(
        self, ticks: Sequence[int], index: RunIndex, paused: AbstractSet[int], may_miss: Callable[[int], bool]
    ) -> Iterator[Settled]:
        """Yield a class and a reason for each tick, in order.

        Args:
            ticks: Those without a run that nothing else explains, in order.
            index: Runs, which show where one had just ended.
            paused: Those whose turn came while the schedule was paused, unless they found the buffer full.
            may_miss: Whether nothing shows that the server was there within the catch-up window after a tick.
        """
        found: dict[int, tuple[TickClass, str]] = {}
        for tick in ticks:
            if (span := self._around(tick)) is None:
                found[tick] = (TickClass.INCONCLUSIVE, "nobody has looked at the counters around that time")
            else:
                span.ticks.append(tick)
        for group in self._groups():
            found.update(_settle_group(group, index, paused, may_miss))
        for tick in ticks:
            yield (tick, *found[tick])

    def _around(self, tick: int) -> _Span | None:
        if self._begins is None or tick < self._begins:
            return None
        found = bisect_left(self._ends, tick)
        return self._spans[found] if found < len(self._spans) else None

    def _groups(self) -> Iterator[list[_Span]]:
        group: list[_Span] = []
        for span in self._spans:
            if span.is_even:
                if group:
                    yield group
                group = []
            else:
                group.append(span)
        if group:
            yield group


def _settle_group(
    spans: Sequence[_Span], index: RunIndex, paused: AbstractSet[int], may_miss: Callable[[int], bool]
) -> Iterator[tuple[int, tuple[TickClass, str]]]:
    skipped = sum(max(0, span.skipped) for span in spans)  # triggers that were skipped are among them
    missed = max(0, sum(span.missed for span in spans))
    rest = []
    for tick in (tick for span in spans for tick in span.ticks):
        if skipped > 0 and index.just_ended(tick, _UNNOTICED_S) and not (missed and may_miss(tick)):
            skipped -= 1
            yield tick, (TickClass.SKIPPED_OVERLAP, "the server had not noticed yet that the run before had ended")
        else:
            rest.append(tick)
    dropped = max(0, sum(span.dropped for span in spans))
    if not dropped and not missed:
        yield from ((tick, (TickClass.PAUSED, PAUSED_AT_ITS_TURN)) for tick in rest if tick in paused)
        rest = [tick for tick in rest if tick not in paused]
    if dropped and not missed:  # only a run that is in the way fills a buffer
        yield from ((tick, _NO_REASON) for tick in rest if index.busy_until(tick) is None)
        rest = [tick for tick in rest if index.busy_until(tick) is not None]
    if missed and not dropped:
        fine = [tick for tick in rest if not may_miss(tick)]
        for tick in fine:
            yield tick, (TickClass.PAUSED, PAUSED_AT_ITS_TURN) if tick in paused else _NO_REASON
        rest = [tick for tick in rest if may_miss(tick)]
    verdict = _one_for_all(len(rest), missed, dropped)
    if dropped and not paused.isdisjoint(rest):
        verdict = (TickClass.INCONCLUSIVE, "it found the buffer full or waited until a pause, nobody knows")
    for tick in rest:
        yield tick, verdict


def _one_for_all(ticks: int, missed: int, dropped: int) -> tuple[TickClass, str]:
    if missed == dropped == 0:
        return _NO_REASON
    if missed >= ticks and not dropped:
        return TickClass.MISSED_CATCHUP, "by the server's count"
    if dropped >= ticks and not missed:
        return TickClass.DROPPED_BUFFER, "by the server's count"
    counted = [f"{missed} missed the catch-up window"] if missed else []
    counted += [f"{dropped} found the buffer full"] if dropped else []
    return TickClass.INCONCLUSIVE, f"of {ticks} ticks without a run {' and '.join(counted)}, nobody knows which"
