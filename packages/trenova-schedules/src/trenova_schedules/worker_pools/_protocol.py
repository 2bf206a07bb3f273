"""Whom the page of workers asks."""

from datetime import datetime
from typing import Protocol

from trenova_errors import UnavailableError
from trenova_schedules.worker_pools._models import PoolDecisions, PoolDetail, PoolsSeen


class NoPoolManagerError(UnavailableError):
    """There is no pool manager, and nobody said that there should be one."""

    code = "pools.none"


class WorkerPools(Protocol):
    """Tells of worker pools, and takes orders for them.

    Every method may raise an ``ApplicationError`` of ``trenova_errors``, whose message is shown to people: that there
    is no such pool, that the manager does not answer or does not allow it. Whether the person may, the pages have asked
    before.
    """

    async def pools(self) -> PoolsSeen:
        """Return all pools.

        Raises:
            NoPoolManagerError: There is no manager to ask.
        """
        ...

    async def pool(self, name: str, *, hours: float, parts: int) -> PoolDetail:
        """Return one pool, its workers, and its last hours in so many parts."""
        ...

    async def decisions(self, name: str, *, cursor: int | None, limit: int, changes: bool) -> PoolDecisions:
        """Return decisions about a pool, newest first; only those that changed its number, if ``changes``."""
        ...

    async def override(self, name: str, count: int, until: datetime, reason: str, *, by: str) -> None:
        """Fix the number of workers until a time; ``by`` is the person, for the pool's own audit trail."""
        ...

    async def pause(self, name: str, reason: str, *, by: str) -> None:
        """Leave a pool at its number of workers."""
        ...

    async def resume(self, name: str, reason: str, *, by: str) -> None:
        """Let load decide again, without pause or override."""
        ...
