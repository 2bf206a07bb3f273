"""What an operator has chosen for the log of the embedded TMS, which is open to retention unless somebody closed it.

The choice is a table of ours with one row, made by ``revoke_retention`` and dropped by ``allow_retention``. In a TMS
that is not ours nothing is opened by default, so there is nothing to remember.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_activities.database._migrate import EMBEDDED_VERSIONS
from trenova_store import JOBS_SCHEMA

_PG_NAME: Final = f"{JOBS_SCHEMA}.retention_revoked"
_SQLITE_NAME: Final = f"{JOBS_SCHEMA}_retention_revoked"
_PG_NOW: Final = "floor(extract(epoch FROM clock_timestamp()))::bigint"
_SQLITE_NOW: Final = "CAST(strftime('%s', 'now') AS INTEGER)"
_PG_WORDS: Final = "to_char(to_timestamp(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')"
_SQLITE_WORDS: Final = "strftime('%Y-%m-%d %H:%M:%S UTC', at, 'unixepoch')"


async def opened_by_default(database: Database, connection: AsyncConnection) -> bool:
    """Whether the TMS is the embedded one; asks for no more than the existence of its version table."""
    return await _exists(database, connection, _in_schema(database, connection, EMBEDDED_VERSIONS))


async def revoked_at(database: Database, connection: AsyncConnection) -> str | None:
    """Return when an operator closed the log, in words; None if nobody did."""
    name = _name(database)
    if not await _exists(database, connection, name):
        return None
    words = _SQLITE_WORDS if database.options.is_sqlite else _PG_WORDS
    return str((await connection.execute(text(f"SELECT max({words}) FROM {name}"))).scalar_one())  # noqa: S608 - our own name


async def remembering(database: Database, connection: AsyncConnection, *, revoke: bool) -> list[str]:
    """Return the statements that record the choice; none if it is recorded, or need not be."""
    if not await opened_by_default(database, connection):
        return []
    closed, name = await revoked_at(database, connection) is not None, _name(database)
    if closed is revoke:
        return []
    now = _SQLITE_NOW if database.options.is_sqlite else _PG_NOW
    return [f"CREATE TABLE {name} AS SELECT {now} AS at" if revoke else f"DROP TABLE {name}"]


def _name(database: Database) -> str:
    return _SQLITE_NAME if database.options.is_sqlite else _PG_NAME


def _in_schema(database: Database, connection: AsyncConnection, table: str) -> str:
    schema = database.options.schema_name
    return f"{connection.dialect.identifier_preparer.quote(schema)}.{table}" if schema else table


async def _exists(database: Database, connection: AsyncConnection, name: str) -> bool:
    probe = (
        "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = :name"
        if database.options.is_sqlite
        else "SELECT to_regclass(:name) IS NOT NULL"
    )
    return bool((await connection.execute(text(probe), {"name": name})).scalar_one())
