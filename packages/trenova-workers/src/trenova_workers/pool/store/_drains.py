"""Workers that an operator wants drained, whatever runs them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from trenova_store import upsert
from trenova_workers.pool.store._audit import PoolAudit, PoolAuditEntry
from trenova_workers.pool.store._clock import database_ms
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._leases import Lease, Leases


@dataclass(frozen=True)
class DrainOrder:
    """One worker that shall end.

    Attributes:
        by: Who wants that.
        reason: Why.
        in_turn: It is replaced first, and the next one is drained when it has ended; else it is drained at once.
    """

    by: str
    reason: str
    in_turn: bool


class DrainOrders:
    """The orders of a store; each is written together with its entry in the audit trail.

    Args:
        engine: Of the store.
        leases: Of the same.
        audit: Of the same.
    """

    def __init__(self, engine: PoolEngine, leases: Leases, audit: PoolAudit) -> None:
        self._engine, self._leases, self._audit, self._table = engine, leases, audit, engine.tables.drains

    async def order(self, scope: str, workers: Sequence[str], entry: PoolAuditEntry, *, in_turn: bool = False) -> None:
        """Have workers of one pool drained; the pool is that of the entry.

        Args:
            scope: Of the manager.
            workers: Their ids.
            entry: Who wants that, and why.
            in_turn: One after the other, each replaced first; else all at once.
        """
        async with self._engine.write() as connection:
            now = await database_ms(connection)
            for worker in workers:
                row = {
                    "scope": scope,
                    "pool": entry.pool,
                    "worker": worker,
                    "ordered_ms": now,
                    "ordered_by": entry.actor,
                    "reason": entry.reason or "",
                    "in_turn": in_turn,
                }
                await upsert(connection, self._table, [row], key=("scope", "pool", "worker"))
            await self._audit.within(connection, scope, entry)

    async def find(self, scope: str, pool: str) -> Mapping[str, DrainOrder]:
        """Return the orders about a pool, by the id of the worker."""
        table = self._table
        query = select(table).where(table.c.scope == scope, table.c.pool == pool)
        async with self._engine.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {
            row["worker"]: DrainOrder(by=row["ordered_by"], reason=row["reason"], in_turn=row["in_turn"])
            for row in rows
        }

    async def forget(self, lease: Lease, pool: str, workers: Collection[str]) -> None:
        """Remove the orders about workers that have ended.

        Raises:
            LeaseLostError: Another manager heeds them.
        """
        table = self._table
        where = (table.c.scope == lease.scope, table.c.pool == pool, table.c.worker.in_(workers))
        async with self._engine.write() as connection:
            await self._leases.hold(connection, lease)
            await connection.execute(delete(table).where(*where))
