"""Inserts that meet a row of the same key, for SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_missing(
    connection: AsyncConnection, table: Table, row: Mapping[str, Any], *, key: Sequence[str]
) -> bool:
    """Insert a row unless one of its key is there; return whether it is new."""
    insert = _insert(connection, table).on_conflict_do_nothing(index_elements=list(key))
    return bool((await connection.execute(insert.values(dict(row)))).rowcount > 0)


async def upsert(connection: AsyncConnection, table: Table, row: Mapping[str, Any], *, key: Sequence[str]) -> None:
    """Insert a row; of one that is there, replace every column given but the key."""
    insert = _insert(connection, table).values(dict(row))
    changed = {name: insert.excluded[name] for name in row if name not in key}
    await connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changed))


def _insert(connection: AsyncConnection, table: Table) -> Any:
    return sqlite_insert(table) if connection.dialect.name == "sqlite" else postgresql_insert(table)
