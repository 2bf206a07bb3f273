"""Carries out what was planned, and leaves a line about it in the audit trail."""

import logging
from collections.abc import Mapping

from trenova_errors import ApplicationError
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._plan import Plan
from trenova_workers.pool._worker import PoolView, PoolWorker
from trenova_workers.pool.store import Lease, LeaseLostError, PoolAuditEntry, PoolStore

_log = logging.getLogger(__name__)


class Acting:
    """The acts of one pool.

    Args:
        pool: Name of the pool.
        backend: Of the pool.
        store: For the audit trail.
        metrics: Told what is done.
    """

    def __init__(self, pool: str, backend: Backend, store: PoolStore, metrics: PoolMetrics) -> None:
        self._pool, self._backend, self._store, self._metrics = pool, backend, store, metrics

    async def ordered(self, lease: Lease, view: PoolView) -> PoolView:
        """Return the workers with what operators want of them; orders about those that have ended are forgotten.

        Raises:
            LeaseLostError: Another manager may act.
        """
        drains = await self._store.drains.find(lease.scope, self._pool)
        gone = set(drains) - {one.id for one in view.workers}
        if gone:
            await self._store.drains.forget(lease, self._pool, gone)
        return view.ordered(drains)

    async def tell_ends(self, lease: Lease, view: PoolView) -> None:
        """Leave a line about every worker that has ended."""
        for end in view.ends:
            await self._tell_end(lease, end.worker_id, crashed=end.crashed, said=end.said, ours=end.ours)

    async def carry_out(self, lease: Lease, plans: Mapping[str, Plan], view: PoolView) -> int | None:
        """Do it; return by how many the number of workers, drains apart, has changed; None if that is not known.

        What cannot be started or drained is logged and planned again by the next look.

        Args:
            lease: Under which it is done.
            plans: By the build of which workers are started.
            view: What was planned for.

        Raises:
            LeaseLostError: Another manager may act; the rest was not done.
        """
        workers = {one.id: one for one in view.workers}
        planned = {drain.worker_id: drain.why for plan in plans.values() for drain in plan.drains}
        ordered = {one.id: one.ordered for one in view.workers if one.ordered and one.counts}
        drains = {**planned, **ordered}
        done = [await self._drain(lease, workers[worker_id], why) for worker_id, why in drains.items()]
        starts = {build: plan.start for build, plan in plans.items() if plan.start}
        done += [await self._start(lease, count, build) for build, count in starts.items()]
        return sum(starts.values()) - len(drains) if all(done) else None

    async def _start(self, lease: Lease, count: int, build: str) -> bool:
        try:
            await self._backend.start(lease, count, build=build)
        except LeaseLostError:
            raise
        except (ApplicationError, OSError) as error:
            _log.warning("workers could not be started", extra={"pool": self._pool, "error": str(error)})
            return False
        self._metrics.count(self._pool, starts=count)
        await self._tell(lease, "start", detail={"count": count, "build": build})
        return True

    async def _drain(self, lease: Lease, worker: PoolWorker, why: str) -> bool:
        try:
            await self._backend.drain(lease, worker.id, why=why)
        except LeaseLostError:
            raise
        except (ApplicationError, OSError) as error:
            facts = {"pool": self._pool, "worker": worker.id, "error": str(error)}
            _log.warning("a worker could not be drained", extra=facts)
            return False
        self._metrics.count(self._pool, drains=1)
        await self._tell(lease, "drain", worker=worker.id, reason=why)
        return True

    async def _tell_end(self, lease: Lease, worker_id: str, *, crashed: bool, said: str, ours: bool) -> None:
        if crashed:
            self._metrics.count(self._pool, crashes=1)
            _log.warning("a worker crashed", extra={"pool": self._pool, "worker": worker_id, "how": said})
        action = "crash" if crashed else "end"
        await self._tell(lease, action, worker=worker_id, reason=said, detail={"asked": ours})

    async def _tell(
        self,
        lease: Lease,
        action: str,
        *,
        worker: str | None = None,
        reason: str | None = None,
        detail: dict[str, object] | None = None,
    ) -> None:
        entry = PoolAuditEntry(
            actor=lease.holder[:200],
            action=action,
            pool=self._pool,
            worker=worker,
            reason=reason,
            source="manager",
            fence=lease.fence,
            detail=detail,
        )
        await self._store.audit.record(lease.scope, entry)
