"""Which run belongs to which tick, and which runs were in whose way."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf

from trenova_schedules.ledger._evidence import Run, VersionInForce

_NOTICE_S = 10
"""Seconds within which the server starts what has waited for a run to end."""
_EARLY_S = 1
"""Seconds by which a run may seem to begin before its tick, as ticks are cut to the second."""


class Versions:
    """Finds the version in force at a tick.

    Args:
        versions: In order of time.
    """

    def __init__(self, versions: Sequence[VersionInForce]) -> None:
        self._versions = versions
        self._begins = [version.from_at for version in versions]

    def at(self, tick: int) -> VersionInForce | None:
        """Return the version in force, or None where nobody knows."""
        found = bisect_left(self._begins, tick) - 1
        if found < 0:
            return None
        version = self._versions[found]
        return version if version.to_at is None or tick <= version.to_at else None

    def cover(self, after: int, to: int) -> bool:
        """Whether a version is known for every second after one time and up to another."""
        found = max(0, bisect_right(self._begins, after) - 1)
        for version in self._versions[found:]:
            if version.from_at > after:
                return False
            if version.to_at is None or version.to_at >= to:
                return True
            after = version.to_at
        return False

    def next_to_change(self, tick: int) -> bool:
        """Whether the second of the tick is one in which a version begins."""
        found = bisect_left(self._begins, tick)
        return found < len(self._begins) and self._begins[found] == tick


class RunIndex:
    """Runs by tick and by time.

    Args:
        ticks: Expected fires in order, jitter included.
        runs: In any order.
        versions: Tell how much jitter there may be.
    """

    def __init__(self, ticks: Sequence[int], runs: Sequence[Run], versions: Versions) -> None:
        self._by_tick: dict[int, Run] = {}
        self._backfilled: dict[int, Run] = {}
        owned: list[tuple[int, Run]] = []
        extra: list[Run] = []
        for run in runs:
            if (tick := _tick_of(run, ticks, versions)) is None:
                extra.append(run)
                continue
            if run.backfilled:
                extra.append(run)
                self._backfilled.setdefault(tick, run)
                continue
            owned.append((tick, run))
            if tick not in self._by_tick or run.started < self._by_tick[tick].started:
                self._by_tick[tick] = run
        spans = sorted([*_in_turn(owned), *((run.started, run) for run in extra)], key=lambda span: span[0])
        self._begins = [begin for begin, _ in spans]
        self._runs = [run for _, run in spans]
        self._ends = list(accumulate((inf if run.closed is None else run.closed for _, run in spans), max))
        self._starts = list(accumulate((run.started for _, run in spans), max))
        self._closes = sorted(run.closed for run in runs if run.closed is not None)

    def of(self, tick: int) -> Run | None:
        """Return the run of a tick: of several, the one that began first."""
        return self._by_tick.get(tick)

    def backfilled(self, tick: int) -> Run | None:
        """Return the run that a backfill gave a tick; of several, the first of those given."""
        return self._backfilled.get(tick)

    def busy_until(self, tick: int) -> float | None:
        """Return when the runs ended that were waiting or under way at a tick; None if there was none.

        A run counts from its tick on, so that of several ticks that are caught up on together, the first is in the way
        of the others. For one that has not ended, the answer is infinity.
        """
        before = bisect_left(self._begins, tick)
        return self._ends[before - 1] if before > 0 and self._ends[before - 1] > tick else None

    def waiting(self, tick: int) -> bool:
        """Whether a run of an earlier tick had not begun yet at a tick."""
        before = bisect_left(self._begins, tick)
        return before > 0 and self._starts[before - 1] > tick

    def caught_up(self, tick: int) -> Run | None:
        """Return the run of the last tick before, if it was caught up on together with this one."""
        before = bisect_left(self._begins, tick)
        if before == 0 or (run := self._runs[before - 1]).started <= tick:
            return None
        return None if self.waited(int(self._begins[before - 1]), run) else run

    def replaced(self, tick: int) -> bool:
        """Whether the run that was in the way at a tick was still there when the next tick with a run came."""
        after = bisect_right(self._begins, tick)
        ended = self.busy_until(tick)
        return ended is not None and after < len(self._begins) and self._begins[after] < ended

    def has_later(self, tick: int, until: int) -> bool:
        """Whether a tick after this one, and not after ``until``, has a run."""
        after = bisect_right(self._begins, tick)
        return after < len(self._begins) and self._begins[after] <= until

    def just_ended(self, tick: int, within_s: float) -> bool:
        """Whether a run ended so shortly before a tick that the server need not have noticed."""
        found = bisect_right(self._closes, tick) - 1
        return found >= 0 and tick - self._closes[found] <= within_s

    def waited(self, tick: int, run: Run) -> bool:
        """Whether the run of a tick began just after another one ended that was there at the tick."""
        found = bisect_right(self._closes, run.started) - 1
        return found >= 0 and self._closes[found] > tick and run.started - self._closes[found] <= _NOTICE_S


def _in_turn(owned: list[tuple[int, Run]]) -> Iterator[tuple[float, Run]]:
    """Yield runs with the time from which each may be in the way of others.

    That is its tick, unless the run of a later tick began before it: then it was started out of turn, by a backfill.
    """
    earliest = inf
    for tick, run in sorted(owned, key=lambda pair: pair[0], reverse=True):
        yield (tick if run.started <= earliest else run.started), run
        earliest = min(earliest, run.started)


def _tick_of(run: Run, ticks: Sequence[int], versions: Versions) -> int | None:
    found = bisect_left(ticks, run.nominal)
    if found == len(ticks):
        return None
    tick = ticks[found]
    if tick == run.nominal:
        return tick
    version = versions.at(tick)
    jitter = 0 if version is None else version.jitter_s
    return tick if tick - run.nominal <= jitter and run.started >= tick - _EARLY_S else None
