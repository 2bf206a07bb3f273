"""``trenova-schedules export | import``: schedules as JSON documents."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client

from trenova_schedules._cli_bulk import report_items
from trenova_schedules._cli_connect import FAILED, MISCONFIGURED, run
from trenova_schedules._cli_output import AsJson, By, Reason
from trenova_schedules._cli_service import (
    DEFAULT_DATA_DIR,
    DataDir,
    DryRun,
    Ids,
    Labels,
    Owner,
    Prefix,
    Query,
    Queue,
    Search,
    Url,
    Workflow,
    actor_of,
    filter_of,
    service_of,
)
from trenova_schedules._managing._results import BulkItem


def export(
    ids: Ids = None,
    *,
    search: Search = "",
    prefix: Prefix = "",
    owner: Owner = None,
    workflow: Workflow = "",
    task_queue: Queue = "",
    label: Labels = None,
    query: Query = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File.", show_default="standard output")] = None,
) -> None:
    """Write schedules as JSON, so that 'import' makes them again. What is encrypted stays so."""
    wanted = filter_of(
        ids, search=search, prefix=prefix, owner=owner, workflow=workflow, queue=task_queue, labels=label, query=query
    )

    async def work(client: Client) -> dict[str, Any]:
        async with service_of(client, data_dir, url=url) as service:
            return await service.export(wanted)

    text = json.dumps(run(work), indent=2)
    if output is None:
        typer.echo(text)
    else:
        try:
            output.write_text(f"{text}\n")
        except OSError as error:
            typer.echo(f"The export cannot be written: {error}. Give another --output.", err=True)
            raise typer.Exit(FAILED) from None


def import_(
    source: Annotated[str, typer.Argument(metavar="FILE", help="An export; '-' for standard input.")],
    *,
    reason: Reason,
    active: Annotated[
        bool, typer.Option("--active", help="Let those fire that fired when they were exported; else all are paused.")
    ] = False,
    dry_run: DryRun = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Create the schedules of an export, paused; those that exist are left as they are."""
    try:
        exchanged = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text())
    except (OSError, ValueError) as error:
        typer.echo(f"{source!r} cannot be read: {error}. Give a file that 'export' has written.", err=True)
        raise typer.Exit(MISCONFIGURED) from None

    async def work(client: Client) -> tuple[BulkItem, ...]:
        async with service_of(client, data_dir, url=url) as service:
            return await service.import_(exchanged, actor=actor_of(by), reason=reason, active=active, dry_run=dry_run)

    report_items(run(work), as_json=as_json)
