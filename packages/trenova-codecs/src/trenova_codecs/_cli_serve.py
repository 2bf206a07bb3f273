"""``trenova-codecs serve``: the codec server."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer


def serve(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="TRENOVA_CODEC_SERVER_CONFIG", dir_okay=False, help="Options as YAML."),
    ] = None,
    ring: Annotated[
        Path | None, typer.Option("--ring", envvar="TRENOVA_CODECS_RING", help="The key ring file.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", show_default="127.0.0.1", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, show_default="8234", help="0: a free one.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar="TRENOVA_DATA_DIR", show_default=".trenova", help="Private folder."),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", metavar="NAME[=KEYS]", help="Serve it with these keys (all: *); may be repeated."),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="Origin of a Temporal UI that may call; may be repeated.")
    ] = None,
) -> None:
    """Decode and encode payloads for Temporal's command line and Web UI.

    Everything else is an option of the file (docs/codec-server.md) or a variable TRENOVA_CODEC_SERVER_*.
    Flags win over variables, variables over the file. Without any, it listens on 127.0.0.1 for whoever can
    sign in on this machine, and serves the namespace `default` with every key of the ring.

    Exits 0 when it was asked to stop, 1 when it failed, 2 when an option is wrong.
    """
    try:
        from trenova_codecs.server._run import run_server
    except ModuleNotFoundError as error:
        typer.echo(f'The codec server needs its extra: uv pip install "trenova-codecs[server]" ({error})', err=True)
        raise typer.Exit(2) from None

    flags: dict[str, Any] = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "codec.encryption.keys": {"source": "file", "path": ring} if ring else None,
        "access.origins": origin,
        "namespaces": _namespaces(namespace) if namespace else None,
    }
    raise typer.Exit(run_server(config, os.environ, flags))


def _namespaces(told: list[str]) -> dict[str, Any]:
    pairs = (one.partition("=") for one in told)
    return {name: {"keys": keys.split(",") if keys else ["*"]} for name, _, keys in pairs}
