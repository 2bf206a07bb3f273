"""Inserts that meet a row of the same key, for SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

Rows = Sequence[Mapping[str, Any]]


async def insert_missing(connection: AsyncConnection, table: Table, rows: Rows, *, key: Sequence[str]) -> int:
    """Insert what is not there and leave alone what is; return how many rows are new (of a single row: 0 or 1)."""
    if not rows:
        return 0
    insert = _insert(connection, table).on_conflict_do_nothing(index_elements=list(key))
    if len(rows) == 1:
        return max((await connection.execute(insert.values(dict(rows[0])))).rowcount, 0)
    await connection.execute(insert, [dict(row) for row in rows])
    return len(rows)


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Rows,
    *,
    key: Sequence[str],
    keep: Sequence[str] = (),
    newer: str | None = None,
) -> None:
    """Insert rows; of a row that is there, replace every column given but the key.

    Args:
        connection: In a transaction that writes.
        table: Where.
        rows: All with the same columns.
        key: Columns of a unique constraint.
        keep: Further columns that an existing row keeps.
        newer: A column; an existing row whose value is greater is left as it is.
    """
    if not rows:
        return
    insert = _insert(connection, table)
    changed = {name: insert.excluded[name] for name in rows[0] if name not in {*key, *keep}}
    condition: ColumnElement[bool] | None = None if newer is None else insert.excluded[newer] >= table.c[newer]
    statement = insert.on_conflict_do_update(index_elements=list(key), set_=changed, where=condition)
    await connection.execute(statement, [dict(row) for row in rows])


def _insert(connection: AsyncConnection, table: Table) -> Any:
    return sqlite_insert(table) if connection.dialect.name == "sqlite" else postgresql_insert(table)
