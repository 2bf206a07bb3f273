"""The TMS's database of a soak: a PostgreSQL server that can be broken, or a file."""

import asyncio
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import aiosqlite
import asyncpg
from connection import Connection
from sqlalchemy import make_url
from tms_rows import sqlite_url

from trenova_activities.testing import PostgresServer

_AS_IN_PRODUCTION = ("synchronous_commit=on", "fsync=on", "full_page_writes=on")
_ON_A_SMALL_DISK = ("max_wal_size=96MB", "min_wal_size=32MB", "checkpoint_timeout=30s")
_LOCKED = "shipments, sequences, notifications, audit_entries"


class TmsDatabase(Protocol):
    """Where the TMS is.

    Attributes:
        kind: ``postgresql`` or ``sqlite``.
        url: How whoever counts reaches it, whatever is done to the workers' way.
    """

    kind: str
    url: str

    async def open(self) -> dict[str, str]:
        """Begin; return what the services are to be told."""

    async def lock(self, seconds: float) -> None:
        """Hold a lock that every job wants."""

    async def close(self) -> None:
        """End it, with what it has."""


class SqliteTms:
    """A file in the services' folder, as in ``dev``."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tms.db"
        self.url = sqlite_url(folder)

    async def open(self) -> dict[str, str]:
        return {}

    async def lock(self, seconds: float) -> None:
        async with aiosqlite.connect(self._file, timeout=60) as other:
            await other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            await other.rollback()

    async def close(self) -> None:
        pass


class PostgresTms:
    """A server that keeps its promises as one in production does, on the disk of the soak; workers reach it by a wire.

    Raises:
        RuntimeError: There is no PostgreSQL that can be run here.
    """

    kind = "postgresql"

    def __init__(self, folder: Path) -> None:
        self._server = PostgresServer(settings=(*_AS_IN_PRODUCTION, *_ON_A_SMALL_DISK))
        self._folder = folder

    async def open(self) -> dict[str, str]:
        before, tempfile.tempdir = tempfile.tempdir, str(self._folder)  # so that a full disk is full for it too
        try:
            await asyncio.to_thread(self._server.start)
        finally:
            tempfile.tempdir = before
        self.url = self._server.create_database(name="tms")
        self.wire = Connection(self._server.port)
        await self.wire.listen()
        by_wire = make_url(self.url).set(port=self.wire.port).render_as_string(hide_password=False)
        return {"TRENOVA_DATABASE__URL": by_wire}

    @property
    def alive(self) -> bool:
        return self._server.pid is not None

    async def lock(self, seconds: float) -> None:
        """Hold the tables as somebody does who changes them: nobody can even read."""
        other = await self._connected()
        try:
            async with other.transaction():
                await other.execute(f"LOCK TABLE {_LOCKED} IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(seconds)
        finally:
            await other.close()

    async def terminate(self) -> int:
        """End all connections but one's own, in the middle of whatever they do; return how many."""
        other = await self._connected()
        try:
            query = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(await other.fetchval(query))
        finally:
            await other.close()

    async def crash(self) -> None:
        """End the server as ``pg_ctl stop -m immediate`` does: it writes nothing more, and has to recover."""
        await asyncio.to_thread(self._server.halt, how=signal.SIGQUIT)

    async def start(self) -> None:
        """Start it again on what it has, on the same port.

        Raises:
            RuntimeError: It did not come up, or its port was taken by somebody.
        """
        port = self._server.port
        await asyncio.to_thread(self._server.start)
        if self._server.port != port:
            raise RuntimeError(f"port {port} of the database was taken meanwhile; begin again")

    async def _connected(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.url.replace("+asyncpg", ""), timeout=30)

    async def close(self) -> None:
        with suppress(AttributeError):  # it may not have come up
            await self.wire.close()
        await asyncio.to_thread(self._server.stop)
