"""One engine per process, with the transaction rules that every job relies on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._failures import translated
from trenova_activities.database._job_tables import JobTables
from trenova_activities.database._options import DatabaseOptions
from trenova_activities.database._write_turns import WriteTurns
from trenova_store import StoreEngine

Clock = Callable[[AsyncConnection], Awaitable[int]]


async def database_clock(connection: AsyncConnection) -> int:
    """Read the database server's clock in unix seconds; every cut-off and timestamp of a job comes from it."""
    sql = (
        "SELECT CAST(strftime('%s', 'now') AS INTEGER)"
        if connection.dialect.name == "sqlite"
        else "SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint)"
    )
    return int((await connection.execute(text(sql))).scalar_one())


class Database(StoreEngine):
    """The TMS's database: an engine, its transactions and its clock.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where it is and how hard to lean on it.
        clock: Where jobs read the time; tests hand in another one.
    """

    options: DatabaseOptions

    def __init__(self, options: DatabaseOptions, *, clock: Clock = database_clock) -> None:
        super().__init__(options, application="trenova", translated=partial(translated, options.place))
        self.jobs = JobTables.of(sqlite=options.is_sqlite)
        self.clock = clock
        self._turns = WriteTurns(options.writes, options.place)

    @classmethod
    @asynccontextmanager
    async def open(cls, options: DatabaseOptions, *, clock: Clock = database_clock) -> AsyncIterator[Self]:
        """Open a database for the length of a block and close its pool at the end."""
        database = cls(options, clock=clock)
        try:
            yield database
        finally:
            await database.close()

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
        async with super().write() as connection:
            yield connection
