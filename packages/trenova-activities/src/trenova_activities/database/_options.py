"""Where the TMS's database is and how hard this process may lean on it."""

from pydantic import Field

from trenova_activities.database._pace_options import PaceOptions
from trenova_activities.database._write_turns import WriteRate
from trenova_store import StoreOptions


class DatabaseOptions(StoreOptions):
    """How to reach the TMS's database; frozen, and its ``repr`` never shows the URL.

    Attributes:
        url: ``sqlite+aiosqlite:///path/tms.db`` or ``postgresql+asyncpg://user:password@host/name``.
            ``sqlite:`` and ``postgresql:`` are completed with those drivers.
            ``{data_dir}`` stands for the folder that :meth:`within` is given.
        embedded: Whether ``prepare`` may create the sample TMS, and that only in an empty database or in
            one that it created; never for a database that other people own.
        schema_name: The schema of the TMS's tables on PostgreSQL; the connection's search path if absent.
        pool_size: Connections kept open; at least one for every activity that runs at once.
        connect_timeout_s: Seconds to wait for a connection, and for a free one of the pool.
        lock_timeout_s: Seconds a statement may wait for a row or table lock (SQLite: for the write lock).
        statement_timeout_s: Seconds one statement may run on PostgreSQL.
        writes: How many write transactions this process begins; None for no limit but the pool.
        pace: How the nightly jobs lean on it, and what makes them lean less.
    """

    embedded: bool = False
    schema_name: str | None = None
    pool_size: int = Field(default=10, ge=1, le=500)
    writes: WriteRate | None = None
    pace: PaceOptions = PaceOptions()
