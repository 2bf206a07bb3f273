"""The pace of one call: how large the next batch is, how long to wait before it, and how fast the call has been."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from trenova_activities.database._brake import Brake
from trenova_activities.database._health import Speed
from trenova_activities.database._pace import Pace

LOCKED: Final = "55P03"
"""SQLSTATE of a statement that waited for a lock until ``lock_timeout``."""

TIMED_OUT: Final = "57014"
"""SQLSTATE of a statement that ran until ``statement_timeout``."""

_MOST_STRETCHED: Final = 1024
_NAP_S: Final = 0.25
"""A pause is cut into naps, so that a worker that drains, or a run that is paused, need not wait for its end."""

_BURST_S: Final = 0.5
"""A run with an upper bound on its rate takes no more rows at once than are allowed in this time."""

_SLOWEST_S: Final = 10.0
"""No pause for the sake of the rate is longer, so that a call ends in time."""


class RunPace:
    """What steers the batches of one call.

    Args:
        pace: The size to begin with and its bounds.
        brake: What the database has to say.
        rows_per_second: An upper bound on the rate; None for none.
        work_share: The share of its time that the call works, the rest it pauses.
        now: A monotonic clock, seconds.
    """

    def __init__(
        self,
        pace: Pace,
        brake: Brake,
        *,
        rows_per_second: float | None = None,
        work_share: float = 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.brake = brake
        self.rows = 0
        self._pace = pace
        self._most = rows_per_second
        self._pauses = 1 / work_share - 1
        self._now = now
        self._began = now()
        self._ready = self._began
        self._last_s = 0.0
        self._stretch = 1

    @property
    def steered(self) -> int:
        """The size that the law has come to, for the next call to begin with."""
        return self._pace.size

    @property
    def size(self) -> int:
        """Rows of the next batch: what was steered, the smallest while stopped, less where the rate allows no more."""
        size = self._pace.floor if self.brake.verdict.speed is Speed.STOPPED else self._pace.size
        return size if self._most is None else min(size, max(1, math.floor(self._most * _BURST_S)))

    @property
    def floor(self) -> int:
        """Rows of the smallest batch."""
        return self._pace.floor

    @property
    def stretch(self) -> int:
        """By how much a statement of the smallest batch may run longer than was set, because it did not get through."""
        return self._stretch

    @property
    def rate(self) -> float | None:
        """Rows per second of this call, pauses included; None where nothing was changed."""
        spent = self._now() - self._began
        return round(self.rows / spent, 1) if self.rows and spent > 0 else None

    async def ready(self, enough: Callable[[], bool]) -> None:
        """Wait until the next batch may begin.

        Args:
            enough: Whether the call should rather end; the wait is over then.
        """
        since = self._now()
        while not enough():
            await self.brake.look()
            due = max(self._ready, since + self._pause_s())
            if not await self._nap(due):
                return

    async def settle(self, asked: Callable[[], bool]) -> None:
        """Wait at the end of a call that hands over, or the next one, which begins at once, would exceed the rate.

        Args:
            asked: Whether somebody wants the call to end now. It does not wait then: a worker that drains and a run
                that is paused come before a rate, which is exceeded by one batch at most.
        """
        due = min(self._ready, self._now() + _SLOWEST_S)
        while not asked() and await self._nap(due):
            pass

    async def _nap(self, due: float) -> bool:
        """Sleep for a moment; false where it is due already."""
        left = due - self._now()
        if left <= 0:
            return False
        await asyncio.sleep(min(left, _NAP_S))
        return True

    def _pause_s(self) -> float:
        """Return how long to pause after the last batch: as set, or for longer where the database is to be spared."""
        return max(self._last_s * self._pauses, self.brake.pause_s(self._last_s))

    def done(self, seconds: float, *, rows: int, seen: int, work_s: float | None = None) -> None:
        """Take note of a batch.

        Args:
            seconds: How long its transaction lasted.
            rows: How many rows it changed.
            seen: How many it looked at.
            work_s: How much of the time went into that; all of it if absent.
        """
        self.brake.locked(yes=False)
        self._last_s = seconds
        self.rows += rows
        self._pace = self._pace.after(seconds, seen, work_s=work_s)
        if self._most is not None:
            self._ready = max(self._ready, self._now() - seconds) + rows / self._most

    def refused(self, sqlstate: str) -> None:
        """Take note of a batch that was turned away; nothing of it happened.

        Args:
            sqlstate: How PostgreSQL calls it; empty on SQLite.
        """
        if sqlstate == TIMED_OUT and self._pace.size == self._pace.floor:
            self._stretch = min(2 * self._stretch, _MOST_STRETCHED)
        self._pace = self._pace.refused()
        self.brake.locked(yes=sqlstate == LOCKED)
