"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from pydantic import BaseModel, TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
By = Annotated[str | None, typer.Option(help="Who asks; kept as a claim.", show_default="the user of this system")]
Reason = Annotated[str, typer.Option(help="Why, for whoever looks.", show_default=False)]

console = Console(highlight=False)
asides = Console(highlight=False, stderr=True)
_DURATION = TypeAdapter(timedelta)


def print_json(document: BaseModel | Sequence[BaseModel] | dict[str, Any] | list[Any]) -> None:
    """Print a model, several, or plain values; models in camelCase."""
    if isinstance(document, BaseModel):
        typer.echo(document.model_dump_json(indent=2, by_alias=True))
        return
    plain = [_plain(one) for one in document] if isinstance(document, Sequence) else document
    typer.echo(json.dumps(plain, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, to: Console = console) -> None:
    """Print a table for people; what looks like markup in an id or a note is printed as it is."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    to.print(table)


def moment(at: datetime | None) -> str:
    """Write a time for people, in the local zone."""
    return "" if at is None else at.astimezone().isoformat(sep=" ", timespec="seconds")


def duration(length: timedelta | None) -> str:
    """Write a duration in ISO 8601, as a definition takes it."""
    return "" if length is None else str(_DURATION.dump_python(length, mode="json"))


def _plain(one: Any) -> Any:
    return one.model_dump(mode="json", by_alias=True) if isinstance(one, BaseModel) else one
