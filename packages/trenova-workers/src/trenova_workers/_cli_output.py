"""Tables and JSON lines on stdout."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trenova_workers._service import Finding


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print findings, those that are amiss in red."""
    if as_json:
        for finding in findings:
            print(json.dumps(asdict(finding)), flush=True)  # noqa: T201 (stdout is for results)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("subject", "", "detail")
    for finding in findings:
        verdict = Text("ok", style="green") if finding.ok else Text("AMISS", style="bold red")
        table.add_row(Text(finding.subject), verdict, Text(finding.detail))
    Console().print(table)


def print_settings(shown: dict[str, Any]) -> None:
    """Print what ``config show --json`` has, for people: a table on a terminal, else a line each that nothing wraps."""
    title = f"{shown['service']} polls {', '.join(shown['queues'])}" if "queues" in shown else ""
    if not sys.stdout.isatty():
        print(title, end="\n" if title else "")  # noqa: T201 (stdout is for results)
        for setting in shown["settings"]:
            print(f"{setting['key']} = {_text(setting['value'])}  ({setting['source']})")  # noqa: T201 (stdout is for results)
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(
        *(Column(name, overflow="fold") for name in ("key", "value", "source")),
        title=title or shown["service"],
    )
    for setting in shown["settings"]:
        table.add_row(Text(setting["key"]), Text(_text(setting["value"])), Text(setting["source"]))
    Console().print(table)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
