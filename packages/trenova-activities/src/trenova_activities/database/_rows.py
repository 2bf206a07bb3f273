"""Rows as tables take them, whatever columns a table turns out to have."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, Table

from trenova_activities.database._catalog import is_generated, label


def insertable(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the table has and may be written, in the form its column takes.

    Objects and lists go to JSON columns as they are and to text columns as JSON text; enum labels take the
    database's own spelling.
    """
    return {
        name: _value(table.c[name], value)
        for name, value in row.items()
        if name in table.c and not is_generated(table.c[name])
    }


def _value(column: Column[Any], value: Any) -> Any:
    if isinstance(value, (dict, list)) and not isinstance(column.type, (JSON, ARRAY)):
        return json.dumps(value, separators=(",", ":"))
    return label(column, value) if isinstance(value, str) else value
