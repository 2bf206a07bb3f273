"""Copies of rows made by the database itself, so that columns nobody here knows arrive unchanged.

A copy is one ``INSERT ... SELECT`` joined with the list of (source id, new id, new parent). No value
passes through Python, whatever its type.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Insert,
    String,
    Table,
    Text,
    any_,
    cast,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trenova_activities.database._catalog import TENANT, has_default, is_generated, label, unique_sets
from trenova_activities.database._tenant import Tenant

_SOURCE = "copied_from"


@dataclass(frozen=True)
class RowCopy:
    """One row to be made.

    Attributes:
        source: Id of the row it is copied from.
        own: What only this copy has: its id, its parent, its numbers. All rows of a statement name the same columns.
    """

    source: str
    own: Mapping[str, str | None]


@dataclass(frozen=True)
class CopyRules:
    """How every copy of a row of one table differs from its source.

    Attributes:
        fresh: Columns with the same new value in every copy, where the table has them.
        cleared: Columns that belong to the source's own life; left to their default.
        cleared_prefixes: The same, for families of columns.
        shifted: Columns in unix seconds that move by ``shift`` seconds.
        shift: Seconds.
    """

    fresh: Mapping[str, Any] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()
    cleared_prefixes: tuple[str, ...] = ()
    shifted: frozenset[str] = frozenset()
    shift: int = 0


def copy_rows(dialect: str, table: Table, tenant: Tenant, rules: CopyRules, rows: Sequence[RowCopy]) -> Insert:
    """Build the statement that makes the copies; it inserts ``len(rows)`` rows if every source is there."""
    own = [name for name in rows[0].own if name in table.c]
    pairs = _pairs(dialect, rows, own)
    values: dict[str, ColumnElement[Any]] = {name: pairs.c[name] for name in own}
    for column_ in table.c:
        if column_.name not in values and not _stays_behind(column_, rules, own):
            values[column_.name] = _value(column_, rules)
    source = table.join(pairs, table.c.id == pairs.c[_SOURCE])
    query = select(*values.values()).select_from(source).where(tenant.owns(table), *_among(dialect, table, rows))
    return insert(table).from_select(list(values), query, include_defaults=False)


def _value(target: Column[Any], rules: CopyRules) -> ColumnElement[Any]:
    if target.name in rules.fresh:
        fresh = rules.fresh[target.name]
        return literal(label(target, fresh) if isinstance(fresh, str) else fresh, target.type)
    if target.name in rules.shifted and rules.shift:
        return target + rules.shift
    return target


def _stays_behind(target: Column[Any], rules: CopyRules, own: Sequence[str]) -> bool:
    """Whether a column is not written: generated, or the source's own affair and not in need of a value."""
    if is_generated(target):
        return True
    if target.name in rules.fresh or not has_default(target):
        return False
    cleared = target.name in rules.cleared or target.name.startswith(rules.cleared_prefixes or ("\0",))
    return cleared or target.name in _colliding(target.table, own)


def _colliding(table: FromClause, own: Sequence[str]) -> frozenset[str]:
    """Columns that a unique constraint forbids to repeat, unless another column of it differs anyway."""
    collisions = [names for names in unique_sets(table) if names.isdisjoint(own)]
    return frozenset().union(*collisions) - frozenset(TENANT)


def _among(dialect: str, table: Table, rows: Sequence[RowCopy]) -> list[ColumnElement[bool]]:
    """Name the sources once more where the planner does not find out from the list how few they are.

    PostgreSQL takes any list for a hundred rows. Where it also knows little of the table, it would rather compare every
    row of the tenant with the whole list.
    """
    if dialect == "sqlite":
        return []
    sources = sorted({row.source for row in rows})
    return [table.c.id == any_(literal(sources, ARRAY(String)))]


def _pairs(dialect: str, rows: Sequence[RowCopy], own: Sequence[str]) -> FromClause:
    """Hand the list over as one JSON parameter: no limit on its length, and one cached statement."""
    text = json.dumps([{_SOURCE: row.source, **{name: row.own[name] for name in own}} for row in rows])
    names = [_SOURCE, *own]
    if dialect == "sqlite":
        each = func.json_each(literal(text, Text)).table_valued(column("value", Text))
        fields = [cast(func.json_extract(each.c.value, f"$.{name}"), Text).label(name) for name in names]
        return select(*fields).subquery("pairs")
    typed = [column(name, String) for name in names]
    listed = func.jsonb_to_recordset(cast(literal(text, Text), JSONB)).table_valued(*typed, name="pairs")
    return listed.render_derived(with_types=True)
