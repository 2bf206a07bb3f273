"""``trenova-schedules audit``: who did what, when and why."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trenova_schedules._cli_output import AsJson, moment, print_json, print_table
from trenova_schedules._cli_store import DEFAULT_DATA_DIR, DataDir, Url, time_of, with_store

if TYPE_CHECKING:
    from trenova_schedules.store import AuditFilter, AuditPage, ScheduleStore

Text = Annotated[str | None, typer.Option(show_default=False)]
Time = Annotated[str | None, typer.Option(help="ISO 8601, or how long ago: 7d, 2h.", show_default=False)]


def audit(  # noqa: PLR0917 - typer makes options of them
    schedule: Text = None,
    actor: Text = None,
    action: Text = None,
    organization: Text = None,
    request_id: Text = None,
    since: Time = None,
    until: Time = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    cursor: Annotated[int | None, typer.Option(help="Where the page before ended.", show_default=False)] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Export all that match as CSV.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Export all that match, a JSON object a line.")] = False,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show the audit trail: who did what to which schedule, when and why."""
    from trenova_schedules.store import AuditFilter

    now = datetime.now(UTC)
    wanted = AuditFilter(
        schedule_id=schedule,
        actor=actor,
        action=action,
        organization_id=organization,
        request_id=request_id,
        since=None if since is None else time_of(since, name="since", default=now),
        until=None if until is None else time_of(until, name="until", default=now),
    )
    if as_csv or as_lines:
        with_store(url, data_dir, lambda store: _export(store, wanted, csv=as_csv))
        return
    page = with_store(url, data_dir, lambda store: store.audit.read(wanted, cursor=cursor, limit=limit))
    print_json(page) if as_json else _print(page)


async def _export(store: "ScheduleStore", wanted: "AuditFilter", *, csv: bool) -> None:
    async for line in store.audit.export(wanted, form="csv" if csv else "jsonl"):
        typer.echo(line, nl=False)


def _print(page: "AuditPage") -> None:
    print_table(
        ("when", "who", "what", "schedule", "outcome", "why"),
        [
            (moment(entry.at), entry.actor, entry.action, entry.schedule_id or "", entry.outcome, entry.reason or "")
            for entry in page.entries
        ],
    )
    if page.next_cursor is not None:
        typer.echo(f"There are more: --cursor {page.next_cursor}", err=True)
