"""What operators want of a pool: a fixed count for a while, or that it is left alone."""

from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import InvalidInputError
from trenova_store import upsert
from trenova_workers.pool.store._audit import PoolAudit, PoolAuditEntry
from trenova_workers.pool.store._clock import database_ms, from_ms, to_ms
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.scaling import Override


class Pause(PoolDocument):
    """Who wants a pool left alone, since when and why."""

    by: str
    reason: str
    since: AwareDatetime


class PoolOrders(PoolDocument):
    """What is wanted of one pool.

    Attributes:
        pool: Which.
        pause: None unless it is paused.
        override: None unless one holds now; one that is over is not told any more.
        resumed_at: When it was last resumed; None if something was ordered since.
    """

    pool: str
    pause: Pause | None = None
    override: Override | None = None
    resumed_at: AwareDatetime | None = None


class OrderBook:
    """The orders of a store. Each is written together with its entry in the audit trail.

    Args:
        engine: Of the store.
        audit: Of the same.
    """

    def __init__(self, engine: PoolEngine, audit: PoolAudit) -> None:
        self._engine, self._audit, self._table = engine, audit, engine.tables.orders

    async def find(self, scope: str, pool: str) -> PoolOrders:
        """Return what is wanted of a pool now."""
        async with self._engine.read() as connection:
            return await self._find(connection, scope, pool)

    async def override(self, scope: str, pool: str, wanted: Override, entry: PoolAuditEntry) -> PoolOrders:
        """Fix the count of a pool until a time.

        Raises:
            InvalidInputError: That time is past by the database's clock.
        """
        async with self._engine.write() as connection:
            now = await database_ms(connection)
            if to_ms(wanted.until) <= now:
                raise InvalidInputError(
                    f"The override would end at {wanted.until.isoformat()}, and it is "
                    f"{from_ms(now).isoformat(timespec='seconds')} now. Choose a later time.",
                    until=wanted.until.isoformat(),
                )
            found = await self._find(connection, scope, pool)
            return await self._write(connection, scope, found.model_copy(update={"override": wanted}), entry)

    async def pause(self, scope: str, pool: str, entry: PoolAuditEntry) -> PoolOrders:
        """Leave a pool at its count; one that is paused stays as it is."""
        async with self._engine.write() as connection:
            now = await database_ms(connection)
            found = await self._find(connection, scope, pool)
            pause = found.pause or Pause(by=entry.actor, reason=entry.reason or "", since=from_ms(now))
            return await self._write(connection, scope, found.model_copy(update={"pause": pause}), entry)

    async def resume(self, scope: str, pool: str, entry: PoolAuditEntry) -> PoolOrders:
        """Let the law decide again: neither pause nor override is left."""
        async with self._engine.write() as connection:
            return await self._write(connection, scope, PoolOrders(pool=pool), entry)

    async def _find(self, connection: AsyncConnection, scope: str, pool: str) -> PoolOrders:
        table = self._table
        query = select(table).where(table.c.scope == scope, table.c.pool == pool)
        row = (await connection.execute(query)).mappings().first()
        now = from_ms(await database_ms(connection))
        return PoolOrders(pool=pool) if row is None else _orders(row, now)

    async def _write(
        self, connection: AsyncConnection, scope: str, orders: PoolOrders, entry: PoolAuditEntry
    ) -> PoolOrders:
        row = {
            "scope": scope,
            "pool": orders.pool,
            "updated_ms": await database_ms(connection),
            "paused": orders.pause is not None,
            "pause": orders.pause and orders.pause.model_dump(mode="json"),
            "override": orders.override and orders.override.model_dump(mode="json"),
        }
        await upsert(connection, self._table, [row], key=("scope", "pool"))
        await self._audit.within(connection, scope, entry.model_copy(update={"pool": orders.pool}))
        return orders


def _orders(row: RowMapping, now: datetime) -> PoolOrders:
    override = None if row["override"] is None else Override.model_validate(row["override"])
    return PoolOrders(
        pool=row["pool"],
        pause=None if row["pause"] is None else Pause.model_validate(row["pause"]),
        override=override if override is not None and override.until > now else None,
        resumed_at=from_ms(row["updated_ms"]) if override is None and row["pause"] is None else None,
    )
