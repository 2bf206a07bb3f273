"""Tables and JSON lines on stdout."""

import json
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
    """Print what ``config show --json`` has, for people."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(
        *(Column(name, overflow="fold") for name in ("key", "value", "source")),
        title=f"{shown['service']} polls {', '.join(shown['queues'])}",
    )
    for setting in shown["settings"]:
        value = setting["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        table.add_row(Text(setting["key"]), Text(text), Text(setting["source"]))
    Console().print(table)
