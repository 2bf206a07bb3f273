"""The condition that a column is one of many values, which PostgreSQL takes as one array."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection


def any_of(connection: AsyncConnection, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition, which is false where there are no values.

    ``IN`` would be written out with a parameter for each value: another statement for every number of them, to be
    written, sent and planned anew.

    Args:
        connection: Where it is going to be used; other databases than PostgreSQL get ``IN``.
        column: A column of a table.
        values: In any order.
    """
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(bindparam(None, list(values), ARRAY(column.type), unique=True))
