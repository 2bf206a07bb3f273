"""One class for each expected tick, from what is known; a pure function.

A run that is there decides first. Where there is none, what is certain decides in this order: the specification in
force, pauses, overlaps, outages. What is left is compared with what the server has counted between two looks.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from trenova_schedules._tick import TickClass
from trenova_schedules.ledger._counted import Counted
from trenova_schedules.ledger._evidence import Evidence, Overlap, Run, VersionInForce
from trenova_schedules.ledger._fates import Fates
from trenova_schedules.ledger._pauses import Pauses
from trenova_schedules.ledger._runs import RunIndex, Versions
from trenova_schedules.ledger._settling import PAUSED_AT_ITS_TURN
from trenova_schedules.ledger._words import MADE_UP, duration

SHORTEST_MARGIN_S = 60
"""Seconds that every run is granted before it is late."""
_NOTICEABLE_S = 1.5
_CATCHING_UP_S = 60
_SEEN_S = 5  # within which the scheduler does what is due, and visibility shows it
_BUFFERS = frozenset({Overlap.BUFFER_ONE, Overlap.BUFFER_ALL})
_REPLACES = frozenset({Overlap.CANCEL_OTHER, Overlap.TERMINATE_OTHER})
_WAITS = _BUFFERS | _REPLACES


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one tick.

    Attributes:
        at: The tick.
        state: Its class.
        reason: Why, for people; empty where the class says it all.
        run: Its run, where there is one: its own, or else that of a backfill, which leaves the class as it was.
    """

    at: int
    state: TickClass
    reason: str = ""
    run: Run | None = None


def classify(ticks: Sequence[int], evidence: Evidence) -> list[Verdict]:
    """Give each expected tick exactly one class.

    Args:
        ticks: Expected fires in unix seconds, in order and each once, jitter included; also those still to come.
        evidence: What is known of the schedule.

    Returns:
        One verdict for each tick, in the same order.
    """
    judge = _Judge(ticks, evidence)
    verdicts = [judge.first(tick) for tick in ticks]
    counted = Counted(evidence.looks, judge.fates.all_known)
    for tick, verdict in zip(ticks, verdicts, strict=True):
        judge.count(tick, verdict, counted)
    settled = counted.settle(judge.fates)
    found = (
        Verdict(tick, *settled[tick]) if tick in settled or verdict is None else verdict
        for tick, verdict in zip(ticks, verdicts, strict=True)
    )
    return [judge.with_backfill(verdict) for verdict in found]


class _Judge:
    """What is certain about each tick without counters."""

    def __init__(self, ticks: Sequence[int], evidence: Evidence) -> None:
        self._evidence = evidence
        self._versions = Versions(evidence.versions)
        self._margin = max(SHORTEST_MARGIN_S, evidence.margin_s)
        self._pauses = Pauses(evidence.pauses)
        self._outages = [outage.from_at for outage in evidence.outages]
        self._index = RunIndex(ticks, evidence.runs, self._versions)
        self.fates = Fates(evidence, self._versions, self._index)
        self._ticks = ticks
        self._waited: dict[float, int] = {}  # by the end of the run before, the tick that waited for it
        self._buffered = 0  # ticks seen so far that may be those in the buffer
        self._catching_up_from = self._late_just_now()

    def with_backfill(self, verdict: Verdict) -> Verdict:
        """Return the verdict with the run that a backfill gave a tick which has none of its own."""
        run = self._index.backfilled(verdict.at)
        if run is None or verdict.run is not None:
            return verdict
        return replace(verdict, run=run, reason="; ".join(filter(None, (verdict.reason, MADE_UP))))

    def count(self, tick: int, verdict: Verdict | None, counted: Counted) -> None:
        """Tell what a tick means for the counters."""
        if verdict is None:
            counted.open(tick)
        elif verdict.state is TickClass.MISSED_CATCHUP:
            counted.missed(tick)
        elif verdict.state is TickClass.SKIPPED_OVERLAP:
            counts = self.fates.counts_skips(tick)
            if self.fates.may_miss(tick):
                counted.overlapped(tick, counted=counts)
            elif counts:
                counted.skipped(tick)
        elif verdict.run is None and verdict.state is not TickClass.PAUSED and self.fates.may_miss(tick):
            counted.unsure(tick)

    def _late_just_now(self) -> int | None:
        """Return the tick at which a schedule stands that is catching up now, if it is."""
        latest = max(self._evidence.runs, key=lambda run: run.started, default=None)
        if latest is None or latest.started <= self._evidence.now - _CATCHING_UP_S:
            return None
        late = latest.started - latest.nominal > self._margin
        return latest.nominal if late and not self._index.waited(latest.nominal, latest) else None

    def first(self, tick: int) -> Verdict | None:
        """Return what is certain; None where only counters can tell."""
        version = self._versions.at(tick)
        if (run := self._index.of(tick)) is not None:
            return self._began(tick, run, version)
        if tick > self._evidence.now:
            return Verdict(tick, TickClass.PENDING)
        if version is None or self._versions.next_to_change(tick):
            return Verdict(tick, TickClass.INCONCLUSIVE, "nobody saw which specification was in force")
        if tick < self._evidence.runs_from:
            return Verdict(tick, TickClass.INCONCLUSIVE, "runs of that time are no longer kept")
        if self._pauses.certain(tick):
            return Verdict(tick, TickClass.PAUSED)
        return self._absent(tick, version)

    def _began(self, tick: int, run: Run, version: VersionInForce | None) -> Verdict:
        delay = run.started - tick
        buffers = version is not None and version.overlap in _WAITS
        if buffers and delay > _NOTICEABLE_S and self._index.waited(tick, run):
            return Verdict(tick, TickClass.DELAYED_OVERLAP, f"waited {duration(delay)} for the run before it", run)
        if delay > self._margin:
            return Verdict(tick, TickClass.LATE, f"began {duration(delay)} after its time", run)
        return Verdict(tick, TickClass.ON_TIME, run=run)

    def _absent(self, tick: int, version: VersionInForce) -> Verdict | None:
        for judged in (self._missed, self._skipped, self._catches_up, self._buffers, self._recent, self._near_pause):
            if (verdict := judged(tick, version)) is not None:
                return verdict
        return None

    def _missed(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where an outage outlived the catch-up window."""
        ended = self._outage_end(tick)
        if ended is None or ended - tick <= version.catchup_s:
            return None
        said = f"nothing could start it for {duration(ended - tick)}, and the catch-up window is "
        return Verdict(tick, TickClass.MISSED_CATCHUP, said + duration(version.catchup_s))

    def _skipped(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where another run was in the way and the policy gives way."""
        reason, busy = "", self._index.busy_until(tick)
        if version.overlap is Overlap.SKIP and busy is not None:
            reason = "another run was under way"
        elif version.overlap is Overlap.BUFFER_ONE and self._index.waiting(tick):
            first = self._index.caught_up(tick)  # the second of those that were caught up on waited for it
            if first is not None and first.closed is not None and self._pauses.certain(first.closed):
                return self._turn_of_one(tick, first.closed, version, TickClass.PAUSED)
            reason = "another run was already waiting"
        elif version.overlap in _REPLACES and (self._index.replaced(tick) or self._outlived(tick)):
            reason = "a later tick took its place before it could begin"
        return Verdict(tick, TickClass.SKIPPED_OVERLAP, reason) if reason else None

    def _catches_up(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where the schedule will still come to the tick."""
        outage = bisect_right(self._outages, tick) - 1
        if outage >= 0 and self._evidence.outages[outage].to_at is None:
            return Verdict(tick, TickClass.PENDING, "nothing can start it now")
        begun = self._catching_up_from
        if begun is not None and tick > begun and self._evidence.now - tick <= version.catchup_s:
            return Verdict(tick, TickClass.PENDING, "the schedule is catching up")
        return None

    def _buffers(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where a tick may be one of those that wait for the run under way."""
        if version.overlap not in _WAITS or self._index.busy_until(tick) != inf:
            return None
        if version.overlap in _REPLACES:
            return self._turn_of_one(tick, self._evidence.now, version, TickClass.PENDING)
        look = self._evidence.looks[-1] if self._evidence.looks else None
        if look is None or tick > look.at:
            return Verdict(tick, TickClass.PENDING, "waits for the run before it")
        if version.overlap is Overlap.BUFFER_ALL:  # which of them found the buffer full shows when it is empty
            said = f"waits for the run before it, one of at most {look.buffer_size}"
            return Verdict(tick, TickClass.PENDING, said) if look.buffer_size else None
        self._buffered += 1
        if self._buffered <= look.buffer_size:
            return Verdict(tick, TickClass.PENDING, "waits for the run before it")
        return Verdict(tick, TickClass.SKIPPED_OVERLAP, "another run was already waiting")

    def _recent(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where a run would still be on time, and within the catch-up window."""
        granted = min(self._margin, version.catchup_s + _SEEN_S)
        return Verdict(tick, TickClass.PENDING) if tick > self._evidence.now - granted else None

    def _near_pause(self, tick: int, version: VersionInForce) -> Verdict | None:
        """Return the verdict where a pause may be the reason."""
        turn = self._index.busy_until(tick) if version.overlap in _WAITS else None
        if turn is not None and self._pauses.certain(turn):
            if version.overlap is not Overlap.BUFFER_ALL:
                return self._turn_of_one(tick, turn, version, TickClass.PAUSED)
            self.fates.note_paused_at_its_turn(tick)  # unless they found the buffer full, which only a counter tells
        if self._pauses.possible(tick):
            return Verdict(tick, TickClass.INCONCLUSIVE, "it was paused or resumed about then, nobody saw when")
        return None

    def _turn_of_one(self, tick: int, turn: float, version: VersionInForce, fate: TickClass) -> Verdict:
        """Return the verdict where one tick waits or waited for its turn; the policy says which of several that is."""
        if version.overlap is Overlap.BUFFER_ONE and self._waited.setdefault(turn, tick) != tick:
            return Verdict(tick, TickClass.SKIPPED_OVERLAP, "another run was already waiting")
        following = bisect_right(self._ticks, tick)
        if version.overlap in _REPLACES and following < len(self._ticks):
            later = self._ticks[following]
            if later < turn and not self._pauses.certain(later):
                return Verdict(tick, TickClass.SKIPPED_OVERLAP, "a later tick took its place before it could begin")
        return Verdict(tick, fate, PAUSED_AT_ITS_TURN if fate is TickClass.PAUSED else "waits for the run before it")

    def _outlived(self, tick: int) -> bool:
        """Whether a later tick of the same outage has a run, which the policy lets replace earlier ones."""
        ended = self._outage_end(tick)
        return ended is not None and self._index.has_later(tick, ended)

    def _outage_end(self, tick: int) -> int | None:
        """Return the end of the outage around a tick, now for one that goes on; None without an outage."""
        found = bisect_right(self._outages, tick) - 1
        if found < 0:
            return None
        ended = self._evidence.outages[found].to_at
        if ended is None:
            return self._evidence.now
        return ended if tick <= ended else None
