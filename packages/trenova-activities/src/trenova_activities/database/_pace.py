"""How many rows the next batch takes: additive growth, multiplicative retreat, steered by how long batches last.

The law, with ``target`` the longest that a batch should take (50 ms by default):

- longer than twice the target, or turned away by a lock, a time-out or a deadlock: half the size;
- longer than the target: a tenth less;
- shorter than half the target, and full: a tenth more;
- in between: as it was.

So a batch settles between half the target and the target. A batch that was not full, at the end of a tenant, says
nothing about larger ones. One that was long for another reason than its rows, on a machine that has no time for us,
is not mended by fewer rows: its size stays.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

SMALLEST: Final = 100
"""Rows below which no batch is halved; a smaller limit is kept as it is."""

_RETREAT: Final = 2
_STEP: Final = 10
"""A tenth of the size is added or taken away."""


@dataclass(frozen=True)
class Pace:
    """The size of the next batch and what it may be.

    Attributes:
        size: Rows of the next batch, from ``floor`` to ``limit``.
        limit: Rows that a batch may have at most, at least 1.
        target_s: Seconds that a batch should take at most, and at least half of.
    """

    size: int
    limit: int
    target_s: float

    @classmethod
    def begin(cls, size: int, *, limit: int, target_s: float) -> Self:
        """Begin with a size, brought into its bounds."""
        return cls(size=_within(size, limit), limit=limit, target_s=target_s)

    @property
    def floor(self) -> int:
        """Rows of the smallest batch."""
        return min(SMALLEST, self.limit)

    def after(self, seconds: float, rows: int, *, work_s: float | None = None) -> Self:
        """Return the pace after a batch.

        Args:
            seconds: How long its transaction lasted, by a monotonic clock.
            rows: How many rows it looked at; fewer than the size at the end of a tenant.
            work_s: How much of that went into finding and changing the rows; all of it if absent.
        """
        if seconds > self.target_s:
            if work_s is not None and work_s < seconds / 2:
                return self
            return self.refused() if seconds > 2 * self.target_s else self._sized(self.size - self._step)
        if seconds < self.target_s / 2 and rows >= self.size:
            return self._sized(self.size + self._step)
        return self

    @property
    def _step(self) -> int:
        return max(1, self.size // _STEP)

    def refused(self) -> Self:
        """Return the pace after a batch that another transaction or a time-out turned away."""
        return self._sized(self.size // _RETREAT)

    def _sized(self, size: int) -> Self:
        return replace(self, size=_within(size, self.limit))


def _within(size: int, limit: int) -> int:
    return max(min(SMALLEST, limit), min(size, limit))
