"""Many rows that differ in a few columns, written by one statement on PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Table, Text, bindparam, cast, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType


def takes_alike(connection: AsyncConnection, table: Table, names: Sequence[str]) -> bool:
    """Whether :func:`insert_alike` can write these columns: PostgreSQL, and every type is one that can be named."""
    known = not any(isinstance(table.c[name].type, NullType) for name in names)
    return connection.dialect.name == "postgresql" and known


async def insert_alike(
    connection: AsyncConnection, table: Table, same: Mapping[str, Any], each: Mapping[str, Sequence[str]]
) -> None:
    """Insert as many rows as the sequences are long.

    Args:
        connection: The transaction.
        table: Where to; see :func:`takes_alike`.
        same: The columns that are the same in every row, with their value.
        each: The others, as the text of each row's value: JSON for a JSON column.
    """
    arrays = [bindparam(None, list(texts), ARRAY(Text), unique=True) for texts in each.values()]
    rows = func.unnest(*arrays).table_valued(*each).render_derived(name="alike")
    values: list[ColumnElement[Any]] = [literal(value, table.c[name].type) for name, value in same.items()]
    values += [cast(rows.c[name], table.c[name].type) for name in each]
    await connection.execute(insert(table).from_select([*same, *each], select(*values), include_defaults=False))
