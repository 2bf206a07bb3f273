"""Migrations in one transaction and under a lock, so that any number of processes may ask for them at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import ConfigurationError
from trenova_store._engine import StoreEngine
from trenova_store._tree import MigrationTree, ensure_schema

_LOCK_WAIT_S = 120
# Alembic keeps the migration at hand in module globals, so one process runs one at a time.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@dataclass(frozen=True)
class StoreMigration:
    """What a migration found and did.

    Attributes:
        changed: A revision was applied; false when there was nothing to do.
        revision: The revision the tables stand at now.
    """

    changed: bool
    revision: str


async def migrate(engine: StoreEngine, tree: MigrationTree, *, lock: int) -> StoreMigration:
    """Bring the tables to the revision of this installation.

    In one transaction and under a lock, so any number of processes may call it at once; a call that finds nothing to
    do costs two small queries.

    Args:
        engine: Where. On PostgreSQL its user may create the schema of the tree, or that schema exists.
        tree: What.
        lock: See :func:`migrating`.

    Raises:
        ConfigurationError: The database was migrated by a newer version of the package.
        UnavailableError: The database cannot be reached.
        RetryableError: The lock was not free in time.
    """
    if await is_current(engine, tree):
        return StoreMigration(changed=False, revision=tree.head)
    async with migrating(engine, lock=lock) as connection:
        if changed := await _known(tree, connection) != tree.head:
            if tree.schema is not None and not engine.options.is_sqlite:
                await ensure_schema(connection, tree.schema)
            await tree.upgrade(connection)
    return StoreMigration(changed=changed, revision=tree.head)


async def is_current(engine: StoreEngine, tree: MigrationTree) -> bool:
    """Whether the tables are there, at the revision of this installation.

    Raises:
        ConfigurationError: A newer version has migrated them.
        UnavailableError: The database cannot be reached.
    """
    async with engine.read() as connection:
        return await _known(tree, connection) == tree.head


@asynccontextmanager
async def migrating(engine: StoreEngine, *, lock: int) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that writes and in which nobody else migrates; look again inside what there is to do.

    Args:
        engine: Where.
        lock: One number of PostgreSQL's 64-bit advisory locks, the same for all who migrate the same tables; on SQLite
            the transaction itself is the lock.

    Raises:
        RetryableError: The lock was not free within two minutes.
    """
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn, engine.write() as connection:
        if not engine.options.is_sqlite:  # there the transaction began with BEGIN IMMEDIATE
            for name in ("lock_timeout", "statement_timeout"):
                await connection.execute(text(f"SET LOCAL {name} = '{_LOCK_WAIT_S}s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock})
        yield connection


async def _known(tree: MigrationTree, connection: AsyncConnection) -> str | None:
    revision = await tree.found(connection)
    if revision is not None and revision > tree.head:
        raise ConfigurationError(
            f"The store is at revision {revision}; this installation knows {tree.head}. "
            f"Install the version of {tree.package} that migrated it, or a newer one.",
            revision=revision,
        )
    return revision
