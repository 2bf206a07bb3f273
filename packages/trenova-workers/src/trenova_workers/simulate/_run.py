"""One law on one trace."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from trenova_workers.simulate._laws import Law
from trenova_workers.simulate._pool import Pool
from trenova_workers.simulate._server import Server, weighted
from trenova_workers.simulate._trace import Trace

WINDOW_S: Final = 600
"""Changes of direction are counted in so many seconds."""


@dataclass(frozen=True)
class Run:
    """What came of a law on a trace.

    Waits are of the tasks that started and, so far as they have waited, of those that never did.
    """

    law: str
    trace: str
    wait_p50_s: float
    wait_p95_s: float
    wait_max_s: float
    late_share: float
    """Share of the tasks that waited for longer than the target."""
    held: bool
    """Whether 95 of 100 tasks started within the target."""
    worker_seconds: int
    """Seconds of all workers, those that start and drain included."""
    turns: int
    """The most changes of direction within any ten minutes."""
    raises: int
    """How often the number was raised."""
    lowers: int
    planned: tuple[int, ...] = field(repr=False)
    """Workers that there were to be, second by second."""
    running: tuple[int, ...] = field(repr=False)
    backlog: tuple[float, ...] = field(repr=False)


def run(trace: Trace, law: Law, *, wait_target_s: float, workers: int) -> Run:
    """Return what comes of a law.

    Args:
        trace: What happens.
        law: Asked every ``law.every_s`` seconds, from the first on.
        wait_target_s: For ``held``.
        workers: That run at the beginning.
    """
    pool, server = Pool(trace, workers=workers), Server(trace)
    planned = workers
    history: list[int] = []
    running: list[int] = []
    backlog: list[float] = []
    waits: dict[int, float] = {}
    for now in range(trace.seconds):
        if now % law.every_s == 0:
            planned = law.desired(server.observation(pool, planned, now))
            pool.resize(planned)
        pool.step()
        server.saw(pool)
        for waited, count in pool.waits:
            waits[waited] = waits.get(waited, 0.0) + count
        history.append(planned)
        running.append(pool.running)
        backlog.append(pool.backlog)
    for waited, count in pool.left():
        waits[waited] = waits.get(waited, 0.0) + count
    told = list(waits.items())
    total = sum(waits.values()) or 1.0
    late = sum(count for waited, count in told if waited > wait_target_s) / total
    steps = [(at, after - before) for at, (before, after) in enumerate(pairwise(history), 1) if after != before]
    return Run(
        law=law.name,
        trace=trace.name,
        wait_p50_s=weighted(told, 0.5) or 0.0,
        wait_p95_s=weighted(told, 0.95) or 0.0,
        wait_max_s=float(max(waits, default=0)),
        late_share=late,
        held=(weighted(told, 0.95) or 0.0) <= wait_target_s,
        worker_seconds=pool.worker_seconds,
        turns=turns(steps),
        raises=sum(change > 0 for _, change in steps),
        lowers=sum(change < 0 for _, change in steps),
        planned=tuple(history),
        running=tuple(running),
        backlog=tuple(backlog),
    )


def turns(steps: list[tuple[int, int]]) -> int:
    """Return the most changes of direction within any ten minutes.

    Args:
        steps: Second and change of each raise (positive) and lowering (negative), in order.
    """
    turned = [at for (_, before), (at, after) in pairwise(steps) if (before > 0) != (after > 0)]
    return max((sum(1 for at in turned if first <= at < first + WINDOW_S) for first in turned), default=0)
