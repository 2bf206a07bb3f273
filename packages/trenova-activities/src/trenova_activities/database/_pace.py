"""How many rows the next batch takes: additive growth, multiplicative retreat, steered by how long batches last.

The law, with ``target`` the time that a batch should take at least (25 ms by default):

- longer than twice the target, or turned away by a lock, a time-out or a deadlock: half the size;
- shorter than the target, and full: a tenth more;
- in between, or not full: as it was.

So a batch settles between the target and twice the target. A batch that was not full, at the end of a tenant, says
nothing about larger ones.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

SMALLEST: Final = 100
"""Rows below which no batch is halved; a smaller limit is kept as it is."""

_RETREAT: Final = 2
_GROWTH: Final = 10
"""A tenth of the size is added."""


@dataclass(frozen=True)
class Pace:
    """The size of the next batch and what it may be.

    Attributes:
        size: Rows of the next batch, from ``floor`` to ``limit``.
        limit: Rows that a batch may have at most, at least 1.
        target_s: Seconds that a batch should take at least; twice as many are too long.
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

    @property
    def longest_s(self) -> float:
        """Seconds after which a batch was too long."""
        return 2 * self.target_s

    def after(self, seconds: float, rows: int) -> Self:
        """Return the pace after a batch.

        Args:
            seconds: How long its transaction lasted, by a monotonic clock.
            rows: How many rows it looked at; fewer than the size at the end of a tenant.
        """
        if seconds > self.longest_s:
            return self.refused()
        if seconds < self.target_s and rows >= self.size:
            return self._sized(self.size + max(1, self.size // _GROWTH))
        return self

    def refused(self) -> Self:
        """Return the pace after a batch that another transaction or a time-out turned away."""
        return self._sized(self.size // _RETREAT)

    def _sized(self, size: int) -> Self:
        return replace(self, size=_within(size, self.limit))


def _within(size: int, limit: int) -> int:
    return max(min(SMALLEST, limit), min(size, limit))
