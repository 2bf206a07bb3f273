"""``trenova-codecs serve``: the codec server."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from trenova_codecs._cli_outcome import told
from trenova_errors import ConfigurationError


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
        typer.Option(
            "--namespace",
            metavar="NAME[=KEYS]",
            help="Serve it with these keys, as in pay=k1,k2 (alone or =*: all); may be repeated.",
        ),
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
        needs = 'The codec server needs its extra: uv pip install "trenova-codecs[server]"'
        typer.echo(f"{needs} ({error.name} is missing).", err=True)
        raise typer.Exit(2) from None

    with told():
        flags: dict[str, Any] = {
            "host": host,
            "port": port,
            "data_dir": data_dir,
            "codec.encryption.keys": {"source": "file", "path": ring} if ring else None,
            "access.origins": origin,
            "namespaces": _namespaces(namespace) if namespace else None,
        }
    raise typer.Exit(run_server(config, os.environ, flags))


def _namespaces(flags: list[str]) -> dict[str, Any]:
    served: dict[str, Any] = {}
    for flag in flags:
        name, told_keys, listed = flag.partition("=")
        keys = [key.strip() for key in listed.split(",")] if told_keys else ["*"]
        if not name or not all(keys):
            raise ConfigurationError(
                f"--namespace {flag[:80]!r} names {'no key ids' if name else 'no namespace'}. Write NAME=ID,ID with "
                "the ids of its keys, or NAME alone for every key of the ring."
            )
        if name in served:
            raise ConfigurationError(
                f"--namespace names {name[:80]!r} twice. Give all of its keys in one, with commas between."
            )
        served[name] = {"keys": keys}
    return served
