"""``trenova-activities replay``: whether the code of today goes on with what the code of before has begun."""

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trenova_errors import ApplicationError, ErrorsPlugin

if TYPE_CHECKING:
    from trenova_activities._replaying import Fetch, Replayed, Replaying

_COULD_NOT_LOOK: Final = 2
_DEFAULT_NAMESPACE: Final = "default"
_WHAT_TO_DO: Final = (
    "A worker with this code would stop at every run that differs. Put the change behind workflow.patched(...), so "
    "that runs from before keep their commands, or undo it; docs/changing-workflows.md says when and how. A type that "
    "is not in this code is given with --workflows MODULE, or is another team's: leave it out with "
    "--query \"TaskQueue = '...'\"."
)
_LOGGERS: Final = ("temporalio", "trenova_errors", "trenova_codecs")
_KEYS: Final = "Give this command the keys of the workers (TRENOVA_CODECS_RING or TRENOVA_DATA_DIR)."


def replay(
    folders: Annotated[list[Path] | None, typer.Argument(help="Folders or files of histories (*.json).")] = None,
    *,
    server: Annotated[bool, typer.Option("--from-server", help="The open runs of a namespace.")] = False,
    query: Annotated[str | None, typer.Option(help="With --from-server: a visibility query that narrows them.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many, the newest first.", show_default="all")] = None,
    closed_hours: Annotated[
        float, typer.Option(min=0, help="With --from-server: also runs that ended in the last so many hours.")
    ] = 0,
    workflows: Annotated[
        list[str] | None,
        typer.Option(help="Module with workflows of your own; may be repeated. A name of ours is then yours."),
    ] = None,
    lanes: Annotated[int, typer.Option("--concurrency", min=1, max=32, help="Histories at the same time.")] = 4,
) -> None:
    """Replay histories with the installed workflows, before a deploy or in CI.

    The Temporal server comes from temporalio.envconfig, codecs from the entry points trenova.client_plugins.

    Exit status: 0 all replay; 1 some do not, each named with the reason; 2 no server, folder or module to look at, or
    none that differs but some that cannot be decoded.
    """
    if server == bool(folders):
        raise typer.BadParameter("Name folders of histories, or --from-server: one of both.", param_hint="FOLDER")
    if not server and (query or limit or closed_hours):
        raise typer.BadParameter("--query, --limit and --closed-hours need --from-server.", param_hint="FOLDER")
    look = _FromServer(query, limit, timedelta(hours=closed_hours), lanes) if server else _FromFolders(folders or [])
    raise typer.Exit(_run(look, workflows or []))


@dataclass(frozen=True)
class _FromFolders:
    folders: list[Path]
    lanes: int = 1  # files are printed in their order

    async def open(self, workflows: dict[str, type]) -> "tuple[Replaying, AsyncIterator[Fetch], str]":
        from temporalio.worker import Plugin

        from trenova_activities._replay_sources import files_in, from_files
        from trenova_activities._replaying import Replaying
        from trenova_errors.connecting import installed_plugins

        found = from_files(files_in(self.folders))
        hint = ""
        try:
            plugins = [one for one in installed_plugins(os.environ) if isinstance(one, Plugin)]
        except ApplicationError as error:  # keys that are not here are missed only by histories that need them
            plugins, hint = [], error.message
        namespace = os.environ.get("TEMPORAL_NAMESPACE") or _DEFAULT_NAMESPACE
        return Replaying(workflows, [ErrorsPlugin(), *plugins], namespace), found, hint


@dataclass(frozen=True)
class _FromServer:
    query: str | None
    limit: int | None
    closed_within: timedelta
    lanes: int

    async def open(self, workflows: dict[str, type]) -> "tuple[Replaying, AsyncIterator[Fetch], str]":
        from temporalio.worker import Plugin

        from trenova_activities._cli_follow import connect_to_read
        from trenova_activities._replay_sources import from_server
        from trenova_activities._replaying import Replaying

        client, hint = await connect_to_read()
        plugins = [one for one in client.config()["plugins"] if isinstance(one, Plugin)]
        found = from_server(client, query=self.query, limit=self.limit, closed_within=self.closed_within)
        return Replaying(workflows, plugins, client.namespace), found, hint


def _run(look: _FromFolders | _FromServer, modules: list[str]) -> int:
    from temporalio.service import RPCError

    from trenova_activities._replay_workflows import find_workflows

    if modules:
        sys.path.insert(0, os.fspath(Path.cwd()))
    try:
        return asyncio.run(_replay(look, find_workflows(modules)))
    except ApplicationError as error:
        typer.echo(error.message, err=True)
    except RPCError as error:
        typer.echo(f"The Temporal server does not tell: {error.message}", err=True)
    return _COULD_NOT_LOOK


async def _replay(look: _FromFolders | _FromServer, workflows: dict[str, type]) -> int:
    from trenova_activities._replaying import Verdict

    replaying, found, hint = await look.open(workflows)
    for name in _LOGGERS:  # their tracebacks of a failed replay; its verdict says the same in a line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    counted = Counter[Verdict]()

    def tell(one: "Replayed") -> None:
        counted[one.verdict] += 1
        typer.echo(_line(one))

    await replaying.replay(found, tell, lanes=look.lanes)
    differ, unread = counted[Verdict.DIFFERS], counted[Verdict.UNREADABLE]
    typer.echo(f"{counted.total()} histories: {counted[Verdict.REPLAYS]} replay, {differ} differ, {unread} unreadable.")
    if differ:
        typer.echo(_WHAT_TO_DO, err=True)
    if unread:
        typer.echo(f"What is unreadable was not replayed, so it may be anything. {hint or _KEYS}", err=True)
    return 1 if differ else _COULD_NOT_LOOK if unread else 0


def _line(one: "Replayed") -> str:
    type_ = f" ({one.recorded.workflow_type})" if one.recorded.workflow_type else ""
    reason = " ".join(one.reason.split())
    return f"{one.verdict:10} {one.recorded.source}{type_}{f': {reason}' if reason else ''}"
