"""What became of the ticks between two looks, as far as the counters decide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from trenova_schedules._tick import TickClass
from trenova_schedules.ledger._fates import Fates

PAUSED_AT_ITS_TURN = "when its turn came after the run before it"

Settled = tuple[TickClass, str]

_NO_REASON = (TickClass.REAL_MISS, "the server counted nothing that would explain it")
_MISSED = (TickClass.MISSED_CATCHUP, "by the server's count")
_DROPPED = (TickClass.DROPPED_BUFFER, "by the server's count")
_UNNOTICED = (TickClass.SKIPPED_OVERLAP, "the server had not noticed yet that the run before had ended")
_EITHER = (TickClass.INCONCLUSIVE, "skipped by overlap or missed by the catch-up window, nobody knows")
_SKIPPED_OR_LOST = (TickClass.INCONCLUSIVE, "skipped by overlap or really missed, nobody knows")
_FULL_OR_PAUSED = (TickClass.INCONCLUSIVE, "it found the buffer full or waited until a pause, nobody knows")


@dataclass(slots=True)
class Span:
    """What was counted between two looks, less what is explained already.

    Attributes:
        end: When the later look was.
        missed: Ticks that missed the catch-up window; the server counts nothing else there.
        skipped: Ticks that were skipped by overlap, and triggers and backfills that were: at most so many ticks.
        dropped: Starts that found the buffer full.
        is_whole: Whether every tick between the looks is known.
        unsure: Ticks that stay undecided, each of which may have been counted.
        open: Ticks without a run that nothing else explains.
        overlapped: Ticks with a run in their way, which the server counts as skipped; or as missed, if it was away.
        replaced: The same where the server counts none that are skipped.
    """

    end: int
    missed: int
    skipped: int
    dropped: int
    is_whole: bool
    unsure: int = 0
    open: list[int] = field(default_factory=list)
    overlapped: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)

    @property
    def has_moved(self) -> bool:
        """Whether any counter counts something that is not explained yet."""
        return self.missed > 0 or self.skipped > 0 or self.dropped > 0

    @property
    def lacks_skipped(self) -> bool:
        """Whether fewer ticks were counted as skipped than had a run in their way."""
        return self.skipped < len(self.overlapped)

    @property
    def is_even(self) -> bool:
        """Whether nothing is left to explain."""
        return not self.open and self.missed <= 0 and self.dropped <= 0 and not self.lacks_skipped


def settle_group(span: Span, fates: Fates) -> Iterator[tuple[int, Settled]]:
    """Yield open ticks with class and reason, and those with a run in their way that are not simply skipped.

    Args:
        span: Between two looks, or several of them taken together.
        fates: What could have become of a tick.
    """
    away = [tick for tick in span.open if fates.may_miss(tick)]
    least, most = _missed_in_the_way(span, len(away))
    yield from _in_the_way(sorted(span.overlapped + span.replaced), least, most, fates)
    missed = _at_least(span, max(0, span.missed)) - most, max(0, span.missed) - least
    skipped = span.skipped - max(0, len(span.overlapped) - most)
    rest = dict.fromkeys(span.open)
    if missed[0] < len(away):
        for tick, settled in _just_ended(span, skipped, missed[1], fates):
            del rest[tick]
            yield tick, settled
    doubtful = sum(tick not in rest for tick in away)
    yield from _without_reason(list(rest), (missed[0] - doubtful, missed[1]), span, fates)


def _at_least(span: Span, counted: int) -> int:
    """Return how many of those that were counted are certainly among the known ticks."""
    return max(0, counted - span.unsure) if span.is_whole else 0


def _missed_in_the_way(span: Span, away: int) -> tuple[int, int]:
    """Return how many of the ticks with a run in their way missed the catch-up window, at least and at most."""
    ticks, missed = len(span.overlapped) + len(span.replaced), max(0, span.missed)
    most = min(ticks, missed)
    least = max(0, _at_least(span, missed) - away)
    if not span.replaced:
        least = max(least, ticks - max(0, span.skipped))
    least = min(least, most)
    comes_out = not span.replaced and span.skipped == ticks - least
    explains_all = missed - least == away
    return least, least if span.is_whole and (comes_out or explains_all) else most


def _in_the_way(ticks: Sequence[int], least: int, most: int, fates: Fates) -> Iterator[tuple[int, Settled]]:
    if not ticks or not most:
        return
    spare = len(ticks) - least
    for _, outage in groupby(ticks, fates.sign_after):
        of_one = list(outage)
        for number, tick in enumerate(of_one):
            # Those that were missed follow each other: wherever they begin, the ones in the middle are among them.
            yield tick, _MISSED if spare <= number < len(of_one) - spare else _EITHER


def _just_ended(span: Span, skipped: int, missed: int, fates: Fates) -> Iterator[tuple[int, Settled]]:
    """Yield those that the server may have skipped as it had not noticed yet that a run had ended."""
    ticks = [tick for tick in span.open if fates.may_skip(tick)] if skipped > 0 else []
    away = {tick for tick in ticks if missed and fates.may_miss(tick)}
    counted = span.is_whole and skipped >= len(ticks) - len(away)
    for tick in ticks:
        if tick in away:
            yield tick, _EITHER
        else:
            yield tick, _UNNOTICED if counted else _SKIPPED_OR_LOST


def _without_reason(
    ticks: Sequence[int], missed: tuple[int, int], span: Span, fates: Fates
) -> Iterator[tuple[int, Settled]]:
    dropped = max(0, span.dropped)
    full = {tick for tick in ticks if dropped and fates.may_drop(tick)}
    away = {tick for tick in ticks if missed[1] > 0 and fates.may_miss(tick)}
    if full.isdisjoint(away):
        of_full = _one_for_all(len(full), (0, 0), (_at_least(span, dropped), dropped))
        of_away = _one_for_all(len(away), missed, (0, 0))
    else:
        of_full = of_away = _one_for_all(len(full | away), missed, (_at_least(span, dropped), dropped))
    for tick in ticks:
        paused = fates.paused_at_its_turn(tick)
        if tick in full:
            yield tick, _FULL_OR_PAUSED if paused else of_full
        elif tick in away:
            yield tick, of_away
        else:
            yield tick, (TickClass.PAUSED, PAUSED_AT_ITS_TURN) if paused else _NO_REASON


def _one_for_all(ticks: int, missed: tuple[int, int], dropped: tuple[int, int]) -> Settled:
    """Return what holds for each of some ticks, given how many were missed and dropped at least and at most."""
    if missed[0] >= ticks and not dropped[1]:
        return _MISSED
    if dropped[0] >= ticks and not missed[1]:
        return _DROPPED
    counted = [f"{missed[1]} missed the catch-up window"] if missed[1] else []
    counted += [f"{dropped[1]} found the buffer full"] if dropped[1] else []
    said = f"of {ticks} ticks without a run {' and '.join(counted)}, nobody knows which"
    if missed[1] + dropped[1] >= ticks:
        said = f"{' and '.join(counted)}, but nobody knows whether these"
    return TickClass.INCONCLUSIVE, said
