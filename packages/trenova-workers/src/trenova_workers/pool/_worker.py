"""One worker of a pool, whatever runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime, Field

from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._drains import DrainOrder
from trenova_workers.scaling import VersionState


class WorkerPhase(StrEnum):
    """What a worker of a pool does.

    ``starting`` exists and takes no work yet; ``running`` takes work; ``draining`` takes nothing new and finishes what
    it has; ``lost`` is there and does not answer.
    """

    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    LOST = "lost"


class WorkerSlots(PoolDocument):
    """Slots of one kind of task.

    Attributes:
        used: Tasks that are worked on.
        total: Tasks that could be at once; None where that changes and nobody tells.
    """

    used: int
    total: int | None = None


class PoolWorker(PoolDocument):
    """One worker.

    Attributes:
        id: Its name within the pool manager.
        pool: Of which pool.
        phase: What it does.
        started_at: When it was started.
        build: What it runs.
        identity: Under which it polls; None until it said so.
        memory_mib: What it and its children keep in memory; None where nobody measures it.
        slots_used: Tasks that it works on; None where its heartbeats do not say.
        slots: Tasks that it could work on at once; None likewise.
        worn: Why it should be replaced although its build is right; empty if not.
        failing: Whether it drains because something in it failed; it ends as a crash.
        ordered: Why an operator wants it drained; empty if nobody does.
        why: Why it does that, where there is something to say.
        host: Its machine or pod; None until it is known.
        pid: Its process id there; None likewise.
        version: Its deployment version and its SDK, as its heartbeats say; empty where they do not.
        heard_at: When its last heartbeat came; None where none did.
        heartbeat_s: Seconds between its heartbeats; None before the second one.
        slots_by_kind: Slots of each kind of task, all queues together; empty where its heartbeats do not say.
    """

    id: str
    pool: str
    phase: WorkerPhase
    started_at: AwareDatetime
    build: str
    identity: str | None = None
    memory_mib: float | None = None
    slots_used: int | None = None
    slots: int | None = None
    worn: str = ""
    failing: bool = False
    ordered: str = ""
    why: str = ""
    host: str | None = None
    pid: int | None = None
    version: str = ""
    heard_at: AwareDatetime | None = None
    heartbeat_s: float | None = None
    slots_by_kind: dict[str, WorkerSlots] = Field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it is one of those that the pool is told to have."""
        return self.phase in {WorkerPhase.STARTING, WorkerPhase.RUNNING}


class PoolVersion(PoolDocument):
    """One version of a pool whose workers are versions of a worker deployment.

    Attributes:
        build: Its build.
        state: In the server's words, such as ``current``; ``unversioned`` where it could not be read.
        percent: Of new work that goes to it.
        desired: How many workers it should have.
        counts: How many it has, by what they do.
        backlog: Tasks that wait for it; None where nobody can tell.
        open_runs: Runs that are on it; None likewise.
        why: What would stand still without it; empty if nothing would.
    """

    build: str
    state: VersionState
    percent: float
    desired: int
    counts: dict[str, int]
    backlog: float | None = None
    open_runs: float | None = None
    why: str = ""


@dataclass(frozen=True)
class WorkerEnd:
    """A worker that has ended since the look before.

    Attributes:
        worker_id: Which.
        crashed: It ended by itself, and not because somebody asked it to.
        ours: We asked it to end.
        said: How, in a few words, such as ``ended with status 3``.
        build: What it ran.
    """

    worker_id: str
    crashed: bool
    ours: bool
    said: str
    build: str = ""


@dataclass(frozen=True)
class PoolView:
    """What a backend saw in one look.

    Attributes:
        workers: All that are there.
        ends: All that have ended since the look before.
        contended: What else sets the number of workers, as a sentence without its end; empty if nothing does.
    """

    workers: Sequence[PoolWorker]
    ends: Sequence[WorkerEnd] = ()
    contended: str = ""

    def ordered(self, orders: Mapping[str, DrainOrder]) -> "PoolView":
        """Return the same with what operators want of workers, by their ids."""

        def one(worker: PoolWorker) -> PoolWorker:
            order = orders.get(worker.id)
            if order is None or not worker.counts:
                return worker
            said = f"{order.by}: {order.reason}"
            return worker.model_copy(update={"worn": worker.worn or said} if order.in_turn else {"ordered": said})

        return PoolView([one(worker) for worker in self.workers], self.ends, self.contended)

    def of(self, build: str) -> "PoolView":
        """Return what was seen of the workers that run a build."""
        workers = [one for one in self.workers if one.build == build]
        return PoolView(workers, [one for one in self.ends if one.build == build], self.contended)

    @property
    def there(self) -> int:
        """How many there are that nobody of ours asked to end; those that fail are still to crash."""
        return sum(one.failing for one in self.workers) + self.working + self.count(WorkerPhase.LOST)

    @property
    def working(self) -> int:
        """How many take tasks, or will when they have started."""
        return self.count(WorkerPhase.STARTING, WorkerPhase.RUNNING)

    @property
    def identities(self) -> set[str]:
        """Under which they poll, as far as that is known."""
        return {one.identity for one in self.workers if one.identity}

    @property
    def counts(self) -> dict[str, int]:
        """How many there are, by what they do."""
        return {str(one): self.count(one) for one in WorkerPhase}

    def count(self, *phases: WorkerPhase) -> int:
        """Return how many are in these phases."""
        return sum(worker.phase in phases for worker in self.workers)
