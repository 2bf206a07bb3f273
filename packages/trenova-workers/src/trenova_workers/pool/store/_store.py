"""The store of worker pools: everything that outlives a manager."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Self

from trenova_store import RequestKeys, StoreMigration, is_current, migrate
from trenova_workers.pool.store._audit import PoolAudit
from trenova_workers.pool.store._decisions import DECISIONS_KEPT, Decisions
from trenova_workers.pool.store._drains import DrainOrders
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._leases import Leases
from trenova_workers.pool.store._migrate import LOCK, TREE
from trenova_workers.pool.store._options import PoolStoreOptions
from trenova_workers.pool.store._orders import OrderBook
from trenova_workers.pool.store._states import PoolStates
from trenova_workers.pool.store._workers import WorkerRecords

KEYS_KEPT: Final = timedelta(days=7)
"""For how long a key of a request means the same request."""


class PoolStore:
    """Repositories over one database; failures leave as typed errors of ``trenova_errors``.

    Args:
        options: Where the database is; nothing is connected before the first use.
        decisions_kept: Of each pool.

    Attributes:
        options: The same.
        leases: Who may act.
        workers: What was started.
        states: Where pools stand.
        orders: What operators want.
        decisions: What was decided, and why.
        audit: Who did what.
        drains: Workers that operators want drained.
        keys: Of requests that may be repeated.
    """

    def __init__(self, options: PoolStoreOptions, *, decisions_kept: int = DECISIONS_KEPT) -> None:
        self.options = options
        self._engine = PoolEngine(options)
        self.leases = Leases(self._engine)
        self.workers = WorkerRecords(self._engine, self.leases)
        self.states = PoolStates(self._engine, self.leases)
        self.audit = PoolAudit(self._engine)
        self.orders = OrderBook(self._engine, self.audit)
        self.drains = DrainOrders(self._engine, self.leases, self.audit)
        self.keys = RequestKeys(self._engine, self._engine.tables.keys, kept=KEYS_KEPT)
        self.decisions = Decisions(self._engine, self.leases, kept=decisions_kept)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: PoolStoreOptions) -> AsyncIterator[Self]:
        """Open a store for the length of a block and close its connections at the end."""
        store = cls(options)
        try:
            yield store
        finally:
            await store.close()

    async def close(self) -> None:
        """Return every connection; the object is of no use afterwards."""
        await self._engine.close()

    async def is_current(self) -> bool:
        """Whether the tables are there, at the revision of this installation.

        Raises:
            ConfigurationError: A newer version of this package has migrated them.
            UnavailableError: The database cannot be reached.
        """
        return await is_current(self._engine, TREE)

    async def migrate(self) -> StoreMigration:
        """Bring the tables to the revision of this installation.

        In one transaction and under a lock, so any number of processes may call it at once; a call that finds nothing
        to do costs two small queries. On PostgreSQL the user may create the schema ``trenova_jobs``, or it exists.

        Raises:
            ConfigurationError: The database was migrated by a newer version of this package.
            UnavailableError: The database cannot be reached.
            RetryableError: The lock was not free in time.
        """
        return await migrate(self._engine, TREE, lock=LOCK)
