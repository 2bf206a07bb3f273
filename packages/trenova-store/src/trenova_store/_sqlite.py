"""The rules of SQLite that transactions need: who begins them, readers beside the writer, who may read the file."""

import asyncio
import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    import aiosqlite

WRITE: Final = "trenova_write"
"""The execution option that makes a transaction begin with the write lock."""


def tune_sqlite(engine: AsyncEngine) -> None:
    """Make connections begin their transactions themselves, check foreign keys and write ahead (WAL).

    A file that is not there is made for this user alone (0600), in whatever folder; one that is there stays as it is.
    """

    @event.listens_for(engine.sync_engine, "do_connect")
    def connecting(_dialect: object, _record: object, where: list[Any], options: dict[str, Any]) -> None:
        if not options.get("uri") and where[0] != ":memory:":
            _make_private(where[0])
        options["async_creator_fn"] = _opened  # SQLAlchemy's dialect awaits what it returns

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
        write = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


async def _opened(*where: Any, **options: Any) -> "aiosqlite.Connection":
    """Open a connection to its end: of one whose opener is cancelled aiosqlite forgets that the file is open."""
    import aiosqlite  # of the extra `sqlite`

    connection = aiosqlite.connect(*where, **options)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does, so that no process waits for it

    async def awaited() -> aiosqlite.Connection:
        return await connection

    opening = asyncio.ensure_future(awaited())
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(sqlite3.Error):
            await (await opening).close()
        raise


def _make_private(path: str) -> None:
    """Make an empty file, which SQLite takes for an empty database; the files beside it get its mode from SQLite.

    One that is there is not even opened: to close it would free the locks that SQLite holds on it in this process.
    """
    with contextlib.suppress(OSError):  # SQLite says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


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
