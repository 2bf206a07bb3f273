"""What this and earlier managers started: enough to find each process again, and never to take another for it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime
from sqlalchemy import insert, or_, select, update
from sqlalchemy.engine import RowMapping

from trenova_workers.pool.store._clock import database_ms, from_ms
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._leases import Lease, Leases

Ending = Literal["drained", "stopped", "crashed", "ended", "killed"]
"""How a worker ended.

``drained``: we asked it to. ``killed``: we ended it by force. ``crashed``: by itself, with a status that is not 0 or
is not known. ``ended``: by itself with status 0, so somebody else asked it to. ``stopped``: before it was ready, on
our request.
"""


class WorkerRecord(PoolDocument):
    """One process that a manager started.

    Attributes:
        id: Ours, never used twice.
        scope: Of which manager.
        pool: Of which pool.
        fence: Number of the lease under which it was started.
        host: Of the machine.
        pid: Its process id, which is its process group too.
        born: What tells it from a later process of the same id: the boot of the machine and the time in it.
        build: What it runs.
        port: Loopback port on which it answers for its health.
        started_at: When.
        ready_at: When it first polled all its queues.
        identity: Under which it polls, once it said so.
        drain_at: When it was asked to drain; None while it was not.
        drain_why: Why.
        deadline_at: When its drain is ended by force.
        ordered_at: When an operator wanted it drained, as 0.6 wrote it; orders have a table of their own.
        ordered: Who wanted that and why, likewise: ``{"by", "reason"}``.
        ended_at: When its end was seen.
        ended: How it ended.
        status: Its exit status, negative for a signal; None where nobody could know.
    """

    id: str
    scope: str
    pool: str
    fence: int
    host: str
    pid: int
    born: str
    build: str
    port: int
    started_at: AwareDatetime
    ready_at: AwareDatetime | None = None
    identity: str | None = None
    drain_at: AwareDatetime | None = None
    drain_why: str | None = None
    deadline_at: AwareDatetime | None = None
    ordered_at: AwareDatetime | None = None
    ordered: Mapping[str, str] | None = None
    ended_at: AwareDatetime | None = None
    ended: Ending | None = None
    status: int | None = None


class WorkerRecords:
    """The records of a store.

    Args:
        engine: Of the store.
        leases: Of the same; everything is written under one.
    """

    def __init__(self, engine: PoolEngine, leases: Leases) -> None:
        self._engine = engine
        self._leases = leases
        self._table = engine.tables.workers

    async def add(
        self,
        lease: Lease,
        *,
        worker_id: str,
        pool: str,
        host: str,
        pid: int,
        born: str,
        build: str,
        port: int,
    ) -> None:
        """Keep a process that exists and waits for our word; it may become a worker once this has returned.

        Raises:
            LeaseLostError: It must not.
            UnavailableError: The database cannot be reached; it must not either.
        """
        row = {"id": worker_id, "pool": pool, "host": host, "pid": pid, "born": born, "build": build, "port": port}
        async with self._engine.write() as connection:
            now = await self._leases.hold(connection, lease)
            own = {"scope": lease.scope, "fence": lease.fence, "started_ms": now}
            await connection.execute(insert(self._table).values(**row, **own))

    async def ready(self, lease: Lease, worker_id: str, identity: str) -> None:
        """Note that it polls, and as whom."""
        await self._set(lease, worker_id, identity=identity, ready_ms=...)

    async def drain(self, lease: Lease, worker_id: str, *, why: str, deadline_s: float) -> None:
        """Note that it is asked to drain, before it is asked."""
        await self._set(lease, worker_id, drain_ms=..., drain_why=why, deadline_ms=deadline_s)

    async def end(self, lease: Lease, worker_id: str, *, ended: Ending, status: int | None) -> None:
        """Note that it is gone; what was noted first stays."""
        await self._set(lease, worker_id, ended_ms=..., ended=ended, status=status)

    async def alive(self, scope: str, pool: str | None = None) -> Sequence[WorkerRecord]:
        """Return those whose end has not been seen, the oldest first."""
        table = self._table
        where = [table.c.scope == scope, table.c.ended_ms.is_(None), *([table.c.pool == pool] if pool else [])]
        return await self._read(select(table).where(*where).order_by(table.c.started_ms, table.c.id))

    async def ended(self, scope: str, pool: str, *, within_s: float) -> Sequence[WorkerRecord]:
        """Return those that have ended lately, the oldest end first."""
        table = self._table
        async with self._engine.read() as connection:
            since = await database_ms(connection) - int(within_s * 1000)
        where = (table.c.scope == scope, table.c.pool == pool, table.c.ended_ms >= since)
        return await self._read(select(table).where(*where).order_by(table.c.ended_ms, table.c.id))

    async def now(self) -> AwareDatetime:
        """Return the time by the clock of the database, which all times of records are by."""
        async with self._engine.read() as connection:
            return from_ms(await database_ms(connection))

    async def find(self, scope: str, worker_id: str) -> WorkerRecord | None:
        """Return one, ended or not."""
        table = self._table
        found = await self._read(select(table).where(table.c.scope == scope, table.c.id == worker_id))
        return found[0] if found else None

    async def _read(self, query: Any) -> Sequence[WorkerRecord]:
        async with self._engine.read() as connection:
            return [_record(row) for row in (await connection.execute(query)).mappings()]

    async def _set(self, lease: Lease, worker_id: str, **values: Any) -> None:
        """Write under the lease; ``...`` is now, and a number for a time is seconds from now."""
        table = self._table
        first = next(name for name in values if name.endswith("_ms"))
        async with self._engine.write() as connection:
            now = await self._leases.hold(connection, lease)
            times = {
                name: now + int((0 if value is ... else value) * 1000)
                for name, value in values.items()
                if name.endswith("_ms")
            }
            where = (table.c.id == worker_id, or_(table.c[first].is_(None), table.c.ended_ms.is_(None)))
            await connection.execute(update(table).where(*where).values({**values, **times}))


_TIMES = ("started", "ready", "drain", "deadline", "ordered", "ended")


def _record(row: RowMapping) -> WorkerRecord:
    told = {name: value for name, value in row.items() if not name.endswith("_ms")}
    times = {f"{name}_at": None if row[f"{name}_ms"] is None else from_ms(row[f"{name}_ms"]) for name in _TIMES}
    return WorkerRecord(**told, **times)
