"""The management service as the command line uses it, and which schedules it is told of."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from temporalio.client import Client

from trenova_schedules._cli_connect import user_of_this_system
from trenova_schedules._cli_file_receipts import FileReceipts
from trenova_schedules._cli_store import store_beside
from trenova_schedules._managing._audit import Actor
from trenova_schedules._managing._changing import valid
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._service import ScheduleService

DEFAULT_DATA_DIR: Final = Path(".trenova")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Of the schedules.", show_default=False)]
OneId = Annotated[str, typer.Argument(metavar="ID", help="Of the schedule.", show_default=False)]
Search = Annotated[str, typer.Option(help="Text in the id, workflow, owner, note or a label.", show_default=False)]
Prefix = Annotated[str, typer.Option(help="How the id begins.", show_default=False)]
Owner = Annotated[str | None, typer.Option(help="Whose; '' for those of nobody known.", show_default=False)]
Workflow = Annotated[str, typer.Option(help="Of this workflow.", show_default=False)]
Queue = Annotated[str, typer.Option("--task-queue", help="On this task queue.", show_default=False)]
Labels = Annotated[list[str] | None, typer.Option("--label", help="NAME=VALUE; may be repeated.", show_default=False)]
Query = Annotated[str, typer.Option(help="In Temporal's list language.", show_default=False)]
Everything = Annotated[bool, typer.Option("--all", help="Every schedule of the namespace.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Most = Annotated[int, typer.Option(min=1, max=100_000, help="Refuse to change more than these.")]
DataDir = Annotated[
    Path,
    typer.Option(
        envvar="TRENOVA_DATA_DIR", help="Of 'trenova-workers up'; and of receipts, where there is no database."
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="TRENOVA_DATABASE__URL",
        show_default="the file in the data folder, for the server of that folder's 'up'; else none",
        help="Database of audit trail and receipts, e.g. postgresql://user:password@host/name.",
    ),
]
Unserved = Annotated[bool, typer.Option("--allow-unserved", help="Take also a workflow or queue nobody serves yet.")]


@asynccontextmanager
async def service_of(
    client: Client, data_dir: Path = DEFAULT_DATA_DIR, *, url: str | None = None, serves: bool = True
) -> AsyncIterator[ScheduleService]:
    """Open the service of this command; with a database, its store keeps the audit trail and the receipts."""
    async with store_beside(client, url, data_dir) as store:
        if store is None:
            yield ScheduleService(client=client, receipts=FileReceipts(data_dir), serves=serves)
            return
        yield ScheduleService(
            client=client, audit=store.audit, receipts=store.receipts, registry=store.registry, serves=serves
        )


def actor_of(by: str | None) -> Actor:
    """Return who asks: a claim, since nobody has been asked to prove it."""
    return Actor(name=user_of_this_system(by)[:180], source="cli")


def filter_of(
    ids: Sequence[str] | None = None,
    *,
    search: str = "",
    prefix: str = "",
    owner: str | None = None,
    workflow: str = "",
    queue: str = "",
    labels: Sequence[str] | None = None,
    paused: bool | None = None,
    query: str = "",
) -> ScheduleFilter:
    """Build a filter out of options.

    Raises:
        typer.BadParameter: A label is not ``NAME=VALUE``.
    """
    pairs = [label.partition("=") for label in labels or ()]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise typer.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", param_hint="--label")
    fields = {
        "ids": tuple(ids or ()),
        "search": search,
        "prefix": prefix,
        "owner": owner,
        "workflow": workflow,
        "task_queue": queue,
        "labels": {name: value for name, _, value in pairs},
        "paused": paused,
        "query": query,
    }
    return valid(ScheduleFilter, fields, "The filter")


def json_option(text: str, option: str) -> object:
    """Read JSON that was typed.

    Raises:
        typer.BadParameter: It is none.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this is no JSON: {error}", param_hint=option) from None
