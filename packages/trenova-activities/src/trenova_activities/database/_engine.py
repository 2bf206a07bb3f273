"""One engine per process, with the transaction rules that every job relies on."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction, create_async_engine

from trenova_activities.database._failures import translated
from trenova_activities.database._job_tables import JobTables
from trenova_activities.database._options import DatabaseOptions
from trenova_activities.database._ping import ping_idle
from trenova_activities.database._write_turns import WriteTurns

Clock = Callable[[AsyncConnection], Awaitable[int]]

_WRITE = "trenova_write"


async def database_clock(connection: AsyncConnection) -> int:
    """Read the database server's clock in unix seconds; every cut-off and timestamp of a job comes from it."""
    sql = (
        "SELECT CAST(strftime('%s', 'now') AS INTEGER)"
        if connection.dialect.name == "sqlite"
        else "SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint)"
    )
    return int((await connection.execute(text(sql))).scalar_one())


class Database:
    """The TMS's database: an engine, its transactions and its clock.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where it is and how hard to lean on it.
        clock: Where jobs read the time; tests hand in another one.
    """

    def __init__(self, options: DatabaseOptions, *, clock: Clock = database_clock) -> None:
        self.options = options
        self.jobs = JobTables.of(sqlite=options.is_sqlite)
        self.engine: AsyncEngine = create_async_engine(options.url, hide_parameters=True, **_engine_options(options))
        self.clock = clock
        self._where = options.place
        self._turns = WriteTurns(options.writes, options.place)
        if options.is_sqlite:
            _tune_sqlite(self.engine)
        else:
            ping_idle(self.engine)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: DatabaseOptions, *, clock: Clock = database_clock) -> AsyncIterator[Self]:
        """Open a database for the length of a block and close its pool at the end."""
        database = cls(options, clock=clock)
        try:
            yield database
        finally:
            await database.close()

    async def close(self) -> None:
        """Return every connection; the object is of no use afterwards."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that only reads; it is rolled back at the end of the block.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        async with translated(self._where), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            await transaction.rollback()

    @asynccontextmanager
    async def write(self, *, paced: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes, committed at the end of the block or rolled back by an exception.

        On SQLite it begins with ``BEGIN IMMEDIATE``, so two writers queue instead of failing half-way.

        Args:
            paced: Whether the caller minds its own pace, and so waits for no turn (``DatabaseOptions.writes``).

        Raises:
            ThrottledError: There was no turn in time; nothing was written.
            UnavailableError: The database cannot be reached, or went away before the commit.
            AmbiguousOutcomeError: The connection was lost during the commit: read back before deciding.
            RetryableError: A lock or a deadlock; nothing was written.
            DataIntegrityError: The database refused the rows.
        """
        if not paced:
            await self._turns.wait()
        async with translated(self._where), self.engine.connect() as plain:
            connection = await plain.execution_options(**{_WRITE: True})
            transaction = await connection.begin()
            try:
                yield connection
            except BaseException:
                if transaction.is_active:
                    await transaction.rollback()
                raise
            async with translated(self._where, committing=True):
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


def _engine_options(options: DatabaseOptions) -> dict[str, Any]:
    if options.is_sqlite:
        path = make_url(options.url).database
        connect = {"connect_args": {"timeout": options.lock_timeout_s}}
        if not path or path == ":memory:":
            return connect
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {"pool_size": options.pool_size, "pool_timeout": options.connect_timeout_s, **connect}
    settings = {
        "application_name": "trenova",
        "lock_timeout": str(int(options.lock_timeout_s * 1000)),
        "statement_timeout": str(int(options.statement_timeout_s * 1000)),
    }
    return {
        "pool_size": options.pool_size,
        "max_overflow": 0,
        "pool_timeout": options.connect_timeout_s,
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
        # It fails where the connection or its loop is gone already, and then no lock is left either.
        with contextlib.suppress(sqlite3.Error, SQLAlchemyError, ValueError, RuntimeError):
            raw.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        write = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _switch_to_wal(cursor: Any) -> None:
    """Let readers and the writer work side by side; the mode is the file's, so only a new file changes.

    The busy time-out does not cover this switch: of connections that switch a new file at once, SQLite turns all but
    one away (sqlite.org/wal.html). Those need do nothing, as the file is in the mode once the other is through.
    """
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
