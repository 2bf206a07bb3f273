"""What a manager carries from one look to the next, and what everybody may read of a pool."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field
from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from trenova_store import upsert
from trenova_workers.pool.store._clock import database_ms, from_ms
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._leases import Lease, Leases


class PoolPhase(StrEnum):
    """Where a pool is.

    ``steady`` has what it should; ``changing`` is on the way there; ``paused`` is left at its count by an operator;
    ``contended`` is left alone because somebody else changes it; ``crashing`` is not started again for a while;
    ``blind`` is held, because what decides about it cannot be seen.
    """

    STEADY = "steady"
    CHANGING = "changing"
    PAUSED = "paused"
    CONTENDED = "contended"
    CRASHING = "crashing"
    BLIND = "blind"


class PoolBounds(PoolDocument):
    """Between which numbers a pool is scaled, and towards what, by the policy of the manager that has it.

    Attributes:
        min_workers: The least.
        max_workers: The most.
        wait_target_s: Seconds that 95 of 100 tasks should not wait longer than.
    """

    min_workers: int
    max_workers: int
    wait_target_s: float


class PoolState(PoolDocument):
    """One pool, as its manager last left it.

    Attributes:
        pool: Its name.
        phase: Where it is.
        why: That in one sentence.
        desired: How many workers it should have.
        written: How many it had, drains apart, after the manager's last act; another number later is another writer.
        counts: Workers by state.
        build: What new workers run.
        fence: Number of the lease under which this was written.
        updated_at: When, by the database's clock.
        workers: Each, as the manager saw it last.
        bounds: Of its policy; None where an older manager wrote this.
        versions: Each version of the workers that has any or needs some; none where they are not versioned.
        carried: What the manager needs again: state of the control law, crashes, contention.
    """

    pool: str
    phase: PoolPhase
    why: str
    desired: int
    written: int
    counts: Mapping[str, int] = Field(default_factory=dict)
    build: str = ""
    fence: int = 0
    updated_at: AwareDatetime | None = None
    workers: tuple[Mapping[str, Any], ...] = ()
    bounds: PoolBounds | None = None
    versions: tuple[Mapping[str, Any], ...] = ()
    carried: Mapping[str, Any] = Field(default_factory=dict, exclude=True)


class PoolStates:
    """The states of a store.

    Args:
        engine: Of the store.
        leases: Of the same.
    """

    def __init__(self, engine: PoolEngine, leases: Leases) -> None:
        self._engine, self._leases, self._table = engine, leases, engine.tables.states

    async def keep(self, lease: Lease, state: PoolState) -> None:
        """Write a state.

        Raises:
            LeaseLostError: Another manager may write it.
        """
        document = {
            "counts": dict(state.counts),
            "build": state.build,
            "workers": list(state.workers),
            "bounds": None if state.bounds is None else state.bounds.model_dump(mode="json"),
            "versions": list(state.versions),
            "carried": dict(state.carried),
        }
        async with self._engine.write() as connection:
            now = await self._leases.hold(connection, lease)
            row = {
                "scope": lease.scope,
                "pool": state.pool,
                "fence": lease.fence,
                "updated_ms": now,
                "desired": state.desired,
                "written": state.written,
                "state": str(state.phase),
                "why": state.why,
                "document": document,
            }
            await upsert(connection, self._table, [row], key=("scope", "pool"))

    async def find(self, scope: str, pool: str) -> PoolState | None:
        """Return the state of one pool."""
        return next((one for one in await self.all(scope) if one.pool == pool), None)

    async def all(self, scope: str) -> list[PoolState]:
        """Return all of a manager, by name."""
        table = self._table
        query = select(table).where(table.c.scope == scope).order_by(table.c.pool)
        async with self._engine.read() as connection:
            return [_state(row) for row in (await connection.execute(query)).mappings()]

    async def now(self) -> AwareDatetime:
        """Return the time by the clock of the database, to compare ``updated_at`` with."""
        async with self._engine.read() as connection:
            return from_ms(await database_ms(connection))


def _state(row: RowMapping) -> PoolState:
    return PoolState(
        pool=row["pool"],
        phase=PoolPhase(row["state"]),
        why=row["why"],
        desired=row["desired"],
        written=row["written"],
        fence=row["fence"],
        updated_at=from_ms(row["updated_ms"]),
        **row["document"],
    )
