"""Where operators ask and order: the same for the API and for the command line."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_workers.pool._reports import (
    PoolReport,
    PoolsReport,
    WorkersReport,
    manager_report,
    pool_report,
)
from trenova_workers.pool._worker import PoolWorker
from trenova_workers.pool.store import DecisionPage, PoolAuditEntry, PoolAuditPage, PoolHistory, PoolState, PoolStore
from trenova_workers.scaling import Override

LONGEST_OVERRIDE: Final = timedelta(days=7)


@dataclass(frozen=True)
class Clerk:
    """Who orders something, and over what.

    Attributes:
        name: As the audit trail shows it.
        source: ``rest`` or ``cli``.
        request_id: Of the request.
        through: Whose token it came with, where a program orders on behalf of a person; empty otherwise.
    """

    name: str
    source: str
    request_id: str | None = None
    through: str = ""

    def entry(self, action: str, *, reason: str, pool: str = "", worker: str | None = None) -> PoolAuditEntry:
        """Return an entry of the audit trail."""
        return PoolAuditEntry(
            actor=self.name[:200],
            action=action,
            pool=pool,
            worker=worker,
            reason=reason,
            source=self.source,
            request_id=self.request_id,
            detail={"through": self.through[:200]} if self.through else None,
        )


class PoolDesk:
    """Answers about the pools of one scope, and takes orders for their manager, which heeds them within seconds.

    Args:
        store: Where everything is kept.
        scope: Of the manager.
        pools: Names of its pools.
    """

    def __init__(self, store: PoolStore, scope: str, pools: Collection[str]) -> None:
        self._store, self._scope, self._pools = store, scope, tuple(pools)

    async def pools(self) -> PoolsReport:
        """Return all pools, also those that are no more and have workers still."""
        manager = manager_report(self._scope, await self._store.leases.holder(self._scope))
        states = {state.pool: state for state in await self._store.states.all(self._scope)}
        now = await self._store.states.now()
        found = [
            pool_report(
                name,
                states.get(name),
                await self._store.orders.find(self._scope, name),
                acting=manager.acting,
                now=now,
            )
            for name in [*self._pools, *_leaving(states.values(), self._pools)]
        ]
        return PoolsReport(manager=manager, pools=tuple(found))

    async def pool(self, name: str) -> PoolReport:
        """Return one pool.

        Raises:
            ResourceNotFoundError: There is none of that name.
        """
        for pool in (await self.pools()).pools:
            if pool.name == name:
                return pool
        raise ResourceNotFoundError.of("pool", name, scope=self._scope)

    async def workers(self) -> WorkersReport:
        """Return all workers that have not ended, as their manager saw them last."""
        states = await self._store.states.all(self._scope)
        return WorkersReport(workers=tuple(PoolWorker.model_validate(one) for state in states for one in state.workers))

    async def decisions(
        self, name: str, *, cursor: int | None = None, limit: int = 100, changes: bool = False
    ) -> DecisionPage:
        """Return decisions about a pool, newest first; see `Decisions.read`.

        Raises:
            ResourceNotFoundError: There is none of that name.
        """
        self._require(name)
        return await self._store.decisions.read(self._scope, name, cursor=cursor, limit=limit, changes=changes)

    async def history(self, name: str, *, hours: float, parts: int) -> PoolHistory:
        """Return how many workers a pool had and what waited; see `Decisions.history`.

        Raises:
            ResourceNotFoundError: There is none of that name.
        """
        self._require(name)
        return await self._store.decisions.history(self._scope, name, hours=hours, parts=parts)

    async def audit(self, *, pool: str | None = None, cursor: int | None = None, limit: int = 100) -> PoolAuditPage:
        """Return who did what, newest first."""
        return await self._store.audit.read(self._scope, pool=pool, cursor=cursor, limit=limit)

    async def now(self) -> datetime:
        """Return the time by the clock of the database."""
        return await self._store.states.now()

    async def override(self, name: str, count: int, until: datetime, reason: str, clerk: Clerk) -> PoolReport:
        """Fix the number of workers until a time.

        Raises:
            ResourceNotFoundError: There is no such pool.
            InvalidInputError: That time is past or more than a week ahead, or the reason is blank.
        """
        self._require(name)
        reason = _given(reason)
        if until - await self.now() > LONGEST_OVERRIDE:
            raise InvalidInputError(
                f"An override ends within {LONGEST_OVERRIDE.days} days. Choose an earlier time, or change the pool's "
                "policy.",
                until=until.isoformat(),
            )
        wanted = Override(count=count, until=until, by=clerk.name[:200], reason=reason)
        entry = clerk.entry("override", reason=reason)
        detail = {**(entry.detail or {}), **wanted.model_dump(mode="json")}
        await self._store.orders.override(self._scope, name, wanted, entry.model_copy(update={"detail": detail}))
        return await self.pool(name)

    async def pause(self, name: str, reason: str, clerk: Clerk) -> PoolReport:
        """Leave a pool at its number of workers.

        Raises:
            ResourceNotFoundError: There is no such pool.
        """
        self._require(name)
        await self._store.orders.pause(self._scope, name, clerk.entry("pause", reason=_given(reason)))
        return await self.pool(name)

    async def resume(self, name: str, reason: str, clerk: Clerk) -> PoolReport:
        """Let load decide again: neither pause nor override is left, and a crash loop is tried anew.

        Raises:
            ResourceNotFoundError: There is no such pool.
        """
        self._require(name)
        await self._store.orders.resume(self._scope, name, clerk.entry("resume", reason=_given(reason)))
        return await self.pool(name)

    async def drain(self, worker_id: str, reason: str, clerk: Clerk) -> PoolWorker:
        """Have a worker drained at once; the pool makes up for it if it needs as many.

        Raises:
            ResourceNotFoundError: There is no such worker, or it has ended.
        """
        worker = next((one for one in (await self.workers()).workers if one.id == worker_id), None)
        if worker is None:
            raise ResourceNotFoundError.of("worker", worker_id, scope=self._scope)
        entry = clerk.entry("order-drain", reason=_given(reason), pool=worker.pool, worker=worker_id)
        await self._store.drains.order(self._scope, [worker_id], entry)
        return worker

    async def drain_pool(self, name: str, reason: str, clerk: Clerk) -> PoolReport:
        """Have all workers drained that a pool has now, one after the other, each replaced first if it is needed.

        Raises:
            ResourceNotFoundError: There is no such pool.
        """
        self._require(name)
        there = [one.id for one in (await self.workers()).workers if one.pool == name and one.counts]
        entry = clerk.entry("order-drain", reason=_given(reason), pool=name)
        entry = entry.model_copy(update={"detail": {"workers": len(there)}})
        await self._store.drains.order(self._scope, there, entry, in_turn=True)
        return await self.pool(name)

    def _require(self, name: str) -> None:
        if name not in self._pools:
            known = ", ".join(self._pools)
            raise ResourceNotFoundError(
                f"There is no pool {name!r} in the scope {self._scope!r}; there are {known}.", scope=self._scope
            )


def _given(reason: str) -> str:
    """Return a reason, which the audit trail keeps.

    Raises:
        InvalidInputError: It is blank.
    """
    if not reason.strip():
        raise InvalidInputError("The reason is blank. Say why, in a few words: the audit trail keeps it.")
    return reason.strip()


def _leaving(states: Iterable[PoolState], pools: Collection[str]) -> list[str]:
    """Return the names of pools that are no more and whose workers are drained still."""
    return [state.pool for state in states if state.workers and state.pool not in pools]
