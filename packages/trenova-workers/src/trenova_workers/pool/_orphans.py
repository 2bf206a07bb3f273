"""Workers of pools that a manager does not have any more: drained, told of, and no strangers meanwhile."""

import logging
from collections.abc import Callable, Sequence

from trenova_workers.pool._worker import PoolView, PoolWorker
from trenova_workers.pool.processes._orphans import OrphanProcesses
from trenova_workers.pool.store import Lease, PoolAuditEntry, PoolPhase, PoolState, PoolStore

_log = logging.getLogger(__name__)


class Orphanage:
    """Looks after the workers of pools that are no more, until they have ended.

    Args:
        store: Of everything.
        pools: Names of the manager's pools.
        say: Receives a line when a pool is found to be no more.

    Attributes:
        identities: Under which they poll or did: the server lists them for a while after their end.
    """

    def __init__(self, store: PoolStore, pools: Sequence[str], say: Callable[[str], None]) -> None:
        self._store, self._pools, self._say = store, frozenset(pools), say
        self._processes = OrphanProcesses(store, pools)
        self._there: dict[str, list[PoolWorker]] = {}
        self.identities: set[str] = set()

    @property
    def workers(self) -> list[PoolWorker]:
        """All that are there, as last seen."""
        return [one for of in self._there.values() for one in of]

    async def take_over(self, lease: Lease) -> None:
        """Forget the workers in the states of pools that are no more; those that are there come with the next look.

        Raises:
            LeaseLostError: Another manager may act.
        """
        self._there = {
            state.pool: []
            for state in await self._store.states.all(lease.scope)
            if state.workers and state.pool not in self._pools
        }
        for pool in self._there:
            await self._keep(lease, pool, [])

    async def tend(self, lease: Lease) -> None:
        """Drain what is there, and say so in the audit trail and in the states of their pools.

        Raises:
            LeaseLostError: Another manager may act.
        """
        there, ends = await self._processes.look(lease)
        for pool, of in ends.items():
            for end in of:
                await self._tell(lease, "end", pool, end.worker_id, end.said)
        for pool in sorted({*there, *self._there}):
            workers = there.get(pool, [])
            self.identities.update(one.identity for one in workers if one.identity)
            if workers and not self._there.get(pool):
                self._say(f"the pool {pool!r} is no more; draining its {len(workers)} workers")
            await self._drain(lease, pool, workers)
            await self._keep(lease, pool, workers)
        self._there = dict(there)

    async def _drain(self, lease: Lease, pool: str, workers: Sequence[PoolWorker]) -> None:
        why = f"the pool {pool} is no more"
        for worker in workers:
            if await self._processes.drain(lease, worker.id, why=why):
                _log.info("a worker of a pool that is no more is drained", extra={"pool": pool, "worker": worker.id})
                await self._tell(lease, "drain", pool, worker.id, why)

    async def _keep(self, lease: Lease, pool: str, workers: Sequence[PoolWorker]) -> None:
        state = PoolState(
            pool=pool,
            phase=PoolPhase.CHANGING if workers else PoolPhase.STEADY,
            why="The pool is no more; its workers are drained." if workers else "The pool is no more.",
            desired=0,
            written=0,
            counts=PoolView(workers).counts,
            build=workers[0].build if workers else "",
            fence=lease.fence,
            workers=tuple(one.model_dump(mode="json", by_alias=True) for one in workers),
        )
        await self._store.states.keep(lease, state)

    async def _tell(self, lease: Lease, action: str, pool: str, worker: str, reason: str) -> None:
        entry = PoolAuditEntry(
            actor=lease.holder[:200],
            action=action,
            pool=pool,
            worker=worker,
            reason=reason,
            source="manager",
            fence=lease.fence,
        )
        await self._store.audit.record(lease.scope, entry)
