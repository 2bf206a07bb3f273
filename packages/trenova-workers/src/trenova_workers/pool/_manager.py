"""The pool manager: one of several acts, and looks after all pools of its scope."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers.pool._budget import allowances
from trenova_workers.pool._leading import Leadership
from trenova_workers.pool._managed import ManagedPool
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool.store import Lease, LeaseLostError, PoolAuditEntry, PoolStore

_AGAIN_S: Final = 2.0
_log = logging.getLogger(__name__)


class PoolManager:
    """Observes, decides and acts, while it has the lease of its scope; otherwise it waits for it.

    Args:
        options: As it was told.
        pools: One for each of the options.
        store: Where lease and everything else is kept.
        holder: Identity of this manager, unlike every other's.
        metrics: Told whether this one acts.
        say: Receives a line when this manager begins to act or to wait.
    """

    def __init__(
        self,
        options: PoolsOptions,
        pools: Sequence[ManagedPool],
        store: PoolStore,
        *,
        holder: str,
        metrics: PoolMetrics,
        say: Callable[[str], None] = _log.info,
    ) -> None:
        self._options, self._pools, self._store, self._holder = options, pools, store, holder
        self._metrics, self._say = metrics, say
        self._leadership = Leadership(store.leases, options.scope, holder, lasts_s=options.lease_s)
        self.leads = asyncio.Event()
        """Set while this manager acts."""
        self.turned_at = time.monotonic()
        """When its loop last turned, whether it acts or waits for the lease, by the steady clock."""

    async def run(self, stop: asyncio.Event, *, drain: bool = False) -> None:
        """Manage until told to stop.

        Args:
            stop: Set it to stop. Workers go on; the next manager adopts them.
            drain: Drain all workers before, if this manager has the lease then.

        Raises:
            Exception: Something that nobody expected; workers go on.
        """
        waiting = False
        while not stop.is_set():
            self.turned_at = time.monotonic()
            lease = await self._take()
            if lease is None:
                if not waiting:
                    self._say(f"another manager has the lease of {self._options.scope!r}; waiting for it")
                waiting = True
                await _unless(stop, min(self._options.lease_s / 4, 2.0))
                continue
            waiting = False
            self._say(f"managing {len(self._pools)} pools of {self._options.scope!r} (lease number {lease.fence})")
            try:
                await self._leadership.lead(lease, lambda held: self._lead(held, stop, drain=drain))
            except ApplicationError as error:
                _log.warning("managing is interrupted", extra={"error": error.message})
                await _unless(stop, _AGAIN_S)

    async def _take(self) -> Lease | None:
        try:
            return await self._leadership.take()
        except ApplicationError as error:
            _log.warning("the lease cannot be taken", extra={"error": error.message})
            await asyncio.sleep(_AGAIN_S)
            return None

    async def _lead(self, lease: Lease, stop: asyncio.Event, *, drain: bool) -> None:
        entry = PoolAuditEntry(actor=self._holder[:200], action="take", source="manager", fence=lease.fence)
        await self._store.audit.record(lease.scope, entry)
        for pool in self._pools:
            await pool.take_over(lease)
        self._metrics.leads = True
        self.leads.set()
        try:
            while not stop.is_set():
                self.turned_at = time.monotonic()
                await self._turn(lease)
                await _unless(stop, self._options.look_s)
            if drain:
                await self._drain(lease)
        finally:
            self._metrics.leads = False
            self.leads.clear()

    async def _turn(self, lease: Lease) -> None:
        """Tend every pool, then decide about those whose time has come.

        A pool that fails does not hold up the others.
        """
        await asyncio.gather(*(self._tend(lease, pool) for pool in self._pools))
        due = [pool for pool in self._pools if pool.due]
        decisions = await asyncio.gather(*(pool.observe(lease.scope) for pool in due))
        demands = dict(zip(due, decisions, strict=True))
        for pool, allowed in allowances(self._pools, demands, self._options.budget).items():
            if pool in demands:
                await pool.settle(lease, demands[pool], allowed.desired, allowed.why)
            else:
                await pool.reallot(lease, allowed.desired, allowed.why)
        await asyncio.gather(*(self._tend(lease, pool) for pool in due))

    async def _tend(self, lease: Lease, pool: ManagedPool) -> None:
        """Look after a pool; what keeps it from that is said in its state."""
        try:
            await pool.tend(lease)
        except LeaseLostError:
            raise
        except (ConfigurationError, OSError) as error:
            told = error if isinstance(error, ConfigurationError) else ConfigurationError(str(error))
            _log.warning("a pool cannot be looked after", extra={"pool": pool.name, "error": told.message})
            await pool.fail(lease, told)

    async def _drain(self, lease: Lease) -> None:
        """Drain all workers and wait for their ends."""
        for pool in self._pools:
            pool.want_none()
        self._say("draining all workers")
        while True:
            self.turned_at = time.monotonic()
            await asyncio.gather(*(self._tend(lease, pool) for pool in self._pools))
            if not any(pool.view.workers for pool in self._pools):
                return
            await asyncio.sleep(self._options.look_s)


async def _unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so long, or until it is told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
