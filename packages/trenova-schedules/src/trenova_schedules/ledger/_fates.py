"""What could have become of a tick, counters apart."""

from bisect import bisect_right

from trenova_schedules.ledger._evidence import Evidence, Overlap
from trenova_schedules.ledger._runs import RunIndex, Versions

_ALIVE_S = 2  # that a sign of the server has to be off the ends of a catch-up window
_UNNOTICED_S = 60
"""Seconds for which the server may take a run for running that has ended."""
_COUNTS = frozenset({Overlap.SKIP, Overlap.BUFFER_ONE})


class Fates:
    """Answers for one schedule.

    Args:
        evidence: What is known of it.
        versions: Of the evidence.
        index: Of the runs of the evidence.
    """

    def __init__(self, evidence: Evidence, versions: Versions, index: RunIndex) -> None:
        self._versions, self._index = versions, index
        self._now, self._ticks_from = evidence.now, evidence.ticks_from
        ends = (run.closed for run in evidence.runs if run.closed is not None)
        looks = (look.at for look in evidence.looks)
        self._signs = sorted([*(run.started for run in evidence.runs), *ends, *looks])
        self._paused_at_their_turn: set[int] = set()

    def may_miss(self, tick: int) -> bool:
        """Whether nothing shows that the server was there within the catch-up window after a tick."""
        version = self._versions.at(tick)
        return version is None or self.sign_after(tick) - tick > version.catchup_s - _ALIVE_S

    def sign_after(self, tick: int) -> float:
        """Return when something shows for the first time that the server was there after a tick."""
        found = bisect_right(self._signs, tick + _ALIVE_S)
        return self._signs[found] if found < len(self._signs) else self._now

    def counts_skips(self, tick: int) -> bool:
        """Whether the server counts a tick that its overlap policy skips; not those that a later one replaces."""
        version = self._versions.at(tick)
        return version is not None and version.overlap in _COUNTS

    def may_skip(self, tick: int) -> bool:
        """Whether the server may have taken a run for running that had just ended, and skipped the tick."""
        return self.counts_skips(tick) and self._index.just_ended(tick, _UNNOTICED_S)

    def may_drop(self, tick: int) -> bool:
        """Whether a run was in the way, without which no buffer fills."""
        return self._index.busy_until(tick) is not None

    def note_paused_at_its_turn(self, tick: int) -> None:
        """Keep that the schedule was paused when the turn of a tick came, unless it found the buffer full."""
        self._paused_at_their_turn.add(tick)

    def paused_at_its_turn(self, tick: int) -> bool:
        """Whether the schedule was paused when its turn came, unless it found the buffer full."""
        return tick in self._paused_at_their_turn

    def all_known(self, after: int, to: int) -> bool:
        """Whether all ticks after a time and up to another are given."""
        return after >= self._ticks_from and self._versions.cover(after, to)
