"""Holding a lease while work is done under it: the work is cancelled the moment that the lease is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from trenova_errors import ApplicationError
from trenova_workers.pool.store import Lease, LeaseLostError, Leases

_log = logging.getLogger(__name__)


class Leadership:
    """Takes the lease of a scope, and renews it while it works.

    Args:
        leases: Of the store.
        scope: Of which pools.
        holder: Who this is; unlike every other manager.
        lasts_s: Seconds that a lease lasts.
    """

    def __init__(self, leases: Leases, scope: str, holder: str, *, lasts_s: float) -> None:
        self._leases, self._scope, self._holder, self._lasts_s = leases, scope, holder, lasts_s

    async def take(self) -> Lease | None:
        """Take the lease; None while another manager has it.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        return await self._leases.take(self._scope, self._holder, lasts_s=self._lasts_s)

    async def lead(self, lease: Lease, work: Callable[[Lease], Awaitable[None]]) -> None:
        """Do the work under the lease, and give it back.

        Returns when the work is over, or the lease was lost; then the work was cancelled.

        Raises:
            Exception: What the work raises.
        """
        working = asyncio.ensure_future(work(lease))
        renewing = asyncio.ensure_future(self._renew(lease))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)
            lost = not lease.valid
            if not lost:
                await self._leases.release(lease)
        if not working.cancelled() and (error := working.exception()) is not None:
            if not isinstance(error, LeaseLostError):
                raise error
            lost = True
        if lost:
            _log.warning("the lease is lost", extra={"scope": self._scope, "fence": lease.fence})

    async def _renew(self, lease: Lease) -> None:
        """Renew it again and again; return when it is lost, or has run out because the database is away."""
        while lease.valid:
            await asyncio.sleep(self._lasts_s / 3)
            try:
                async with asyncio.timeout(self._lasts_s / 3):
                    await self._leases.renew(lease, lasts_s=self._lasts_s)
            except LeaseLostError:
                return
            except (ApplicationError, TimeoutError) as error:
                _log.warning("the lease cannot be renewed", extra={"scope": self._scope, "error": str(error)})
