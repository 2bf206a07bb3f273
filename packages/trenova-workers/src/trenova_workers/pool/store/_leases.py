"""One writer at a time: a lease with a number that only grows, which every act carries.

Whoever takes the lease anew gets a greater number (``fence``). Each act is written in a transaction that first locks
the lease's row under its number, so an act of a manager that has lost the lease is refused by the database, however
late it arrives and whatever that manager believes.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import ApplicationError, ErrorKind
from trenova_store import insert_missing
from trenova_workers.pool.store._clock import database_ms
from trenova_workers.pool.store._engine import PoolEngine

LEASE_S: Final = 10.0
"""Seconds that a lease lasts unless it is renewed."""


class LeaseLostError(ApplicationError):
    """Another manager has the lease, or it ran out: nothing more may be done under it."""

    kind = ErrorKind.CONFLICT
    code = "pool.lease_lost"


@dataclass(frozen=True)
class LeaseHolder:
    """Who has a lease.

    Attributes:
        holder: The identity of the manager.
        fence: Its number.
        seconds_left: Until it runs out, by the clock of the database; negative after that.
    """

    holder: str
    fence: int
    seconds_left: float


@dataclass
class Lease:
    """The right to act, until ``valid_until`` on this process's own steady clock.

    Attributes:
        scope: Of which pools.
        holder: Who has it.
        fence: Greater than that of every earlier lease of the scope.
        valid_until: What ``time.monotonic()`` may be at most; set from before the request that took or renewed it,
            so it is never later than the database's own view.
    """

    scope: str
    holder: str
    fence: int
    valid_until: float = field(compare=False)

    @property
    def valid(self) -> bool:
        """Whether it has not run out, as far as this process can know without asking."""
        return time.monotonic() < self.valid_until

    def require(self) -> None:
        """Stop here unless it is valid; for acts outside the database, right before each.

        Raises:
            LeaseLostError: It ran out.
        """
        if not self.valid:
            raise self.lost()

    def lost(self) -> LeaseLostError:
        """Return what to raise when it is gone."""
        return LeaseLostError(
            f"The lease of {self.scope!r} with the number {self.fence} is no longer held by {self.holder}; another "
            "manager may act. Nothing was done.",
            scope=self.scope,
            fence=self.fence,
        )


class Leases:
    """The leases of a store.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: PoolEngine) -> None:
        self._engine = engine
        self._table = engine.tables.leases

    async def take(self, scope: str, holder: str, *, lasts_s: float = LEASE_S) -> Lease | None:
        """Take a lease that nobody has; None while somebody else has it.

        Args:
            scope: Of which pools.
            holder: Unlike that of every other manager, and new for each process.
            lasts_s: Seconds.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        table, begun = self._table, time.monotonic()
        async with self._engine.write() as connection:
            await self._ensure(connection, scope)
            now = await database_ms(connection)
            taken = await connection.execute(
                update(table)
                .where(table.c.scope == scope, table.c.expires_ms <= now)
                .values(holder=holder, fence=table.c.fence + 1, taken_ms=now, expires_ms=now + int(lasts_s * 1000))
            )
            if not taken.rowcount:
                return None
            fence = (await connection.execute(select(table.c.fence).where(table.c.scope == scope))).scalar_one()
        return Lease(scope, holder, int(fence), begun + lasts_s)

    async def renew(self, lease: Lease, *, lasts_s: float = LEASE_S) -> None:
        """Make a lease last from now on again.

        Raises:
            LeaseLostError: It ran out, or somebody else has it.
            UnavailableError: The database cannot be reached; the lease goes on until it runs out.
        """
        table, begun = self._table, time.monotonic()
        async with self._engine.write() as connection:
            now = await self.hold(connection, lease)
            await connection.execute(
                update(table).where(table.c.scope == lease.scope).values(expires_ms=now + int(lasts_s * 1000))
            )
        lease.valid_until = begun + lasts_s

    async def release(self, lease: Lease) -> None:
        """Give a lease back, so that the next manager need not wait; nothing happens if it is lost already."""
        table = self._table
        lease.valid_until = float("-inf")
        async with self._engine.write() as connection:
            now = await database_ms(connection)
            await connection.execute(update(table).where(*self._mine(lease)).values(expires_ms=now))

    async def hold(self, connection: AsyncConnection, lease: Lease) -> int:
        """Lock the lease for the rest of a transaction, and return the database's time in ms.

        Raises:
            LeaseLostError: It ran out, or somebody else has it.
        """
        table = self._table
        # Setting it to itself locks the row: whoever takes the lease waits until this transaction is over.
        held = await connection.execute(update(table).where(*self._mine(lease)).values(holder=lease.holder))
        now = await database_ms(connection)
        if held.rowcount:
            expires = select(table.c.expires_ms).where(table.c.scope == lease.scope)
            if (await connection.execute(expires)).scalar_one() > now:
                return now
        lease.valid_until = float("-inf")
        raise lease.lost()

    async def holder(self, scope: str) -> LeaseHolder | None:
        """Return who had the lease last; None if nobody ever had."""
        table = self._table
        async with self._engine.read() as connection:
            now = await database_ms(connection)
            row = (await connection.execute(select(table).where(table.c.scope == scope))).mappings().first()
        return None if row is None or not row["fence"] else _holder(row, now)

    def _mine(self, lease: Lease) -> tuple[ColumnElement[bool], ...]:
        columns = self._table.c
        return (columns.scope == lease.scope, columns.fence == lease.fence, columns.holder == lease.holder)

    async def _ensure(self, connection: AsyncConnection, scope: str) -> None:
        row = {"scope": scope, "holder": "", "fence": 0, "taken_ms": 0, "expires_ms": 0}
        await insert_missing(connection, self._table, [row], key=("scope",))


def _holder(row: RowMapping, now: int) -> LeaseHolder:
    return LeaseHolder(row["holder"], row["fence"], (row["expires_ms"] - now) / 1000)
