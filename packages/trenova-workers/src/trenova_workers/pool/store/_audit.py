"""Who did what to which pool, when and why: only ever added to."""

import uuid
from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, Field
from sqlalchemy import insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_workers.pool.store._clock import database_ms, from_ms
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._engine import PoolEngine


class PoolAuditEntry(PoolDocument):
    """One act.

    Attributes:
        id: Its own.
        at: When it was written; None before.
        actor: Whose, or the manager's identity.
        action: What: ``override``, ``pause``, ``resume``, ``drain``, ``start``, ``end``, ``take``, ...
        pool: Of which pool.
        worker: Which worker; None for the pool as a whole.
        reason: Why.
        source: ``rest``, ``cli`` or ``manager``.
        request_id: Of the request.
        fence: Number of the lease under which a manager did it.
        detail: More for programs.
    """

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    at: AwareDatetime | None = None
    actor: str
    action: str
    pool: str = ""
    worker: str | None = None
    reason: str | None = None
    source: str
    request_id: str | None = None
    fence: int | None = None
    detail: Mapping[str, Any] | None = None


class PoolAuditPage(PoolDocument):
    """Entries, newest first, and what to ask with for the next page."""

    entries: tuple[PoolAuditEntry, ...]
    next_cursor: int | None = None


class PoolAudit:
    """The audit trail; triggers of the database refuse to change or delete what is in it.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: PoolEngine) -> None:
        self._engine, self._table = engine, engine.tables.audit

    async def record(self, scope: str, entry: PoolAuditEntry) -> None:
        """Add an entry."""
        async with self._engine.write() as connection:
            await self.within(connection, scope, entry)

    async def within(self, connection: AsyncConnection, scope: str, entry: PoolAuditEntry) -> None:
        """Add an entry in the transaction that does what it tells of."""
        now = await database_ms(connection)
        row = {**entry.model_dump(exclude={"at"}), "scope": scope, "at_ms": now}
        await connection.execute(insert(self._table).values(row))

    async def read(
        self, scope: str, *, pool: str | None = None, cursor: int | None = None, limit: int = 100
    ) -> PoolAuditPage:
        """Return a page, newest first; entries that arrive meanwhile shift no page."""
        table = self._table
        where = [table.c.scope == scope]
        if pool is not None:
            where.append(table.c.pool == pool)
        if cursor is not None:
            where.append(table.c.number < cursor)
        query = select(table).where(*where).order_by(table.c.number.desc()).limit(limit + 1)
        async with self._engine.read() as connection:
            rows = list((await connection.execute(query)).mappings())
        more, rows = len(rows) > limit, rows[:limit]
        return PoolAuditPage(
            entries=tuple(_entry(row) for row in rows), next_cursor=rows[-1]["number"] if more else None
        )


def _entry(row: RowMapping) -> PoolAuditEntry:
    told = {name: value for name, value in row.items() if name not in {"number", "at_ms", "scope"}}
    return PoolAuditEntry(at=from_ms(row["at_ms"]), **told)
