"""The least that a pool could have cost, by one who knows the future.

Nobody can scale like this. It is what a law is measured against: plans that are made with every arrival and every
duration known, of which the cheapest counts whose tasks start in time. Each lets work wait for as long as it may, so
that hardly a worker is ever idle: what it costs comes close to the bound that `work_seconds` tells.
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


@dataclass(frozen=True)
class Plan:
    """Workers for each step of ``EVERY_S``, what they cost, and whether the target holds."""

    workers: tuple[int, ...]
    worker_seconds: int
    late: float
    """Tasks that did not start within the target."""
    held: bool


def oracle(trace: Trace, *, least: int, most: int, wait_target_s: float) -> Plan:
    """Return the cheapest plan that was found; the one with the fewest late tasks if none holds.

    Args:
        trace: What happens, all of it known.
        least: Workers, never fewer; also those that run at the beginning.
        most: Never more.
        wait_target_s: Within which 95 of 100 tasks shall start.
    """
    plans = [
        _taut(trace, share * wait_target_s, ahead_s, least=least, most=most, wait_target_s=wait_target_s)
        for share in _LAZINESS
        for ahead_s in _AHEAD_S
    ]
    held = [plan for plan in plans if plan.held]
    return min(held, key=lambda plan: plan.worker_seconds) if held else min(plans, key=lambda plan: plan.late)


def work_seconds(trace: Trace) -> float:
    """Return the worker-seconds of the work alone: no pool that does it all can cost less."""
    lengths = services(trace)
    return math.fsum(count * length for count, length in zip(trace.arrivals, lengths, strict=True)) / trace.slots


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
    return Plan(tuple(plan), pool.worker_seconds, late, late <= LATE_ALLOWED * came[end])


def _late(waits: list[tuple[int, float]], wait_target_s: float) -> float:
    return sum(count for waited, count in waits if waited > wait_target_s)
