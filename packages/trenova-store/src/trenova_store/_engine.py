"""One engine per process and its two kinds of transactions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction, create_async_engine

from trenova_store._options import StoreOptions
from trenova_store._ping import ping_idle
from trenova_store._sqlite import WRITE, tune_sqlite


class Translated(Protocol):
    """Turns driver exceptions of a block into typed errors, as :func:`trenova_store.translated` does."""

    def __call__(self, *, committing: bool = False) -> AbstractAsyncContextManager[None]:
        """Return the block; ``committing`` says that it is a COMMIT, so a lost connection leaves the outcome open."""


class StoreEngine:
    """An engine and its transactions.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where the database is and how hard to lean on it; nothing is connected yet.
        application: What PostgreSQL lists its connections under (``application_name``).
        translated: What failures mean.

    Attributes:
        options: The same.
        engine: SQLAlchemy's, for what needs a connection without a transaction.
    """

    def __init__(self, options: StoreOptions, *, application: str, translated: Translated) -> None:
        self.options = options
        told = _engine_options(options, application)
        self.engine: AsyncEngine = create_async_engine(options.url, hide_parameters=True, **told)
        self._translated = translated
        if options.is_sqlite:
            tune_sqlite(self.engine)
        else:
            ping_idle(self.engine)

    async def close(self) -> None:
        """Return every connection; the object is of no use afterwards."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads; it is rolled back at the end of the block.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        async with self._translated(), self.engine.connect() as connection, connection.begin() as transaction:
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
        async with self._translated(), self.engine.connect() as plain:
            connection = await plain.execution_options(**{WRITE: True})
            transaction = await connection.begin()
            try:
                yield connection
            except BaseException:
                if transaction.is_active:
                    await transaction.rollback()
                raise
            async with self._translated(committing=True):
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


def _engine_options(options: StoreOptions, application: str) -> dict[str, Any]:
    if options.is_sqlite:
        path = make_url(options.url).database
        connect = {"connect_args": {"timeout": options.lock_timeout_s}}
        if not path or path == ":memory:":
            return connect
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {"pool_size": options.pool_size, "pool_timeout": options.connect_timeout_s, **connect}
    settings = {
        "application_name": application,
        "lock_timeout": str(int(options.lock_timeout_s * 1000)),
        "statement_timeout": str(int(options.statement_timeout_s * 1000)),
    }
    return {
        "pool_size": options.pool_size,
        "max_overflow": 0,
        "pool_timeout": options.connect_timeout_s,
        "connect_args": {"timeout": options.connect_timeout_s, "server_settings": settings},
    }
