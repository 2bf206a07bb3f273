"""From how many workers there should be, and which, to what is done next. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trenova_workers.pool._worker import PoolWorker, WorkerPhase

SURGE: Final = 1
"""Workers beyond the wanted number while others are replaced."""


@dataclass(frozen=True)
class Drain:
    """Ask a worker to end, and why."""

    worker_id: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What is done next.

    Attributes:
        start: Workers to start.
        drains: Workers to drain.
        why: What is under way, in a few words; empty where nothing is.
    """

    start: int = 0
    drains: tuple[Drain, ...] = ()
    why: str = ""


def plan(desired: int, workers: Sequence[PoolWorker], build: str | None, *, may_start: int | None = None) -> Plan:
    """Return what brings a pool nearer to what it should be; nothing where it only has to wait.

    Workers of another build and worn ones are replaced one after the other: one more is started, and when it runs,
    one of the old is drained; the next follows when that has ended. Lost ones are drained, and ended by force after it.

    Args:
        desired: How many there should be.
        workers: All that are there.
        build: What they should run; None where somebody else replaces those of another.
        may_start: At most so many are started now; None is no limit.
    """
    lost = [Drain(one.id, one.why or "it does not answer") for one in workers if one.phase is WorkerPhase.LOST]
    there = [one for one in workers if one.counts]
    old = [one for one in there if _out_of_date(one, build)]
    if len(there) > desired and not (old and len(there) <= desired + SURGE):
        chosen = victims(there, len(there) - desired, first=lambda one: _out_of_date(one, build))
        return Plan(0, (*lost, *(Drain(one.id, f"the pool needs {desired}") for one in chosen)), "taking workers away")
    if len(there) < desired:
        return Plan(_limited(desired - len(there), may_start), tuple(lost), "starting workers")
    if old:
        start, drains = _replacing(desired, there, old, workers, build)
        return Plan(_limited(start, may_start), (*lost, *drains), f"replacing {len(old)} of {len(there)}")
    return Plan(0, tuple(lost), "replacing what does not answer" if lost else "")


def merged(plans: Mapping[str, Plan]) -> Plan:
    """Return the plans of several versions as that of one pool.

    Args:
        plans: By build.
    """
    if len(plans) == 1:
        return next(iter(plans.values()))
    drains = tuple(drain for one in plans.values() for drain in one.drains)
    said = "; ".join(f"{one.why} of {build}" for build, one in plans.items() if one.why)
    return Plan(sum(one.start for one in plans.values()), drains, said)


def _replacing(
    desired: int,
    there: Sequence[PoolWorker],
    old: Sequence[PoolWorker],
    workers: Sequence[PoolWorker],
    build: str | None,
) -> tuple[int, tuple[Drain, ...]]:
    """Return how many to start, and whom of the old to drain, when the number itself is right."""
    if len(there) > desired:
        fresh = [one for one in there if not _out_of_date(one, build)]
        if any(one.phase is WorkerPhase.STARTING for one in fresh):
            return 0, ()
        why = "" if fresh else f"the pool needs {desired}"
        return 0, tuple(Drain(one.id, why or _replaced(one, build)) for one in victims(old, 1))
    leaving = any(one.phase is WorkerPhase.DRAINING and _out_of_date(one, build) for one in workers)
    return (0 if leaving else SURGE), ()


def victims(
    workers: Sequence[PoolWorker], count: int, *, first: Callable[[PoolWorker], bool] = lambda _: False
) -> list[PoolWorker]:
    """Return those that are missed least: what starts still, then what is idle, then what does least.

    Of those that do the same, the youngest first.

    Args:
        workers: To choose from.
        count: How many.
        first: Whether one goes before all others, such as one of an old build.
    """

    def missed(worker: PoolWorker) -> tuple[bool, bool, float, float]:
        used = float("inf") if worker.slots_used is None else worker.slots_used
        starting = worker.phase is WorkerPhase.STARTING
        return not first(worker), not starting, 0 if starting else used, -worker.started_at.timestamp()

    return sorted(workers, key=missed)[:count]


def _out_of_date(worker: PoolWorker, build: str | None) -> bool:
    return (build is not None and worker.build != build) or bool(worker.worn)


def _replaced(worker: PoolWorker, build: str | None) -> str:
    return worker.worn or f"build {build} replaces {worker.build}"


def _limited(count: int, most: int | None) -> int:
    return count if most is None else min(count, most)
