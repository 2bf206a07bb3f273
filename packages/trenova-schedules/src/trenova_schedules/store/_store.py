"""The store of schedules: everything that outlives the server's own memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import trenova_store
from trenova_schedules.store._alerts import AlertStates
from trenova_schedules.store._audit import AuditTrail
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._migrate import LOCK, TREE
from trenova_schedules.store._receipts import Receipts
from trenova_schedules.store._registry import Registry
from trenova_schedules.store._ticks import TickLedger
from trenova_schedules.store._versions import SpecVersions
from trenova_store import RequestKeys, StoreMigration, StoreOptions


class ScheduleStore:
    """Repositories over one database; failures leave as typed errors of ``trenova_errors``.

    Args:
        options: Where the database is; nothing is connected before the first use.

    Attributes:
        options: The same.
        audit: Who did what, when and why.
        versions: Specifications and pauses with their times.
        ticks: The ledger.
        registry: Every schedule that was ever seen.
        receipts: What bulk actions changed.
        idempotency: Requests under keys, and their answers.
        alerts: Where schedules stand against their objectives.
    """

    def __init__(self, options: StoreOptions) -> None:
        self.options = options
        self._engine = StoreEngine(options)
        self.audit = AuditTrail(self._engine)
        self.versions = SpecVersions(self._engine)
        self.ticks = TickLedger(self._engine)
        self.registry = Registry(self._engine)
        self.receipts = Receipts(self._engine)
        self.idempotency = RequestKeys(self._engine, self._engine.tables.idempotency_keys)
        self.alerts = AlertStates(self._engine)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: StoreOptions) -> AsyncIterator[Self]:
        """Open a store for the length of a block and close its pool at the end."""
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
        return await trenova_store.is_current(self._engine, TREE)

    async def migrate(self) -> StoreMigration:
        """Do what :func:`migrate` does."""
        return await trenova_store.migrate(self._engine, TREE, lock=LOCK)


async def migrate(store: ScheduleStore) -> StoreMigration:
    """Bring the tables to the revision of this installation.

    In one transaction and under a lock, so any number of processes may call it at once; a call that finds nothing
    to do costs two small queries.

    Args:
        store: On PostgreSQL its user may create the schema ``trenova_jobs``, or that schema exists.

    Raises:
        ConfigurationError: The database was migrated by a newer version of this package.
        UnavailableError: The database cannot be reached.
        RetryableError: The lock was not free in time.
    """
    return await store.migrate()
