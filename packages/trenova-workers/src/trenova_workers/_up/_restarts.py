"""When a process that died is started again, and when it is given up."""

import time
from collections import deque
from collections.abc import Callable

from trenova_workers._up._options import Limits


class Restarts:
    """Doubling delays while deaths follow each other; given up after too many within the window."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._deaths: deque[float] = deque()

    def after_death(self) -> float | None:
        """Seconds to wait before the next start, None to give up."""
        now = self._clock()
        self._deaths.append(now)
        while self._deaths[0] < now - self._limits.crash_window:
            self._deaths.popleft()
        if len(self._deaths) >= self._limits.crashes:
            return None
        return min(self._limits.longest_delay, self._limits.first_delay * 2.0 ** (len(self._deaths) - 1))

    def said(self) -> str:
        """How often it died, for a message."""
        return f"{len(self._deaths)} times within {self._limits.crash_window:g} s"
