"""``trenova-schedules preview``: when a schedule fires, or would."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text
from temporalio.client import Client, ScheduleIntervalSpec, ScheduleSpec

from trenova_schedules._cli_connect import MISCONFIGURED, run
from trenova_schedules._cli_output import AsJson, console, print_json, print_table
from trenova_schedules._cron import require_five_fields
from trenova_schedules._previewing import Hazard, Preview, Severity
from trenova_schedules._previewing import preview as look_ahead
from trenova_schedules._previewing._zones import zone_named

_LOOKS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def preview(
    schedule_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of a schedule that exists.", show_default=False)
    ] = None,
    *,
    cron: Annotated[str | None, typer.Option(help="One that does not exist: five fields.", show_default=False)] = None,
    every: Annotated[int | None, typer.Option(help="Or an interval in seconds.", min=1, show_default=False)] = None,
    zone: Annotated[str, typer.Option(help="In which --cron is read.")] = "UTC",
    viewer: Annotated[str, typer.Option(help="In which you read.")] = "UTC",
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many at most.")] = 10,
    since: Annotated[
        str | None, typer.Option("--from", help="ISO 8601; UTC without offset.", show_default="now")
    ] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601; not included.", show_default="in 50 years")] = None,
    as_json: AsJson = False,
) -> None:
    """Show when a schedule fires, by its server, and what changes of clocks do to it. Nothing is changed.

    Exit status: 0 whatever was found; 1 there is no such schedule, or the server refuses the times.
    """
    if [schedule_id, cron, every].count(None) != 2:  # noqa: PLR2004 (one of three)
        typer.echo("Give the ID of a schedule, or --cron, or --every.", err=True)
        raise typer.Exit(MISCONFIGURED)
    if cron is not None:
        try:
            cron = require_five_fields(cron)
        except ValueError as error:
            raise typer.BadParameter(f"{error}.", param_hint="--cron") from None
    start, end = _moment("--from", since), _moment("--until", until)

    async def work(client: Client) -> Preview:
        subject = _spec(cron, every, zone) if schedule_id is None else schedule_id
        return await look_ahead(client, subject, n=count, start=start, end=end, viewer_zone=viewer)

    shown = run(work, reads=True)
    if as_json:
        print_json(shown)
    else:
        _print(shown)


def hazard_lines(hazards: Sequence[Hazard]) -> Text:
    """Write hazards for people, each with its fix."""
    return Text("\n").join(
        Text(one.kind, style=_LOOKS[one.severity]) + f" {one.message}" + (f" {one.fix.message}" if one.fix else "")
        for one in hazards
    )


def _spec(cron: str | None, every: int | None, zone: str) -> ScheduleSpec:
    return ScheduleSpec(
        cron_expressions=[] if cron is None else [cron],
        intervals=[] if every is None else [ScheduleIntervalSpec(every=timedelta(seconds=every))],
        time_zone_name=zone,
    )


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        typer.echo(f"{name} {text!r} is no time; give one as 2027-10-31 or 2027-10-31T00:00+02:00.", err=True)
        raise typer.Exit(MISCONFIGURED) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _print(shown: Preview) -> None:
    zones = dict.fromkeys((shown.time_zone, shown.viewer_zone, "UTC"))
    columns = [*zones, "hazards"]
    rows: list[list[str | Text]] = [
        [*(_written(fire.at.astimezone(zone_named(zone))) for zone in zones), hazard_lines(fire.hazards)]
        for fire in shown.fires
    ]
    print_table(columns, rows)
    for one in shown.hazards:
        console.print(hazard_lines([one]), soft_wrap=True)


def _written(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")
