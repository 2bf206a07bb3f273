"""The least that a pool could have cost, by one who knows the future.

Nobody can scale like this. It is what a law is measured against: a plan that was made with every arrival and every
duration known, then made cheaper for as long as 95 of 100 tasks still start within the target.
"""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from trenova_workers.simulate._pool import Pool, services
from trenova_workers.simulate._trace import Trace

EVERY_S: Final = 10
"""The plan may change this often."""
LATE_ALLOWED: Final = 0.05
_LAZINESS: Final = (0.3, 0.6, 0.8, 0.95)
"""How much of the target the first plans let tasks wait."""
_AHEAD_S: Final = (60, 120, 300)
"""How far they look."""
_SEGMENTS: Final = (60, 24, 12, 6, 3, 2, 1)
"""Lengths, in steps of the plan, of what is tried with a worker less."""


@dataclass(frozen=True)
class Plan:
    """Workers for each step of ``EVERY_S``, what they cost, and whether the target holds."""

    workers: tuple[int, ...]
    worker_seconds: int
    held: bool


def oracle(trace: Trace, *, least: int, most: int, wait_target_s: float, evaluations: int = 400) -> Plan:
    """Return the cheapest plan that was found; one that does not hold if none does.

    Args:
        trace: What happens, all of it known.
        least: Workers, never fewer; also those that run at the beginning.
        most: Never more.
        wait_target_s: Within which 95 of 100 tasks shall start.
        evaluations: Plans that may be tried. The more, the closer to the least that is possible.
    """
    tried = [
        _taut(trace, share * wait_target_s, ahead_s, least=least, most=most, wait_target_s=wait_target_s)
        for share in _LAZINESS
        for ahead_s in _AHEAD_S
    ]
    best = min(tried, key=lambda plan: (not plan.held, plan.worker_seconds))
    if not best.held:
        return best
    left = evaluations
    for length in _SEGMENTS:
        for at in range(0, len(best.workers), length):
            while left > 0:
                thinner = tuple(
                    max(least, count - 1) if at <= step < at + length else count
                    for step, count in enumerate(best.workers)
                )
                if thinner == best.workers:
                    break
                left -= 1
                plan = _tried(trace, thinner, least, wait_target_s)
                if not plan.held or plan.worker_seconds >= best.worker_seconds:
                    break
                best = plan
    return best


def work_seconds(trace: Trace) -> float:
    """Return the worker-seconds of the work alone: no pool that does it all can cost less."""
    lengths = services(trace)
    return math.fsum(count * length for count, length in zip(trace.arrivals, lengths, strict=True)) / trace.slots


def _tried(trace: Trace, plan: tuple[int, ...], workers: int, wait_target_s: float) -> Plan:
    pool = Pool(trace, workers=workers)
    late, total = 0.0, float(sum(trace.arrivals)) or 1.0
    for now in range(trace.seconds):
        if now % EVERY_S == 0:
            pool.resize(plan[now // EVERY_S])
        pool.step()
        late += _late(pool.waits, wait_target_s)
    late += _late(pool.left(), wait_target_s)
    return Plan(plan, pool.worker_seconds, late <= LATE_ALLOWED * total)


def _taut(trace: Trace, lag_s: float, ahead_s: int, *, least: int, most: int, wait_target_s: float) -> Plan:
    """Plan while the pool runs: change only where tasks would wait too long, or workers would have nothing to do."""
    end, lead = trace.seconds, math.ceil(trace.start_s / EVERY_S)
    came = (0, *accumulate(trace.arrivals))
    able = (0.0, *accumulate(trace.slots / length for length in services(trace)))
    pool = Pool(trace, workers=least)
    there = [least] * lead
    count, plan, late = least, [], 0.0
    for step, now in enumerate(range(0, end, EVERY_S)):
        ready = min(now + lead * EVERY_S, end)
        soon = math.fsum(there[step:]) / lead if lead else 0.0
        done = min(float(came[ready]), came[now] - pool.backlog + soon * (able[ready] - able[now]))
        lowest, highest = 0.0, float(most)
        for until in range(ready + EVERY_S, min(ready + ahead_s, end) + 1, EVERY_S):
            room = able[until] - able[ready]
            lowest = max(lowest, (came[max(0, until - int(lag_s))] - done) / room)
            highest = min(highest, (came[until] - done) / room)
        count = min(max(math.ceil(lowest - 1e-9), min(count, math.floor(highest + 1e-9)), least), most)
        there.append(count)
        plan.append(max(there[step:]))
        pool.resize(plan[-1])
        for _ in range(min(EVERY_S, end - now)):
            pool.step()
            late += _late(pool.waits, wait_target_s)
    late += _late(pool.left(), wait_target_s)
    return Plan(tuple(plan), pool.worker_seconds, late <= LATE_ALLOWED * came[end])


def _late(waits: list[tuple[int, float]], wait_target_s: float) -> float:
    return sum(count for waited, count in waits if waited > wait_target_s)
