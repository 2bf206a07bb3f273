"""Our migration tree, with a version table and a lock of its own beside those of other packages."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import ConfigurationError
from trenova_workers.pool.store._engine import PoolEngine
from trenova_workers.pool.store._tables import SCHEMA

VERSION_TABLE = "trenova_workers_alembic_version"
"""Name of the version table in the schema ``trenova_jobs``; on SQLite it bears the prefix of our tables."""

_TREE = Path(__file__).parent / "migrations"
_LOCK = 0x7472_656E_6F76_6104  # "trenova", 4: one number of PostgreSQL's 64-bit advisory locks
_LOCK_WAIT_S = 120
# Alembic keeps the migration at hand in module globals, so one process runs one at a time.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@dataclass(frozen=True)
class PoolMigration:
    """What a migration found and did.

    Attributes:
        changed: A revision was applied; false when there was nothing to do.
        revision: The revision the tables stand at now.
    """

    changed: bool
    revision: str


async def migrate_engine(engine: PoolEngine) -> PoolMigration:
    """Bring the tables to the revision of this installation; see `PoolStore.migrate`."""
    async with engine.read() as connection:
        found = await _found(engine, connection)
    if found == head():
        return PoolMigration(changed=False, revision=found)
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn, engine.write() as connection:
        await _lock(engine, connection)
        if changed := await _found(engine, connection) != head():
            await _prepare_schema(engine, connection)
            await connection.run_sync(_upgrade, _version_table(engine))
    return PoolMigration(changed=changed, revision=head())


async def is_current(engine: PoolEngine) -> bool:
    """Whether the tables are there, at the revision of this installation.

    Raises:
        ConfigurationError: A newer version has migrated them.
    """
    async with engine.read() as connection:
        return await _found(engine, connection) == head()


@cache
def head() -> str:
    """Return the newest revision that this installation has."""
    return max(path.name.partition("_")[0] for path in (_TREE / "versions").glob("*.py"))


def _version_table(engine: PoolEngine) -> tuple[str | None, str]:
    return (None, f"{SCHEMA}_{VERSION_TABLE}") if engine.options.is_sqlite else (SCHEMA, VERSION_TABLE)


async def _found(engine: PoolEngine, connection: AsyncConnection) -> str | None:
    name = ".".join(part for part in _version_table(engine) if part)
    sqlite = engine.options.is_sqlite
    probe = "SELECT name FROM sqlite_master WHERE name = :name" if sqlite else "SELECT to_regclass(:name)"
    if (await connection.execute(text(probe), {"name": name})).scalar_one_or_none() is None:
        return None
    revision = (await connection.execute(text(f"SELECT version_num FROM {name}"))).scalar_one_or_none()  # noqa: S608 - our own names
    if revision is not None and revision > head():
        raise ConfigurationError(
            f"The store is at revision {revision}; this installation knows {head()}. "
            "Install the version of trenova-workers that migrated it, or a newer one.",
            revision=str(revision),
        )
    return None if revision is None else str(revision)


async def _lock(engine: PoolEngine, connection: AsyncConnection) -> None:
    if engine.options.is_sqlite:
        return  # the transaction began with BEGIN IMMEDIATE
    for name in ("lock_timeout", "statement_timeout"):
        await connection.execute(text(f"SET LOCAL {name} = '{_LOCK_WAIT_S}s'"))
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def _prepare_schema(engine: PoolEngine, connection: AsyncConnection) -> None:
    if engine.options.is_sqlite:
        return
    # CREATE SCHEMA IF NOT EXISTS wants the privilege even where the schema exists, and other packages create the
    # same one under other locks.
    exists = await connection.execute(
        text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :name"), {"name": SCHEMA}
    )
    if exists.scalar() is None:
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))


def _upgrade(connection: Connection, version_table: tuple[str | None, str]) -> None:
    from alembic import command
    from alembic.config import Config

    schema, table = version_table
    config = Config()
    config.set_main_option("script_location", str(_TREE).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["options"] = {"version_table": table, "version_table_schema": schema}
    command.upgrade(config, "head")
