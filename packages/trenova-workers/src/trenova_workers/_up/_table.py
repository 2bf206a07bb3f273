"""The table of a running ``up``: who polls what, and where the time went."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

_STYLES = {"ready": "green", "failed": "bold red"}


@dataclass(frozen=True)
class Row:
    """One worker; times in seconds, None where a step was not reached."""

    worker: str
    queues: Sequence[str]
    pid: int | None
    state: str
    prepare: float | None
    start: float | None


@dataclass(frozen=True)
class ConsoleRow:
    """One console; ``address`` is what to open in a browser, ``start`` in seconds."""

    console: str
    address: str
    pid: int | None
    state: str
    start: float | None


def new_table(*, plain: bool) -> Table:
    """An empty table: with lines on a terminal, aligned columns elsewhere."""
    return Table(box=None if plain else box.ROUNDED, pad_edge=not plain, header_style="" if plain else "bold")


def workers_table(rows: Sequence[Row], *, plain: bool) -> Table:
    """Worker, queue, pid, state, and the seconds its start took."""
    table = new_table(plain=plain)
    for column in ("worker", "queue", "pid", "state", "prepare", "start"):
        table.add_column(column, justify="right" if column in {"pid", "prepare", "start"} else "left", overflow="fold")
    for row in rows:
        table.add_row(
            row.worker,
            ", ".join(row.queues) or "?",
            "-" if row.pid is None else str(row.pid),
            row.state,
            seconds(row.prepare),
            seconds(row.start),
            style=None if plain else _STYLES.get(row.state, "yellow"),
        )
    return table


def consoles_table(rows: Sequence[ConsoleRow], *, plain: bool) -> Table:
    """Console, address to open, pid, state, and the seconds its start took."""
    table = new_table(plain=plain)
    for column in ("console", "open in a browser", "pid", "state", "start"):
        table.add_column(column, justify="right" if column in {"pid", "start"} else "left", overflow="fold")
    for row in rows:
        pid = "-" if row.pid is None else str(row.pid)
        style = None if plain else _STYLES.get(row.state, "yellow")
        table.add_row(row.console, row.address, pid, row.state, seconds(row.start), style=style)
    return table


def seconds(value: float | None) -> str:
    """``1.23 s``, or a dash."""
    return "-" if value is None else f"{value:.2f} s"
