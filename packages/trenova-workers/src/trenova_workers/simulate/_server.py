"""What a Temporal server and the manager of a pool would say about it: late, from a cache, and sometimes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_workers.scaling import ExpectedArrivals, Observation, WorkerCounts
from trenova_workers.scaling._policy_checks import RATE_WINDOW_S
from trenova_workers.simulate._pool import Pool
from trenova_workers.simulate._trace import Trace

BEGAN: Final = datetime(2026, 1, 5, tzinfo=UTC)
"""When every simulated trace begins."""
CACHE_S: Final = 5
"""The server renews its figures so often."""
_AHEAD_S: Final = 3600


class Server:
    """Keeps what was true, and tells of it what could be known."""

    def __init__(self, trace: Trace) -> None:
        """Nothing has happened yet."""
        self._trace = trace
        self._backlog: list[float] = []
        self._age: list[int] = []
        self._used: list[float] = []
        self._running: list[int] = []
        self._started: list[float] = []
        self._unmatched = 0.0
        self._waits: list[tuple[int, float]] = []

    def saw(self, pool: Pool) -> None:
        """Keep the second that has just passed."""
        self._backlog.append(pool.backlog)
        self._age.append(pool.oldest_s if pool.backlog else 0)
        self._used.append(pool.busy)
        self._running.append(pool.running)
        self._started.append(pool.started)
        self._unmatched += pool.unmatched
        self._waits += pool.waits

    def observation(self, pool: Pool, planned: int, at: int) -> Observation:
        """Return what is known at a second, and begin to count anew what is counted since the last observation."""
        unmatched, waits = self._unmatched, self._waits
        self._unmatched, self._waits = 0.0, []
        trace = self._trace
        counts = pool.counts()
        now = BEGAN + timedelta(seconds=at)
        told = {
            "pool": trace.name,
            "at": now,
            "workers": WorkerCounts(
                running=counts.running, starting=counts.starting, draining=counts.draining, planned=planned
            ),
            "dependency_down": any(one.start <= at < one.end for one in trace.outages),
            "upcoming": tuple(
                ExpectedArrivals(at=BEGAN + timedelta(seconds=one.at), tasks=one.tasks, name=one.name)
                for one in trace.fires
                if at <= one.at <= at + _AHEAD_S
            ),
        }
        read = (at - trace.metric_delay_s) // CACHE_S * CACHE_S
        if read < 1 or not self._backlog or any(one.start <= at < one.end for one in trace.gaps):
            nothing = dict.fromkeys(("read_at", "backlog", "backlog_age_s", "arrival_rate", "dispatch_rate"))
            return Observation.model_validate({**told, **nothing})
        last = read - 1
        first = max(0, read - int(RATE_WINDOW_S))
        arrivals = sum(trace.arrivals[first:read]) / (read - first)
        dispatched = sum(self._started[first:read]) / (read - first)
        figures = {
            "read_at": BEGAN + timedelta(seconds=read),
            "backlog": self._backlog[last],
            "backlog_age_s": float(self._age[last]),
            "arrival_rate": arrivals,
            "dispatch_rate": dispatched,
            "wait_p95_s": weighted(waits, 0.95),
            "unmatched": unmatched,
            "slots_used": self._used[last],
            "slots": float(self._running[last] * trace.slots),
            "open_workflows": self._backlog[last] + self._used[last],
        }
        return Observation.model_validate({**told, **figures})


def weighted(waits: list[tuple[int, float]], share: float) -> float | None:
    """Return the wait that a share of the tasks did not exceed; None without tasks."""
    total = sum(count for _, count in waits)
    if total <= 0:
        return None
    reached = 0.0
    ordered = sorted(waits)
    for wait, count in ordered:
        reached += count
        if reached >= share * total - 1e-9:
            return float(wait)
    return float(ordered[-1][0])
