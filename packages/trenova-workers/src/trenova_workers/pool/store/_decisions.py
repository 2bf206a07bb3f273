"""Every decision with its inputs and its sentence, kept for as long as there is room."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from pydantic import AwareDatetime, Field
from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import RowMapping

from trenova_workers.pool.store._clock import database_ms, from_ms
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._leases import Lease, Leases

DECISIONS_KEPT: Final = 20_000
"""Decisions of one pool; the oldest go first."""

_PRUNE_EVERY: Final = 200


class KeptDecision(PoolDocument):
    """One decision.

    Attributes:
        number: Grows with every decision of any pool.
        at: When it was kept.
        pool: About which pool.
        action: What was decided.
        before: Workers that the pool should have had before.
        desired: And after.
        why: One sentence.
        fence: Number of the lease under which it was made.
        document: All of it: inputs, candidates, clamps.
    """

    number: int = 0
    at: AwareDatetime | None = None
    pool: str
    action: str
    before: int
    desired: int
    why: str
    fence: int = 0
    document: Mapping[str, Any] = Field(default_factory=dict)


class DecisionPage(PoolDocument):
    """Decisions, newest first, and what to ask with for the next page."""

    decisions: tuple[KeptDecision, ...]
    next_cursor: int | None = None


class HistoryPoint(PoolDocument):
    """A pool in one part of a time that is past; None is what nobody knew.

    Attributes:
        at: When that part began.
        workers: That ran, at its last decision.
        desired: That there should be after it.
        backlog: Tasks that waited, the most of that part.
    """

    at: AwareDatetime
    workers: int | None = None
    desired: int
    backlog: float | None = None


class PoolHistory(PoolDocument):
    """A time that is past in equal parts, oldest first; parts without a decision are left out."""

    points: tuple[HistoryPoint, ...]
    part_s: float


class Decisions:
    """The decisions of a store.

    Args:
        engine: Of the store.
        leases: Of the same.
        kept: How many of each pool.
    """

    def __init__(self, engine: PoolEngine, leases: Leases, *, kept: int = DECISIONS_KEPT) -> None:
        self._engine, self._leases, self._table, self._kept = engine, leases, engine.tables.decisions, kept
        self._added: Counter[str] = Counter()

    async def keep(self, lease: Lease, decision: KeptDecision) -> None:
        """Add a decision, and now and then forget the oldest.

        Raises:
            LeaseLostError: It was not this manager's to make.
        """
        table = self._table
        async with self._engine.write() as connection:
            now = await self._leases.hold(connection, lease)
            row = {
                **decision.model_dump(include={"pool", "action", "before", "desired", "why"}),
                "scope": lease.scope,
                "at_ms": now,
                "fence": lease.fence,
                "document": dict(decision.document),
            }
            await connection.execute(insert(table).values(row))
            self._added[decision.pool] += 1
            if self._added[decision.pool] % min(_PRUNE_EVERY, self._kept) == 0:
                own = (table.c.scope == lease.scope, table.c.pool == decision.pool)
                ranked = select(table.c.number).where(*own).order_by(table.c.number.desc())
                last = ranked.offset(self._kept).limit(1).scalar_subquery()
                await connection.execute(delete(table).where(*own, table.c.number <= last))

    async def read(
        self, scope: str, pool: str, *, cursor: int | None = None, limit: int = 100, changes: bool = False
    ) -> DecisionPage:
        """Return a page, newest first; decisions that arrive meanwhile shift no page.

        Args:
            scope: Of which manager.
            pool: About which pool.
            cursor: ``next_cursor`` of the page before.
            limit: How many at most.
            changes: Only those that changed the count.
        """
        table = self._table
        where = [table.c.scope == scope, table.c.pool == pool]
        if cursor is not None:
            where.append(table.c.number < cursor)
        if changes:
            where.append(table.c.before != table.c.desired)
        query = select(table).where(*where).order_by(table.c.number.desc()).limit(limit + 1)
        async with self._engine.read() as connection:
            rows = list((await connection.execute(query)).mappings())
        more, rows = len(rows) > limit, rows[:limit]
        return DecisionPage(
            decisions=tuple(_decision(row) for row in rows), next_cursor=rows[-1]["number"] if more else None
        )

    async def history(self, scope: str, pool: str, *, hours: float, parts: int) -> PoolHistory:
        """Return how many workers there were and what waited in the last hours, as far as decisions are kept.

        Args:
            scope: Of which manager.
            pool: Of which pool.
            hours: How far back.
            parts: Into how many parts that time is divided.
        """
        table, part_ms = self._table, max(int(hours * 3_600_000 / parts), 1)
        seen = table.c.document["observation"]
        async with self._engine.read() as connection:
            since = await database_ms(connection) - int(hours * 3_600_000)
            query = (
                select(table.c.at_ms, table.c.desired, seen["workers"]["running"], seen["backlog"])
                .where(table.c.scope == scope, table.c.pool == pool, table.c.at_ms >= since)
                .order_by(table.c.number)
            )
            rows = list(await connection.execute(query))
        found: dict[int, HistoryPoint] = {}
        for at_ms, desired, running, backlog in rows:
            part = (at_ms - since) // part_ms
            before = found.get(part)
            waited = [one for one in (backlog, before.backlog if before else None) if one is not None]
            found[part] = HistoryPoint(
                at=from_ms(since + part * part_ms),
                workers=running if running is not None or before is None else before.workers,
                desired=desired,
                backlog=max(waited, default=None),
            )
        return PoolHistory(points=tuple(found[part] for part in sorted(found)), part_s=part_ms / 1000)

    async def count(self, scope: str, pool: str) -> int:
        """Return how many there are of a pool."""
        table = self._table
        query = select(func.count()).where(table.c.scope == scope, table.c.pool == pool)
        async with self._engine.read() as connection:
            return int((await connection.execute(query)).scalar_one())


def _decision(row: RowMapping) -> KeptDecision:
    told = {name: value for name, value in row.items() if name not in {"scope", "at_ms"}}
    return KeptDecision(at=from_ms(row["at_ms"]), **told)
