"""A tree of migrations, with a version table of its own beside those of other packages."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

JOBS_SCHEMA: Final = "trenova_jobs"
"""Where our tables stand on PostgreSQL. SQLite has no schemas, so there it is the prefix of their names."""

_ENVIRONMENT: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, kw_only=True)
class MigrationTree:
    """Revisions of tables, and where it is written down which of them a database has.

    Attributes:
        versions: The folder of the revisions: scripts of Alembic, named ``0001_what.py`` with ``0001`` as their id.
        package: Whose they are, for messages.
        version_table: Name of the version table, of no other tree.
        schema: Its schema on PostgreSQL, and the prefix of its name on SQLite; None for the connection's search path.
    """

    versions: Path
    package: str
    version_table: str
    schema: str | None = JOBS_SCHEMA

    @property
    def head(self) -> str:
        """The newest revision that this installation has."""
        return _head(self.versions)

    async def found(self, connection: AsyncConnection) -> str | None:
        """Return the revision that a database stands at; None where it has none."""
        schema, table = self._place(connection.dialect.name)
        name = f"{connection.dialect.identifier_preparer.quote(schema)}.{table}" if schema else table
        sqlite = connection.dialect.name == "sqlite"
        probe = "SELECT name FROM sqlite_master WHERE name = :name" if sqlite else "SELECT to_regclass(:name)"
        if (await connection.execute(text(probe), {"name": name})).scalar_one_or_none() is None:
            return None
        sql = f"SELECT version_num FROM {name}"  # noqa: S608  # our own names
        revision = (await connection.execute(text(sql))).scalar_one_or_none()
        return None if revision is None else str(revision)

    async def upgrade(self, connection: AsyncConnection, revision: str = "head") -> None:
        """Run the revisions that a database lacks, in the transaction of the connection; its schema is there.

        Args:
            connection: In a transaction that writes.
            revision: The last one to run.
        """
        await connection.run_sync(self._upgrade, revision)

    def _upgrade(self, connection: Connection, revision: str) -> None:
        from alembic import command
        from alembic.config import Config

        schema, table = self._place(connection.dialect.name)
        config = Config()
        config.set_main_option("script_location", _escaped(_ENVIRONMENT))
        config.set_main_option("version_locations", _escaped(self.versions))
        config.set_main_option("path_separator", "newline")  # so that a folder may have spaces and colons in its name
        config.attributes["connection"] = connection
        config.attributes["options"] = {"version_table": table, "version_table_schema": schema}
        command.upgrade(config, revision)

    def _place(self, dialect: str) -> tuple[str | None, str]:
        if dialect == "sqlite" and self.schema is not None:
            return None, f"{self.schema}_{self.version_table}"
        return self.schema, self.version_table


async def ensure_schema(connection: AsyncConnection, schema: str) -> None:
    """Create a schema of PostgreSQL unless it is there."""
    # CREATE SCHEMA IF NOT EXISTS wants the privilege even where the schema exists, and other packages create the
    # same one under other locks.
    exists = await connection.execute(
        text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :name"), {"name": schema}
    )
    if exists.scalar() is None:
        quoted = connection.dialect.identifier_preparer.quote(schema)
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))


@cache
def _head(versions: Path) -> str:
    return max(path.name.partition("_")[0] for path in versions.glob("*.py"))


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
