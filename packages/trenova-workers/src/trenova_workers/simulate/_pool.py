"""The pool and its queue, second by second."""

import math
import random
from collections import deque
from functools import lru_cache
from typing import Final, NamedTuple

from trenova_workers.simulate._noise import durations
from trenova_workers.simulate._trace import Trace

_NOTHING: Final = 1e-9


class Counts(NamedTuple):
    """Workers of a moment; those that start or drain cost as much as those that run."""

    running: int
    starting: int
    draining: int


class Pool:
    """Workers with slots and the queue before them, first come, first served.

    Time goes by the second, tasks and their ends are counted in groups of a second. A worker that is taken away takes
    no tasks any more, keeps its share of those that run, and is gone when the last of them has ended. Starting ones are
    taken away first.
    """

    def __init__(self, trace: Trace, *, workers: int) -> None:
        """Begin with workers that run already."""
        self._trace = trace
        self._service = services(trace)
        self._now = 0
        self._waiting: deque[list[float]] = deque()
        self._ends: dict[int, float] = {}
        self._draining_ends: list[tuple[int, int]] = []
        self._ready: deque[list[int]] = deque()
        self.running = workers
        self.busy = 0.0
        """Tasks that the running workers work on."""
        self.backlog = 0.0
        self.unmatched = 0.0
        """Tasks of the last second that found no slot."""
        self.started = 0.0
        """Tasks of the last second that found one."""
        self.waits: list[tuple[int, float]] = []
        """Seconds waited and tasks, of the tasks that started in the last second."""
        self.worker_seconds = 0

    def counts(self) -> Counts:
        """Return the workers of this moment."""
        return Counts(
            self.running, sum(count for _, count in self._ready), sum(count for _, count in self._draining_ends)
        )

    @property
    def oldest_s(self) -> int:
        """Seconds that the oldest task has waited; 0 if none waits."""
        return self._now - int(self._waiting[0][0]) if self._waiting else 0

    def left(self) -> list[tuple[int, float]]:
        """Return what waits still: seconds so far, and tasks."""
        return [(self._now - int(since), count) for since, count in self._waiting]

    def resize(self, planned: int) -> None:
        """Start or drain workers so that there are ``planned``, without those that drain."""
        starting = sum(count for _, count in self._ready)
        change = planned - self.running - starting
        if change > 0:
            self._ready.append([self._now + self._trace.start_s, change])
        while change < 0 and self._ready:
            taken = min(-change, self._ready[-1][1])
            self._ready[-1][1] -= taken
            change += taken
            if not self._ready[-1][1]:
                self._ready.pop()
        if change < 0:
            self._drain(-change)

    def step(self) -> None:
        """Let a second pass."""
        now = self._now
        while self._ready and self._ready[0][0] <= now:
            self.running += self._ready.popleft()[1]
        self.busy = max(0.0, self.busy - self._ends.pop(now, 0.0))
        if not self._ends:
            self.busy = 0.0
        self._draining_ends = [one for one in self._draining_ends if one[0] > now]
        came = self._trace.arrivals[now]
        if came:
            self._waiting.append([now, came])
            self.backlog += came
        self._start(now, came)
        self.worker_seconds += self.running
        for _, count in self._ready:
            self.worker_seconds += count
        for _, count in self._draining_ends:
            self.worker_seconds += count
        self._now = now + 1

    def _start(self, now: int, came: int) -> None:
        free = self.running * self._trace.slots - self.busy
        left = min(free, self.backlog)
        self.started = left = max(0.0, left)
        self.waits = []
        self.busy += left
        self.backlog -= left
        if left > 0:
            self._end(now, left)
        while left > _NOTHING and self._waiting:
            since, count = self._waiting[0]
            taken = min(count, left)
            self.waits.append((now - int(since), taken))
            left -= taken
            if taken >= count - _NOTHING:
                self._waiting.popleft()
            else:
                self._waiting[0][1] -= taken
        if not self._waiting:
            self.backlog = 0.0
        self.unmatched = min(float(came), self.backlog)

    def _end(self, now: int, count: float) -> None:
        length = self._service[now]
        whole = int(length)
        later = count * (length - whole)
        ends = self._ends
        if count > later:
            ends[now + whole] = ends.get(now + whole, 0.0) + count - later
        if later:
            ends[now + whole + 1] = ends.get(now + whole + 1, 0.0) + later

    def _drain(self, count: int) -> None:
        count = min(count, self.running)
        if not count:
            return
        share = count / self.running
        last = max(self._ends, default=self._now)
        for at in self._ends:
            self._ends[at] *= 1 - share
        self.busy *= 1 - share
        self.running -= count
        if last > self._now:
            self._draining_ends.append((last, count))


@lru_cache(maxsize=16)
def services(trace: Trace) -> tuple[float, ...]:
    """Return how long a task takes that starts in a second."""
    factors = durations(trace.seconds, trace.service_noise, random.Random(trace.seed))  # noqa: S311 (a simulation)
    lengths = [max(1.0, trace.service_s * factor) for factor in factors]
    for outage in trace.outages:
        for at in range(outage.start, min(outage.end, trace.seconds)):
            lengths[at] *= outage.slowdown
    return tuple(length if math.isfinite(length) else 1.0 for length in lengths)
