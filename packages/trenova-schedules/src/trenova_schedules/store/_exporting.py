"""Lines of CSV (RFC 4180) from models."""

import csv
import io
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the beginning of one


def csv_header(model: type[BaseModel]) -> str:
    """Return the header: the aliases of the model's fields."""
    return _line([field.alias or name for name, field in model.model_fields.items()])


def csv_line(model: BaseModel) -> str:
    """Return the model as one row; what is not text or a number becomes JSON."""
    return _line([_cell(value) for value in model.model_dump(mode="json", by_alias=True).values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else to_json(value).decode()
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
