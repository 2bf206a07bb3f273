"""Prints what a demonstration reports: JSON lines for programs, progress and a table for people."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trenova_workers._demo import CheckEvent, DemoEvent


@contextmanager
def json_lines() -> Iterator[Callable[[DemoEvent], None]]:
    """Print every event as one JSON object a line, at once."""
    yield lambda event: print(json.dumps(event, default=str), flush=True)  # noqa: T201 (stdout is for results)


@contextmanager
def terminal() -> Iterator[Callable[[DemoEvent], None]]:
    """Show progress bars while it goes, then the checks as a table."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console()
    checks: list[CheckEvent] = []
    texts: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, Any] = {}

        def report(event: DemoEvent) -> None:
            if event["event"] == "progress":
                label = event["label"]
                if label not in tasks:
                    tasks[label] = progress.add_task(label, total=event["total"])
                progress.update(tasks[label], completed=event["done"], total=event["total"])
            elif event["event"] == "check":
                checks.append(event)
            else:
                texts.append(event["text"])

        yield report
    if checks:
        console.print(_table(checks))
    for text in texts:
        console.print(text, markup=False)


def _table(checks: list[CheckEvent]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "expected", "found", "", title="Asked for and found")
    for check in checks:
        verdict = Text("ok", style="green") if check["ok"] else Text("DIFFERS", style="bold red")
        table.add_row(Text(check["name"]), Text(str(check["expected"])), Text(str(check["actual"])), verdict)
    return table
