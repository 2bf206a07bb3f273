"""``trenova-schedules serve``: the API over HTTP, and ``api-token`` for its programs."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_schedules._cli_connect import MISCONFIGURED, run

_NEEDS = 'The API needs its extra: uv pip install "trenova-schedules[server]"'


def serve(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="TRENOVA_SCHEDULES_SERVER_CONFIG", dir_okay=False, help="Options as YAML."),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", show_default="127.0.0.1", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, show_default="8235", help="0: a free one.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", show_default=".trenova", help="Private folder."),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url",
            envvar="TRENOVA_DATABASE__URL",
            help="Where audit trail, ledger and idempotency keys are, e.g. postgresql://user:password@host/name.",
            show_default="an SQLite file in the data folder",
        ),
    ] = None,
    no_sign_in: Annotated[
        bool | None, typer.Option("--no-sign-in", help="Everybody may do everything; on loopback only.")
    ] = None,
) -> None:
    """Serve schedules over HTTP until asked to stop: docs/schedules-api.md.

    Everything else is an option of the file or a variable TRENOVA_SCHEDULES_SERVER_*. Flags win over variables,
    variables over the file. Without any, it listens on 127.0.0.1 for whoever can sign in on this machine.

    Exits 0 when it was asked to stop, 1 when it failed, 2 when an option is wrong.
    """
    try:
        from trenova_access import AccessConfigurationError
        from trenova_access.serving import expose_metrics
        from trenova_schedules.server._serve import require_safe
        from trenova_schedules.server._serve import serve as serve_until_told
        from trenova_schedules.server._settings import load_options
    except ModuleNotFoundError as error:
        typer.echo(f"{_NEEDS} ({error.name} is missing).", err=True)
        raise typer.Exit(MISCONFIGURED) from None

    flags: dict[str, Any] = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "database.url": database_url,
        "no_sign_in": no_sign_in or None,
    }
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    try:
        options = load_options(config, os.environ, flags)
        require_safe(options)  # before anything is asked of anybody
    except (AccessConfigurationError, ConfigurationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(MISCONFIGURED) from None

    async def work(client: Client) -> None:
        await serve_until_told(options, client, say=_say, exposition=expose_metrics())

    run(work)


def api_token() -> None:
    """Make a token for a program, and the digest by which the server's options know it."""
    try:
        from trenova_access import new_api_token
    except ModuleNotFoundError:
        typer.echo(f"{_NEEDS} (trenova_access is missing).", err=True)
        raise typer.Exit(MISCONFIGURED) from None
    token, digest = new_api_token()
    typer.echo(f"token   {token}")
    typer.echo(f"sha256  {digest}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
