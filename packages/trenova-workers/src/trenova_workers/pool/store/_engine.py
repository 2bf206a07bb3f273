"""One engine per process: its transactions, and the rules of SQLite that they need."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction, create_async_engine

from trenova_workers.pool.store._failures import translated
from trenova_workers.pool.store._options import PoolStoreOptions
from trenova_workers.pool.store._tables import PoolTables

_WRITE = "trenova_write"


class PoolEngine:
    """The engine of a store and its two kinds of transactions.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where the database is and how hard to lean on it; nothing is connected yet.
    """

    def __init__(self, options: PoolStoreOptions) -> None:
        self.options = options
        self.tables = PoolTables.of(sqlite=options.is_sqlite)
        self._engine: AsyncEngine = create_async_engine(options.url, hide_parameters=True, **_engine_options(options))
        if options.is_sqlite:
            _tune_sqlite(self._engine)

    async def close(self) -> None:
        """Return every connection; the object is of no use afterwards."""
        await self._engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads; it is rolled back at the end of the block.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        async with (
            translated(self.options.place),
            self._engine.connect() as connection,
            connection.begin() as transaction,
        ):
            yield connection
            await transaction.rollback()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes, committed at the end of the block or rolled back by an exception.

        On SQLite it begins with ``BEGIN IMMEDIATE``, so two writers queue instead of failing half-way.

        Raises:
            UnavailableError: The database cannot be reached, or went away before the commit.
            AmbiguousOutcomeError: The connection was lost during the commit: read back before deciding.
            RetryableError: A lock or a deadlock; nothing was written.
            DataIntegrityError: The database refused the rows.
        """
        async with translated(self.options.place), self._engine.connect() as plain:
            connection = await plain.execution_options(**{_WRITE: True})
            transaction = await connection.begin()
            try:
                yield connection
            except BaseException:
                if transaction.is_active:
                    await transaction.rollback()
                raise
            async with translated(self.options.place, committing=True):
                await _commit(transaction)


async def _commit(transaction: AsyncTransaction) -> None:
    """Commit to the end: a cancellation that arrives meanwhile is too late, and must not hide what was done."""
    committing = asyncio.ensure_future(transaction.commit())
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError:
        await committing
        if (task := asyncio.current_task()) is not None:
            task.uncancel()


def _engine_options(options: PoolStoreOptions) -> dict[str, Any]:
    if options.is_sqlite:
        path = make_url(options.url).database
        connect = {"connect_args": {"timeout": options.lock_timeout_s}}
        if not path or path == ":memory:":
            return connect
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {"pool_size": options.pool_size, "pool_timeout": options.connect_timeout_s, **connect}
    settings = {
        "application_name": "trenova-workers",
        "lock_timeout": str(int(options.lock_timeout_s * 1000)),
        "statement_timeout": str(int(options.statement_timeout_s * 1000)),
    }
    return {
        "pool_size": options.pool_size,
        "max_overflow": 0,
        "pool_timeout": options.connect_timeout_s,
        "pool_pre_ping": True,
        "connect_args": {"timeout": options.connect_timeout_s, "server_settings": settings},
    }


def _tune_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin transactions of its own
        cursor = raw.cursor()
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        _switch_to_wal(cursor)
        cursor.close()

    @event.listens_for(engine.sync_engine, "close")
    def closing(raw: Any, _record: object) -> None:
        # A cancelled task leaves its cursor open, and SQLite keeps the write lock of a closed connection until the
        # last cursor is gone; a rollback frees it at once.
        with contextlib.suppress(sqlite3.Error, SQLAlchemyError, ValueError, RuntimeError):
            raw.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        write = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _switch_to_wal(cursor: Any) -> None:
    """Let readers and the writer work side by side; of connections that switch a new file at once, one does it."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
