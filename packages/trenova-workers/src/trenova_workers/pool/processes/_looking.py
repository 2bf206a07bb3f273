"""What one worker process does, by its record, its process and its answer."""

import time
from dataclasses import dataclass, field

from trenova_workers.pool._options import ProcessOptions
from trenova_workers.pool._worker import PoolWorker, WorkerPhase
from trenova_workers.pool.processes._health import Said
from trenova_workers.pool.processes._mark import memory_mib
from trenova_workers.pool.store._workers import WorkerRecord

# One that is young may not have opened its port yet, whatever its record says.
_MEASURED_EVERY_S = 5.0


@dataclass
class Acquaintance:
    """What this manager has seen of one worker.

    Attributes:
        met: When it first looked at it, by the steady clock.
        heard: When it last answered.
        asked: Whether it is known to have been asked to end.
        forced: Whether this manager ended it by force.
        left_alone: It drains, and somebody else asked it to.
        failing: It drains because something in it failed.
        memory_mib: As measured last.
        measured: When.
    """

    met: float = field(default_factory=time.monotonic)
    heard: float | None = None
    asked: bool = False
    forced: bool = False
    left_alone: bool = False
    failing: bool = False
    memory_mib: float | None = None
    measured: float = float("-inf")

    def hear(self, said: Said, record: WorkerRecord) -> None:
        """Take note of an answer."""
        self.heard = time.monotonic()
        self.asked = self.asked or (said.draining and not said.failed)
        self.failing = said.failed
        self.left_alone = said.draining and not said.failed and record.drain_at is None

    def measure(self, pid: int) -> float | None:
        """Return its memory, measured every few seconds: that reads the whole tree of processes."""
        now = time.monotonic()
        if now - self.measured >= _MEASURED_EVERY_S:
            self.memory_mib, self.measured = memory_mib(pid), now
        return self.memory_mib

    def silent_s(self) -> float:
        """Return for how long it has not answered this manager."""
        return time.monotonic() - (self.met if self.heard is None else self.heard)


def described(
    record: WorkerRecord, said: Said | None, known: Acquaintance, options: ProcessOptions, *, age_s: float
) -> PoolWorker:
    """Return a living worker as the manager sees it.

    Args:
        record: Its record.
        said: Its answer; None if there was none.
        known: What was seen of it before.
        options: Of its pool.
        age_s: Seconds since it was started.
    """
    phase, why = _phase(record, said, known, options, age_s)
    memory = known.measure(record.pid)
    return PoolWorker(
        id=record.id,
        pool=record.pool,
        phase=phase,
        started_at=record.started_at,
        build=record.build,
        identity=record.identity or (said.identity if said else None) or None,
        memory_mib=memory,
        worn=_worn(memory, options) if age_s > options.memory_grace_s else "",
        failing=known.failing and record.drain_at is None,
        ordered=f"{record.ordered['by']}: {record.ordered['reason']}" if record.ordered else "",
        why=why,
        host=record.host,
        pid=record.pid,
    )


def _phase(
    record: WorkerRecord, said: Said | None, known: Acquaintance, options: ProcessOptions, age_s: float
) -> tuple[WorkerPhase, str]:
    if record.drain_at is not None:
        return WorkerPhase.DRAINING, record.drain_why or ""
    if known.failing or known.left_alone:
        return WorkerPhase.DRAINING, "something in it failed" if known.failing else "somebody else asked it to end"
    if record.ready_at is None:
        # One that answers and is not ready waits for its server, which another worker would, too.
        if said is None and age_s > options.start_limit_s:
            return WorkerPhase.LOST, f"it did not answer within {options.start_limit_s:g} s of its start"
        ready = said is not None and said.ready
        return (WorkerPhase.RUNNING if ready else WorkerPhase.STARTING), ""
    if known.silent_s() > options.silent_s:
        return WorkerPhase.LOST, f"it has not answered for {known.silent_s():.0f} s"
    return WorkerPhase.RUNNING, ""


def _worn(memory: float | None, options: ProcessOptions) -> str:
    limit = options.memory_limit_mib
    if limit is None or memory is None or memory <= limit:
        return ""
    return f"it uses {memory:.0f} MiB of memory, and {limit} are allowed"
