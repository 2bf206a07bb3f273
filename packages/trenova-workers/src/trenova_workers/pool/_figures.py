"""What the server says of a pool's queues and workers: one reading for a decision."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from trenova_workers._fleet._status import CUSTOM, SlotUse, WorkerStatus


@dataclass(frozen=True)
class Figures:
    """One reading of a pool's queues, all kinds of tasks added up; None is what could not be read.

    Attributes:
        read_at: When it was true.
        backlog: Tasks that wait.
        backlog_age_s: Seconds that the oldest has waited.
        arrival_rate: Tasks per second that came.
        dispatch_rate: Tasks per second that were taken.
        rate_limited: Whether the server holds tasks back.
        open_workflows: Workflows of the queues that run.
        workers: Every process that the server knows of on these queues.
        missing: What could not be read and why, a sentence each.
        at: When it was read; that of which the workers' heartbeats are so many seconds old.
    """

    read_at: datetime | None
    backlog: float | None = None
    backlog_age_s: float | None = None
    arrival_rate: float | None = None
    dispatch_rate: float | None = None
    rate_limited: bool = False
    open_workflows: float | None = None
    workers: Sequence[WorkerStatus] = ()
    missing: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """What the server keeps for some seconds and then says again."""
        return self.backlog, self.backlog_age_s, self.arrival_rate, self.dispatch_rate

    @property
    def idle(self) -> bool:
        """Whether there is nothing at all, which may well be true twice."""
        return not any(self.numbers)


@dataclass(frozen=True)
class QueueStats:
    """What the server says of one kind of tasks of one queue."""

    backlog: float
    age_s: float
    add_rate: float
    dispatch_rate: float
    rate_limited: bool

    @property
    def makes_sense(self) -> bool:
        """Whether every number is one."""
        numbers = (self.backlog, self.age_s, self.add_rate, self.dispatch_rate)
        return all(math.isfinite(one) and one >= 0 for one in numbers)


def added_up(stats: Sequence[QueueStats]) -> dict[str, float | bool]:
    """Return the figures of several queues and kinds of tasks as those of one."""
    return {
        "backlog": sum(one.backlog for one in stats),
        "backlog_age_s": max((one.age_s for one in stats), default=0.0),
        "arrival_rate": sum(one.add_rate for one in stats),
        "dispatch_rate": sum(one.dispatch_rate for one in stats),
        "rate_limited": any(one.rate_limited for one in stats),
    }


@dataclass(frozen=True)
class SlotCount:
    """Slots of one or several processes; ``total`` is None where their supplier does not tell: resizable ones."""

    used: int
    total: int | None

    @classmethod
    def of(cls, use: SlotUse) -> "SlotCount":
        """Return what a heartbeat says of one kind."""
        return cls(use.used, None if use.supplier == CUSTOM else use.used + use.available)

    def __add__(self, other: "SlotCount") -> "SlotCount":
        known = None if self.total is None or other.total is None else self.total + other.total
        return SlotCount(self.used + other.used, known)

    @property
    def share(self) -> float:
        """Share of the slots that is in use; 0 where there are none or nobody tells."""
        return self.used / self.total if self.total else 0.0


_NONE: Final = SlotCount(0, 0)
_COUNTED: Final = frozenset({"workflows", "activities", "nexus"})


@dataclass(frozen=True)
class KnownSlots:
    """Slots by the identity of the process, all kinds together and each of its own."""

    by_identity: Mapping[str, SlotCount] = field(default_factory=dict)
    by_kind: Mapping[str, Mapping[str, SlotCount]] = field(default_factory=dict)

    @classmethod
    def of(cls, workers: Sequence[WorkerStatus]) -> "KnownSlots":
        """Take them out of fresh heartbeats; a worker without any is not told."""
        found: dict[str, SlotCount] = {}
        kinds: dict[str, dict[str, SlotCount]] = {}
        for worker in workers:
            told = [(kind, use) for queue in worker.queues for kind, use in queue.slots.items() if kind in _COUNTED]
            if worker.heartbeats and told:
                own = kinds[worker.identity] = {}
                for kind, use in told:
                    own[kind] = own.get(kind, _NONE) + SlotCount.of(use)
                found[worker.identity] = sum(own.values(), _NONE)
        return cls(found, kinds)

    def scarcest(self, identities: Iterable[str]) -> SlotCount | None:
        """Return the kind of slots of which the largest share is in use: work waits for these while others are free.

        None where the heartbeats of one of the processes do not tell. Where they do not tell how many slots of a kind
        there are, all that are in use count, and nobody knows of how many.
        """
        kinds: dict[str, SlotCount] = {}
        for identity in identities:
            if identity not in self.by_kind:
                return None
            for kind, count in self.by_kind[identity].items():
                kinds[kind] = kinds.get(kind, _NONE) + count
        counts = list(kinds.values())
        if any(one.total is None for one in counts):
            return sum(counts, _NONE)
        return max(counts, key=lambda one: (one.share, -(one.total or 0)), default=None)


class QueueObserver(Protocol):
    """Reads the queues of one pool."""

    async def read(self) -> Figures:
        """Return what there is to know now. It never raises: what could not be read is None, and said."""
