"""The TMS's tables as they really are, read from the database when a worker starts.

The database is not ours alone: it has columns that we do not know, generated ones, enums, and two
vocabularies for the windows of a stop. Nothing here is assumed that the database can tell.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Column, Enum, FromClause, MetaData, Table, UniqueConstraint, event
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoSuchTableError, SAWarning

from trenova_activities.database._engine import Database

TENANT = ("organization_id", "business_unit_id")


@dataclass(frozen=True)
class Catalog:
    """Tables of the TMS by name, as reflected; a table that is absent is not in it."""

    tables: Mapping[str, Table]

    @classmethod
    async def reflect(cls, database: Database, names: Iterable[str]) -> Self:
        """Read the columns, keys and unique constraints of the named tables.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        wanted = sorted(set(names))
        async with database.read() as connection:
            return cls(await connection.run_sync(_reflect, wanted, database.options.schema_name))

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def has(self, table: str, column: str) -> bool:
        """Whether the database has that column."""
        return table in self.tables and column in self.tables[table].c

    def owned(self, table: str) -> bool:
        """Whether the table is there and its rows name their tenant."""
        return all(self.has(table, column) for column in TENANT)

    def first(self, table: str, *columns: str) -> str | None:
        """Return the first of several names for the same thing that the table has."""
        return next((column for column in columns if self.has(table, column)), None)


def is_generated(column: Column[Any]) -> bool:
    """Whether the database itself computes the column, so that no statement may write it."""
    return column.computed is not None or (column.identity is not None and bool(column.identity.always))


def has_default(column: Column[Any]) -> bool:
    """Whether a row may leave the column out."""
    return bool(column.nullable) or column.server_default is not None or column.identity is not None


def unique_sets(table: FromClause) -> list[frozenset[str]]:
    """Names of the columns of each unique constraint or index, the primary key aside."""
    if not isinstance(table, Table):
        return []
    constraints = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    indexes = [index.columns for index in table.indexes if index.unique]
    return [frozenset(column.name for column in columns) for columns in [*constraints, *indexes]]


def label(column: Column[Any], wanted: str) -> str:
    """Return an enum's own spelling of a label (``pro_number`` may be ``ProNumber``), or the label itself."""
    if isinstance(column.type, Enum):
        folded = wanted.replace("_", "").casefold()
        for known in column.type.enums:
            if known.replace("_", "").casefold() == folded:
                return str(known)
    return wanted


def _reflect(connection: Connection, names: list[str], schema: str | None) -> dict[str, Table]:
    with warnings.catch_warnings():  # a type that SQLAlchemy does not know is copied all the same
        warnings.simplefilter("ignore", SAWarning)
        return _read(connection, names, schema)


def _read(connection: Connection, names: list[str], schema: str | None) -> dict[str, Table]:
    metadata = MetaData(schema=schema)
    event.listen(metadata, "column_reflect", _base_type)
    tables: dict[str, Table] = {}
    for name in names:
        try:
            tables[name] = Table(name, metadata, autoload_with=connection, resolve_fks=False)
        except NoSuchTableError:
            continue
    return tables


def _base_type(_inspector: object, _table: object, info: dict[str, Any]) -> None:
    """Treat a column of a domain as one of the type below it; the database checks the domain itself."""
    if isinstance(info["type"], DOMAIN):
        info["type"] = info["type"].data_type
