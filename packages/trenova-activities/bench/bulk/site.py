"""A PostgreSQL server of the bench's own, durable as one in production, and copies of prepared databases."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count

import asyncpg

from trenova_activities.database import Database, DatabaseOptions, allow_retention, migrate
from trenova_activities.testing import PostgresServer, install_current_tms

_MEMORY_MIB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2

SETTINGS = (
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    f"shared_buffers={_MEMORY_MIB // 4}MB",  # what PostgreSQL's documentation of the setting begins with
    "max_wal_size=16GB",  # checkpoints come by the clock, as they should, also where a log of ten millions goes
    "maintenance_work_mem=256MB",
)
"""What differs from the server's defaults; those of the test server that give up durability are taken back."""

AGE_INDEX = "CREATE INDEX trenova_audit_age ON audit_entries (organization_id, business_unit_id, timestamp, id)"
"""The index that docs/postgresql-roles.md recommends for logs of many millions of entries."""


class Site:
    """The server and its databases; a current TMS with our tables, the log opened to retention alone.

    Args:
        server: It runs.
    """

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._names = count(1)

    @property
    def version(self) -> str:
        """The server's version, e.g. ``15.14``."""
        return self.server.execute("SHOW server_version")

    async def current_tms(self) -> str:
        """Make a database with the tables of a current TMS and return its URL."""
        url = self.server.create_database()
        install_current_tms(url)
        async with Database.open(DatabaseOptions(url=url)) as database:
            await migrate(database)
            await allow_retention(database)
        await execute(url, AGE_INDEX)
        return url

    @asynccontextmanager
    async def copy(self, template: str) -> AsyncIterator[str]:
        """Copy a database, file by file, for the length of the block; nobody may be connected to it."""
        name, source = f"round_{next(self._names)}", template.rpartition("/")[2]
        await execute(self.server.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
        try:
            yield self.server.url(name)
        finally:
            await execute(self.server.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)", "CHECKPOINT")


@contextmanager
def site() -> Iterator[Site]:
    """Run a server for the length of the block."""
    with PostgresServer(settings=SETTINGS) as server:
        yield Site(server)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect without any time limit for the length of the block."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)
