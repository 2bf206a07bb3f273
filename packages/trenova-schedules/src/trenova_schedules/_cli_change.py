"""``trenova-schedules pause | resume | update``: one schedule, or every one that a filter finds."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client

from trenova_schedules._cli_bulk import change_many, say_change
from trenova_schedules._cli_connect import run
from trenova_schedules._cli_output import AsJson, By, Reason, Yes, print_json
from trenova_schedules._cli_service import (
    DEFAULT_DATA_DIR,
    DataDir,
    DryRun,
    Everything,
    Ids,
    Labels,
    Most,
    Owner,
    Prefix,
    Query,
    Queue,
    Search,
    Unserved,
    Url,
    Workflow,
    actor_of,
    filter_of,
    json_option,
    service_of,
)
from trenova_schedules._managing._changing import ANY_ETAG
from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._results import BulkAction, ScheduleChange
from trenova_schedules._managing._service import ScheduleService

Etag = Annotated[str, typer.Option(help="Of what you decided on; '*' for whatever it is now.")]
CatchUpOption = Annotated[CatchUp, typer.Option(help="Which missed ticks to start.")]

_MOST = 1000


def pause(
    ids: Ids = None,
    *,
    reason: Reason,
    search: Search = "",
    prefix: Prefix = "",
    owner: Owner = None,
    workflow: Workflow = "",
    task_queue: Queue = "",
    label: Labels = None,
    query: Query = "",
    everything: Everything = False,
    dry_run: DryRun = False,
    most: Most = _MOST,
    yes: Yes = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Pause schedules. The note says who and why; of several, a receipt is kept, which 'undo' takes.

    Exit status: 0 done; 1 not all of it; 2 the configuration does not hold; 4 somebody else changed one meanwhile.
    """
    wanted = filter_of(
        ids, search=search, prefix=prefix, owner=owner, workflow=workflow, queue=task_queue, labels=label, query=query
    )
    change_many(
        BulkAction.PAUSE,
        wanted,
        reason=reason,
        everything=everything,
        dry_run=dry_run,
        most=most,
        yes=yes,
        by=by,
        data_dir=data_dir,
        url=url,
        as_json=as_json,
    )


def resume(
    ids: Ids = None,
    *,
    reason: Reason,
    catch_up: CatchUpOption = CatchUp.NONE,
    search: Search = "",
    prefix: Prefix = "",
    owner: Owner = None,
    workflow: Workflow = "",
    task_queue: Queue = "",
    label: Labels = None,
    query: Query = "",
    everything: Everything = False,
    dry_run: DryRun = False,
    most: Most = _MOST,
    yes: Yes = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Resume schedules, and start none, the last or all of the ticks that they have missed.

    How many that would be is shown before anything is done. A resume that was interrupted goes on where it stopped.

    Exit status: 0 done; 1 not all of it; 2 the configuration does not hold; 4 somebody else changed one meanwhile.
    """
    wanted = filter_of(
        ids, search=search, prefix=prefix, owner=owner, workflow=workflow, queue=task_queue, labels=label, query=query
    )
    change_many(
        BulkAction.RESUME,
        wanted,
        reason=reason,
        catch_up=catch_up,
        everything=everything,
        dry_run=dry_run,
        most=most,
        yes=yes,
        by=by,
        data_dir=data_dir,
        url=url,
        as_json=as_json,
    )


def update(
    ids: Ids = None,
    *,
    cron: Annotated[str | None, typer.Option(help="Five fields or a shorthand.", show_default=False)] = None,
    interval: Annotated[str | None, typer.Option(help="ISO 8601, e.g. PT15M.", show_default=False)] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name.", show_default=False)] = None,
    note: Annotated[str | None, typer.Option(help="Never encrypted.", show_default=False)] = None,
    patch: Annotated[
        str | None, typer.Option(help="JSON merge patch with any fields, e.g. '{\"endAt\": null}'.", show_default=False)
    ] = None,
    etag: Etag = ANY_ETAG,
    reason: Reason = "",
    search: Search = "",
    prefix: Prefix = "",
    owner: Owner = None,
    workflow: Workflow = "",
    task_queue: Queue = "",
    label: Labels = None,
    query: Query = "",
    everything: Everything = False,
    dry_run: DryRun = False,
    allow_unserved: Unserved = False,
    most: Most = _MOST,
    yes: Yes = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of schedules and leave the rest; what would never fire is refused.

    Exit status: 0 done; 1 not all of it; 2 the configuration does not hold; 4 somebody else changed one meanwhile.
    """
    fields = _fields({"cron": cron, "interval": interval, "timeZone": time_zone, "note": note}, patch)
    wanted = filter_of(
        ids, search=search, prefix=prefix, owner=owner, workflow=workflow, queue=task_queue, labels=label, query=query
    )
    if len(ids or ()) == 1 and wanted == filter_of(ids) and not dry_run:
        [one] = ids or []

        async def work(service: ScheduleService) -> ScheduleChange:
            return await service.patch(one, fields, etag=etag, actor=actor_of(by), reason=reason or None)

        change_one(work, url, data_dir, serves=not allow_unserved, as_json=as_json)
        return
    if etag != ANY_ETAG:
        raise typer.BadParameter("an ETag belongs to one schedule", param_hint="--etag")
    change_many(
        BulkAction.UPDATE,
        wanted,
        reason=reason,
        patch=fields,
        everything=everything,
        dry_run=dry_run,
        serves=not allow_unserved,
        most=most,
        yes=yes,
        by=by,
        data_dir=data_dir,
        url=url,
        as_json=as_json,
    )


def change_one(
    work: Callable[[ScheduleService], Awaitable[ScheduleChange]],
    url: str | None,
    data_dir: Path,
    *,
    serves: bool,
    as_json: bool,
) -> None:
    """Change one schedule and say so."""

    async def connected(client: Client) -> ScheduleChange:
        async with service_of(client, data_dir, url=url, serves=serves) as service:
            return await work(service)

    change = run(connected)
    if as_json:
        print_json(change)
    else:
        say_change(change)


def _fields(options: Mapping[str, str | None], patch: str | None) -> dict[str, Any]:
    typed = {} if patch is None else json_option(patch, "--patch")
    if not isinstance(typed, dict):
        raise typer.BadParameter("a patch is a JSON object", param_hint="--patch")
    return {**typed, **{name: value for name, value in options.items() if value is not None}}
