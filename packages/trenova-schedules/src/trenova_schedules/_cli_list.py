"""``trenova-schedules list | show``."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text
from temporalio.client import Client

from trenova_schedules._cli_connect import FAILED, run
from trenova_schedules._cli_output import AsJson, console, duration, moment, print_json, print_table
from trenova_schedules._cli_service import (
    DEFAULT_DATA_DIR,
    DataDir,
    Ids,
    Labels,
    Owner,
    Prefix,
    Query,
    Queue,
    Search,
    Url,
    Workflow,
    filter_of,
    service_of,
)
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import SchedulePage, ScheduleSort
from trenova_schedules._reading import CalendarDocument, IntervalDocument, ScheduleDocument


def list_(
    ids: Ids = None,
    *,
    search: Search = "",
    prefix: Prefix = "",
    owner: Owner = None,
    workflow: Workflow = "",
    task_queue: Queue = "",
    label: Labels = None,
    paused: Annotated[bool | None, typer.Option("--paused/--active", help="Only those that are, or are not.")] = None,
    query: Query = "",
    sort: Annotated[ScheduleSort, typer.Option(help="By what.")] = ScheduleSort.ID,
    descending: Annotated[bool, typer.Option("--descending", help="The last first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 1000,
    cursor: Annotated[str | None, typer.Option(help="nextCursor of the page before.", show_default=False)] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    details: Annotated[bool, typer.Option("--details", help="Look at each one.")] = False,
    as_json: AsJson = False,
) -> None:
    """List schedules: what they start, when they fire next, how the last run went."""
    wanted = filter_of(
        ids,
        search=search,
        prefix=prefix,
        owner=owner,
        workflow=workflow,
        queue=task_queue,
        labels=label,
        paused=paused,
        query=query,
    )

    async def work(client: Client) -> SchedulePage:
        async with service_of(client, data_dir, url=url) as service:
            return await service.list(
                wanted, sort=sort, descending=descending, limit=limit, cursor=cursor, details=details
            )

    page = run(work, reads=True)
    if as_json:
        print_json(page)
    else:
        _show(page)
    if absent := sorted(set(ids or ()) - {line.id for line in page.schedules}) if cursor is None else []:
        typer.echo(f"No such schedule, or none that matches: {', '.join(map(repr, absent))}.", err=True)
        raise typer.Exit(FAILED)


def _show(page: SchedulePage) -> None:
    if not page.schedules:
        console.print("No schedule matches.")
        return
    print_table(("schedule", "workflow", "owner", "state", "next", "last run"), map(_row, page.schedules))
    if (shown := len(page.schedules)) < page.total:
        console.print(f"{shown} of {page.total}; more with --limit or --cursor {page.next_cursor}", soft_wrap=True)


def show(
    schedule_id: Annotated[str, typer.Argument(metavar="ID", help="Of the schedule.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything about a schedule. Its ETag is what 'update --etag' takes."""

    async def work(client: Client) -> ScheduleDocument:
        async with service_of(client) as service:
            return await service.describe(schedule_id)

    document = run(work, reads=True)
    if as_json:
        print_json(document)
        return
    for name, value in _lines(document):
        if value:
            console.print(Text.assemble((f"{name:<16}", "bold"), " ", value), soft_wrap=True)


def _row(line: ListedSchedule) -> tuple[str, ...]:
    state = "paused" if line.paused else "active"
    following = "" if line.paused or not line.next_fires else moment(line.next_fires[0])
    last = line.recent_runs[-1] if line.recent_runs else None
    ran = "" if last is None else f"{moment(last.started_at)} {last.status}"
    return line.id, line.workflow, line.owner or "", state, following, ran


def _lines(document: ScheduleDocument) -> list[tuple[str, str]]:
    counts = document.counts
    now = datetime.now(UTC)
    return [
        ("schedule", document.id),
        ("etag", document.etag),
        ("owner", document.owner or "nobody known"),
        ("description", document.description),
        ("labels", ", ".join(f"{name}={value}" for name, value in document.labels.items())),
        ("runbook", document.runbook),
        ("state", "paused" if document.paused else "active"),
        ("note", document.note),
        ("invalid", document.invalid_reason),
        ("starts", f"{document.workflow} on {document.task_queue}"),
        ("when", _when(document)),
        ("time zone", document.time_zone),
        ("from, until", " ".join(filter(None, (moment(document.start_at), moment(document.end_at))))),
        ("jitter", duration(document.jitter) if document.jitter else ""),
        ("overlap", document.overlap),
        ("catch-up window", duration(document.catchup_window)),
        ("runs left", "" if document.remaining_actions is None else str(document.remaining_actions)),
        ("next", ", ".join(moment(at) for at in document.next_fires[:5] if at > now)),
        ("running", ", ".join(run.workflow_id for run in document.running)),
        *(("ran", f"{moment(run.started_at)} {run.status:<10} {run.workflow_id}") for run in document.recent_runs),
        ("started", f"{counts.actions}, missed {counts.missed_catchup}, skipped {counts.skipped_overlap}"),
        ("buffer", f"{counts.buffer_size} wait, {counts.buffer_dropped} were dropped"),
        ("unreadable", ", ".join(document.unreadable)),
    ]


def _when(document: ScheduleDocument) -> str:
    if document.cron is not None:
        return document.cron
    return "; ".join((*map(_interval, document.intervals), *map(_calendar, document.calendars))) or "never"


def _interval(one: IntervalDocument) -> str:
    return f"every {duration(one.every)}" + (f" + {duration(one.offset)}" if one.offset else "")


def _calendar(one: CalendarDocument) -> str:
    return f"{one.second} {one.minute} {one.hour} {one.day_of_month} {one.month} {one.day_of_week} {one.year}"
