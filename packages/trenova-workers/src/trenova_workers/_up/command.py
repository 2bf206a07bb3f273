"""The command ``trenova-workers up``: a function for typer, which runs a session."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

_HIGHEST_PORT = 65535


def up(
    *,
    data_dir: Annotated[
        Path,
        typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", help="Private folder for all state; one `up` at a time."),
    ] = Path(".trenova"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Temporal server (gRPC); 0: a free one.")
    ] = 7233,
    ui_port: Annotated[int, typer.Option("--ui-port", min=0, max=65535, help="Temporal UI; 0: a free one.")] = 8233,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WORKER", help="Start only this worker; may be repeated."),
    ] = None,
    consoles: Annotated[
        bool, typer.Option("--consoles/--no-consoles", help="Start the installed web consoles.")
    ] = True,
    console_port: Annotated[
        list[str] | None,
        typer.Option(
            "--console-port",
            metavar="NAME=PORT",
            help="Where this console listens; the codec server: the UI's port + 1.",
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Run every worker's demo, compare, stop, exit 0 or 1.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="With --demo: stay up afterwards.")] = False,
    pools: Annotated[
        str | None,
        typer.Option(
            "--pools",
            metavar="N|FILE",
            help="Run workers in pools that scale themselves: up to N of each, or as the file says.",
        ),
    ] = None,
) -> None:
    """Start a Temporal server, every installed worker and console on this machine, and follow them.

    Everything listens on 127.0.0.1 only. Ctrl-C or SIGTERM lets the workers finish what they do,
    then stops the server; state stays in the data folder. A second one kills.

    Exits 1 when something could not start, a worker had to be given up, or the demo disagreed;
    130 when it was told to kill.
    """
    if keep and not demo:
        raise typer.BadParameter("--keep says what happens after --demo; give both, or neither.")
    if sys.platform == "win32":
        _refuse("`trenova-workers up` needs Linux or macOS; on Windows run it in WSL.")
    raise typer.Exit(
        _run(
            only or [],
            consoles=consoles,
            data_dir=data_dir,
            port=port,
            ui_port=ui_port,
            console_ports=dict(map(_console_port, console_port or [])),
            demo=demo,
            keep=keep,
            pools=pools,
        )
    )


def _console_port(told: str) -> tuple[str, int]:
    name, _, port = told.partition("=")
    if not name or not port.isdecimal() or not 0 <= int(port) <= _HIGHEST_PORT:
        raise typer.BadParameter(f"--console-port takes NAME=PORT, such as codec-server=8234; got {told!r}.")
    return name, int(port)


def _run(only: list[str], *, consoles: bool, **told: Any) -> int:
    from trenova_workers._up._consoles import installed_consoles
    from trenova_workers._up._discovery import choose, installed_services
    from trenova_workers._up._embedded import installed_binary
    from trenova_workers._up._options import Options, UpError
    from trenova_workers._up._preparations import installed_preparations
    from trenova_workers._up._screen import Screen
    from trenova_workers._up._session import bring_up

    options = Options(environ=dict(os.environ), server_binary=installed_binary(), **told)
    try:
        services = choose(installed_services(), only)
        found = installed_consoles() if consoles else []
        return asyncio.run(bring_up(options, services, Screen(), found, installed_preparations()))
    except UpError as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)
