"""The two migration trees and who may have which.

``jobs`` creates our own tables beside any TMS. ``embedded`` creates a whole sample TMS, and only ever in
an empty database or in one that it created before, which its version table marks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_errors import ConfigurationError
from trenova_store import MigrationTree, ensure_schema, migrating

JOBS = "jobs"
EMBEDDED = "embedded"
_TREES = Path(__file__).parent / "migrations"
EMBEDDED_VERSIONS = "trenova_embedded_alembic_version"
"""The table that marks a TMS as the embedded one."""
_LOCK = 0x7472_656E_6F76_6101  # "trenova", 1: one number of PostgreSQL's 64-bit advisory locks

# The first table that is not our own, shipments before all others.
_FOREIGN_TABLES = {
    "postgresql": """
        SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('information_schema', 'trenova_jobs')
        AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
            WHERE d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')
        ORDER BY (c.relname = 'shipments') DESC, c.relname LIMIT 1""",
    "sqlite": """
        SELECT name FROM sqlite_master WHERE type IN ('table', 'view')
        AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'trenova!_jobs!_%' ESCAPE '!'
        ORDER BY (name = 'shipments') DESC, name LIMIT 1""",
}


@dataclass(frozen=True)
class Migration:
    """What ``migrate`` found and did.

    Attributes:
        embedded: The database holds the embedded TMS, so its tables are ours.
        changed: A revision was applied; false when there was nothing to do.
        revisions: The revision each tree stands at now; a tree that is not there is not in it.
    """

    embedded: bool
    changed: bool
    revisions: Mapping[str, str] = field(default_factory=dict)


async def migrate(database: Database, *, embedded: bool | None = None) -> Migration:
    """Bring our tables, and the embedded TMS where there is one, to the revision of this installation.

    In one transaction and under a lock, so any number of processes may call it at once; a call that finds
    nothing to do costs two small queries.

    Args:
        database: Where. On PostgreSQL its user may create the schema ``trenova_jobs``, or that schema exists.
        embedded: Whether to create or upgrade the embedded TMS. By default: in an empty database and in one
            marked as ours, and nowhere else.

    Raises:
        ConfigurationError: ``embedded`` was asked for in a database that is neither empty nor ours, or the
            database was migrated by a newer version of this package.
        UnavailableError: The database cannot be reached.
        RetryableError: The lock was not free in time.
    """
    async with database.read() as connection:
        found = await _found(database, connection)
        trees = await _wanted(database, connection, found, embedded=embedded)
    if all(found.get(tree) == head(tree) for tree in trees):
        return Migration(embedded=EMBEDDED in found, changed=False, revisions=found)
    async with migrating(database, lock=_LOCK) as connection:
        found = await _found(database, connection)
        trees = await _wanted(database, connection, found, embedded=embedded)
        pending = [tree for tree in trees if found.get(tree) != head(tree)]
        for tree in pending:
            await _prepare_schema(database, connection, tree)
            await _tree(database, tree).upgrade(connection)
        found = await _found(database, connection)
    return Migration(embedded=EMBEDDED in found, changed=bool(pending), revisions=found)


async def is_embedded(database: Database, connection: AsyncConnection) -> bool:
    """Whether the TMS's tables are the embedded ones, created and marked by ``migrate``."""
    return EMBEDDED in await _found(database, connection)


def head(tree: str) -> str:
    """Return the newest revision of a tree that this installation has."""
    return _JOBS_TREE.head if tree == JOBS else _embedded_tree(None).head


_JOBS_TREE = MigrationTree(
    versions=_TREES / JOBS / "versions", package="trenova-activities", version_table="alembic_version"
)


def _embedded_tree(schema: str | None) -> MigrationTree:
    return MigrationTree(
        versions=_TREES / EMBEDDED / "versions",
        package="trenova-activities",
        version_table=EMBEDDED_VERSIONS,
        schema=schema,
    )


def _tree(database: Database, tree: str) -> MigrationTree:
    if tree == JOBS:
        return _JOBS_TREE
    return _embedded_tree(None if database.options.is_sqlite else database.options.schema_name)


async def _found(database: Database, connection: AsyncConnection) -> dict[str, str]:
    found = {}
    for tree in (JOBS, EMBEDDED):
        revision = await _tree(database, tree).found(connection)
        if revision is not None:
            found[tree] = revision
    return found


async def _wanted(
    database: Database, connection: AsyncConnection, found: Mapping[str, str], *, embedded: bool | None
) -> list[str]:
    for tree, revision in found.items():
        if revision > head(tree):
            raise ConfigurationError(
                f"The database is at revision {revision} of {tree!r}; this installation knows {head(tree)}. "
                "Install the version of trenova-activities that migrated it, or a newer one.",
                tree=tree,
                revision=revision,
            )
    if EMBEDDED in found:
        return [JOBS] if embedded is False else [JOBS, EMBEDDED]
    if embedded is False:
        return [JOBS]
    stranger = (await connection.execute(text(_FOREIGN_TABLES[connection.dialect.name]))).scalar()
    if stranger is None:
        return [JOBS, EMBEDDED]
    if embedded:
        raise ConfigurationError(
            f"The embedded TMS goes into an empty database only; {database.options.shown_url} holds the table "
            f"{stranger!r}, which is not ours. Migrate it with embedded=False, or name an empty database.",
            table=str(stranger),
        )
    return [JOBS]


async def _prepare_schema(database: Database, connection: AsyncConnection, tree: str) -> None:
    schema = _tree(database, tree).schema
    if schema is None or database.options.is_sqlite:
        return
    await ensure_schema(connection, schema)
    if tree == EMBEDDED:
        quoted = connection.dialect.identifier_preparer.quote(schema)
        await connection.execute(text(f"SET LOCAL search_path TO {quoted}"))
