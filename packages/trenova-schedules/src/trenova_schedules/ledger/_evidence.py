"""What classification is given: plain numbers in unix seconds, so that it stays fast and pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Overlap(IntEnum):
    """What happens to a tick while another run is there; numbers of ``temporal.api.enums.v1.ScheduleOverlapPolicy``."""

    SKIP = 1
    BUFFER_ONE = 2
    BUFFER_ALL = 3
    CANCEL_OTHER = 4
    TERMINATE_OTHER = 5
    ALLOW_ALL = 6


@dataclass(frozen=True, slots=True)
class Run:
    """One run that a schedule started.

    Attributes:
        nominal: The time for which it was meant: ``TemporalScheduledStartTime``, whole seconds, without jitter.
        started: When it began.
        closed: When it ended; None while it runs.
        workflow_id: Its workflow id.
        run_id: Its run id.
        status: In Temporal's words, such as ``COMPLETED``.
        backfilled: Whether a backfill of ours started it: not the schedule, and so neither in time nor late.
    """

    nominal: int
    started: float
    closed: float | None
    workflow_id: str = ""
    run_id: str = ""
    status: str = ""
    backfilled: bool = False


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A policy and the time in which it was in force.

    Attributes:
        from_at: Second in which it began; the tick of that very second belongs to the version before.
        to_at: Second in which it ended, whose tick still belongs to it; None for the one in force. Between a version
            and a later one that does not join it, nobody knows what was in force.
        overlap: What happens to a tick while another run is there.
        catchup_s: How late a run may still start.
        jitter_s: By how much a start may be delayed on purpose.
    """

    from_at: int
    to_at: int | None
    overlap: Overlap = Overlap.SKIP
    catchup_s: float = 365 * 86_400
    jitter_s: float = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause, between what is certain and what is possible.

    Attributes:
        from_at: The earliest second in which it can have begun.
        certain_from: Second since which it certainly was in force.
        certain_to: Second until which it certainly was; None if it goes on. Before ``certain_from``, nothing is.
        to_at: The latest second in which it can have ended; None if it goes on.
    """

    from_at: int
    certain_from: int
    certain_to: int | None
    to_at: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """The counters of a schedule at one moment; each counts since the schedule was created.

    Attributes:
        at: When.
        missed_catchup: Ticks whose catch-up window was over.
        skipped_overlap: Ticks, triggers and backfills that the overlap policy skipped.
        buffer_dropped: Starts that found the buffer full.
        buffer_size: Starts that wait at this moment.
    """

    at: int
    missed_catchup: int = 0
    skipped_overlap: int = 0
    buffer_dropped: int = 0
    buffer_size: int = 0


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nothing could be started.

    Attributes:
        from_at: Since when.
        to_at: When it was over; None if it is not.
    """

    from_at: int
    to_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one schedule for the time of the ticks to classify; every sequence in order of time.

    Attributes:
        runs: Those that the schedule started, also by hand: of the time of the ticks, and before it those that had not
            ended.
        versions: Policies in force.
        pauses: Certain and possible ones.
        looks: Counters; the first not later than the first tick, or ticks before it stay inconclusive where only
            counters can tell. When the schedule was created, all were zero.
        outages: Where they are known from elsewhere; what runs and counters show need not be among them.
        runs_from: Since when runs are known; older ones are no longer kept, or nobody asked.
        ticks_from: Since when every tick is given; counters may have moved for others before.
        now: When all this was read.
        margin_s: How late a run may begin and still be on time; at least a minute is granted.
    """

    runs: Sequence[Run]
    versions: Sequence[VersionInForce]
    pauses: Sequence[Pause] = field(default_factory=tuple)
    looks: Sequence[Look] = field(default_factory=tuple)
    outages: Sequence[Outage] = field(default_factory=tuple)
    runs_from: int = 0
    ticks_from: int = 0
    now: int
    margin_s: float = 60
