"""The command ``trenova-workers doctor``: a function for typer."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    *,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Run only this check; may be repeated.")
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="NAME", help="Look only at this service; may be repeated."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what is safe to put right, and say what was done.")] = (
        False
    ),
    expect_running: Annotated[
        bool, typer.Option("--expect-running", help="A queue that nobody polls is a problem, not a warning.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody over the network.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    data_dir: Annotated[
        Path,
        typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", help="Folder of `up`, whose server is looked at."),
    ] = Path(".trenova"),
) -> None:
    """Look at the Temporal server, every installed service and this machine, and say what to do.

    Services are asked, never imported. The server is the one that TEMPORAL_ADDRESS or a profile names, else that of
    `up` in the data folder, else localhost:7233. Changes nothing without --fix.

    Exits 0 when all is well (warnings allowed), 1 when something is wrong, 2 when it could not look.
    """
    from trenova_workers._doctor._checks import chosen
    from trenova_workers._doctor._examine import Options, examine, exit_status
    from trenova_workers._doctor._print import print_json, print_lines
    from trenova_workers._up._discovery import choose, installed_services
    from trenova_workers._up._options import UpError

    options = Options(dict(os.environ), data_dir, offline=offline, expect_running=expect_running, fix=fix)
    try:
        checks = chosen(only or [])
        services = choose(installed_services(), service or [])
    except (UpError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    found = asyncio.run(examine(options, services, checks))
    (print_json if json_ else print_lines)(found, sys.stdout)
    raise typer.Exit(exit_status(found))
