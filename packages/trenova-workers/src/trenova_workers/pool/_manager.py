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
from trenova_workers.pool._orphans import Orphanage
from trenova_workers.pool._staying import running_pids, said_of_ours, said_of_strangers
from trenova_workers.pool._worker import WorkerPhase
from trenova_workers.pool.store import Lease, LeaseLostError, PoolAuditEntry, PoolStore

_AGAIN_S: Final = 2.0
_STUCK_S: Final = 15.0
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
        self._orphanage = Orphanage(store, [pool.name for pool in pools], say)
        self._has_drained = False
        self._leadership = Leadership(store.leases, options.scope, holder, lasts_s=options.lease_s)
        self.leads = asyncio.Event()
        """Set while this manager acts."""
        self.turned_at = time.monotonic()
        """When its loop last turned, whether it acts or waits for the lease, by the steady clock."""

    async def run(self, stop: asyncio.Event, *, drain: bool = False) -> list[str]:
        """Manage until told to stop.

        Args:
            stop: Set it to stop. Workers go on; the next manager adopts them.
            drain: Drain all workers before, also of pools that are left alone because somebody else changes them. A
                lease that another manager has is waited for until it would have run out.

        Returns:
            With ``drain``, a sentence about each pool on whose queues workers still are, why, and what to do.

        Raises:
            Exception: Something that nobody expected; workers go on.
        """
        await self._manage(stop, drain=drain)
        return await self._drained(stop) if drain else []

    async def _manage(self, stop: asyncio.Event, *, drain: bool) -> None:
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

    async def _drained(self, stop: asyncio.Event) -> list[str]:
        """Drain, if that was not done under the lease until now; say what still runs."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._options.lease_s + _AGAIN_S
        while not self._has_drained and loop.time() < end:
            if (lease := await self._take()) is None:
                await asyncio.sleep(self._options.lease_s / 10)
                continue
            try:
                await self._leadership.lead(lease, lambda held: self._lead(held, stop, drain=True))
            except ApplicationError as error:
                _log.warning("draining is interrupted", extra={"error": error.message})
        return await self._staying()

    async def _staying(self) -> list[str]:
        pids = await running_pids(self._store, self._options.scope)
        if self._has_drained:
            why = "They did not end; end each with `kill PID`, or look at its output"
            there = {pool.name: [one.id for one in pool.view.workers] for pool in self._pools}
            others = [
                f"pool {name!r}: {len(ids)} workers still there ({', '.join(ids)}); the log says why they could not be "
                "drained."
                for name, ids in there.items()
                if ids and name not in pids
            ]
        else:
            holder = await self._store.leases.holder(self._options.scope)
            who = holder.holder if holder else "nobody"
            why = (
                f"The lease of {self._options.scope!r} is {who}'s, and so is the word over these workers. Stop that "
                "manager with them (`pool run --drain`), or end each with `kill PID` after it"
            )
            others = []
        strangers = [said for pool in self._pools for said in said_of_strangers(pool.name, *pool.strangers)]
        return [*said_of_ours(pids, why), *others, *strangers]

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
        await self._orphanage.take_over(lease)
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
        await self._tend_orphans(lease)
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

    async def _tend_orphans(self, lease: Lease) -> None:
        """Drain the workers of pools that are no more; until they have ended they are strangers to nobody."""
        try:
            await self._orphanage.tend(lease)
        except OSError as error:
            _log.warning("a worker of a pool that is no more cannot be drained", extra={"error": str(error)})
        for pool in self._pools:
            pool.kin = self._orphanage.identities

    async def _drain(self, lease: Lease) -> None:
        """Drain all workers and wait for their ends, unless for a while none is even on its way."""
        loop = asyncio.get_running_loop()
        moved = loop.time()
        self._say("draining all workers")
        while True:
            self.turned_at = time.monotonic()
            for pool in self._pools:
                pool.want_none()
            await asyncio.gather(*(self._tend(lease, pool) for pool in self._pools))
            await self._tend_orphans(lease)
            there = [*self._orphanage.workers, *(one for pool in self._pools for one in pool.view.workers)]
            if any(one.phase is WorkerPhase.DRAINING for one in there):
                moved = loop.time()
            if not there or loop.time() - moved > _STUCK_S:
                self._has_drained = True
                return
            await asyncio.sleep(self._options.look_s)


async def _unless(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so long, or until it is told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
