"""``trenova-activities plan``: count what a nightly job would change, and have people agree to it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trenova_activities._cli_db import DEFAULT_DATA_DIR, DataDir, Schema, Url, existing_database, run
from trenova_activities._names import CANCEL_SHIPMENTS_JOB, DELETE_AUDIT_ENTRIES_JOB

if TYPE_CHECKING:
    from trenova_activities.database import StoredPlan

plan = typer.Typer(
    help="Plans of the nightly jobs: count by organization and day, and have people agree.", no_args_is_help=True
)

JOBS = {"purge": DELETE_AUDIT_ENTRIES_JOB, "cancel": CANCEL_SHIPMENTS_JOB}
"""By what 'start' calls them."""

Hash = Annotated[str, typer.Argument(help="The plan's hash, or as much of its beginning as is unique.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 12
_MOST_DAYS = 31
_MOST_TENANTS = 100


@plan.command()
def make(  # noqa: PLR0917 - typer makes options of them
    job: Annotated[str, typer.Argument(help="purge or cancel.")],
    by: Annotated[str, typer.Option(help="Who makes it; recorded.")],
    organization: Annotated[
        list[str] | None,
        typer.Option(help="Only this organization; may be repeated.", show_default="every one that wants the job"),
    ] = None,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Count what a run would change now, by organization and day in UTC, and keep the count under its hash.

    Changes nothing of the TMS. A run that is given the hash does at most what the plan says.
    """
    if job not in JOBS:
        raise typer.BadParameter(f"{job!r} is none of {', '.join(JOBS)}", param_hint="JOB")
    options = existing_database(url, data_dir, schema)

    async def work() -> "StoredPlan":
        from trenova_activities.database import Database, make_plan

        async with Database.open(options) as database:
            return await make_plan(database, JOBS[job], made_by=by, organization_ids=organization or [])

    made = run(work())
    _print(made, as_json=as_json, days=False)
    if not as_json:
        typer.echo(
            f"Approve it with: trenova-activities plan approve {made.hash[:_SHOWN]} --by <another name>", err=True
        )


@plan.command()
def show(  # noqa: PLR0917 - typer makes options of them
    plan_hash: Hash,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    days: Annotated[bool, typer.Option(help="Print the rows of each day.")] = True,
    as_json: AsJson = False,
) -> None:
    """Show a plan: rows by organization and day, who made and who approved it. Exit status 1 if it was altered."""
    options = existing_database(url, data_dir, schema)

    async def work() -> "StoredPlan":
        from trenova_activities.database import Database, find_plan

        async with Database.open(options) as database:
            return await find_plan(database, plan_hash)

    found = run(work())
    _print(found, as_json=as_json, days=days)
    if not found.is_genuine:
        typer.echo("The plan was altered after it was made: its hash is another. No run obeys it.", err=True)
        raise typer.Exit(1)


@plan.command("list")
def list_(
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List plans, the newest first."""
    options = existing_database(url, data_dir, schema)

    async def work() -> list[dict[str, Any]]:
        from trenova_activities.database import Database, list_plans

        async with Database.open(options) as database:
            found = await list_plans(database, limit=limit)
        return [
            {
                "hash": row.hash,
                "jobType": row.job_type,
                "tenants": row.tenants,
                "total": row.total,
                "madeBy": row.made_by,
                "madeAt": row.made_at,
                "approvedBy": [one.approved_by for one in approvals],
            }
            for row, approvals in found
        ]

    rows = run(work())
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("There are no plans; 'trenova-activities plan make' makes one.", err=True)
    for row in rows:
        approved = f"approved by {', '.join(row['approvedBy'])}" if row["approvedBy"] else "not approved"
        typer.echo(
            f"{row['hash'][:_SHOWN]}  {row['jobType']:20}  {row['total']:,} rows  {row['tenants']:,} organizations  "
            f"{_moment(row['madeAt'])} by {row['madeBy']}  {approved}"
        )


@plan.command()
def approve(  # noqa: PLR0917 - typer makes options of them
    plan_hash: Hash,
    by: Annotated[str, typer.Option(help="Who approves it; recorded.")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
    alone: Annotated[
        bool, typer.Option("--alone", help="Also by who made it; workers that ask for two persons do not count it.")
    ] = False,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
) -> None:
    """Record that somebody approves a plan; names are what people say, so protect who may write the tables."""
    options = existing_database(url, data_dir, schema)

    async def work() -> "StoredPlan":
        from trenova_activities.database import Database, approve_plan

        async with Database.open(options) as database:
            return await approve_plan(database, plan_hash, approved_by=by, reason=reason, alone=alone)

    done = run(work())
    job = next(name for name, job_type in JOBS.items() if job_type == done.plan.job_type)
    whose = "".join(f" --organization {one}" for one in done.plan.organization_ids)
    typer.echo(f"Approved by {done.approvals[-1].approved_by}: {done.plan.total:,} rows.")
    typer.echo(f"Run it with: trenova-activities start {job}{whose} --plan {done.hash}")


def _print(found: "StoredPlan", *, as_json: bool, days: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
        return
    from rich.console import Console
    from rich.table import Column, Table

    said = found.plan
    table = Table(Column("organization, business unit", no_wrap=True), "setting", "rows up to", "rows", "held")
    for one in said.in_order()[:_MOST_TENANTS]:
        # One below the other: side by side, ids would be cut off, and tenants could not be told apart.
        whose = (f"{one.tenant.organization_id}\n{one.tenant.business_unit_id}", one.setting or "")
        if one.cutoff is None:
            table.add_row(*whose, f"left alone: {one.reason}", "", "")
            continue
        table.add_row(*whose, _moment(one.cutoff), f"{one.rows:,}", f"{one.held_rows:,}")
        for line in _days(one.days) if days else ():
            table.add_row("", "", *line, "")
    console = Console(highlight=False)
    console.print(f"{found.hash}  {said.job_type}", soft_wrap=True, markup=False)
    console.print(table)
    more = len(said.tenants) - _MOST_TENANTS
    if more > 0:
        console.print(f"... and {more:,} organizations more; --json prints all.")
    console.print(
        f"{said.total:,} rows as of {_moment(said.as_of)}, made by {found.made_by}", soft_wrap=True, markup=False
    )
    for given in found.approvals:
        reason = f": {given.reason}" if given.reason else ""
        console.print(
            f"approved by {given.approved_by} {_moment(given.approved_at)}{reason}", soft_wrap=True, markup=False
        )


def _days(days: Any) -> Iterator[tuple[str, str]]:
    from trenova_activities.database._plan import day_name

    for day, rows in days[:_MOST_DAYS]:
        yield day_name(day), f"{rows:,}"
    if left := days[_MOST_DAYS:]:
        yield f"{len(left):,} more days", f"{sum(rows for _, rows in left):,}"


def _document(found: "StoredPlan") -> dict[str, Any]:
    from trenova_activities.database._plan import day_name

    said = found.plan
    return {
        "hash": found.hash,
        "genuine": found.is_genuine,
        "jobType": said.job_type,
        "asOf": said.as_of,
        "organizationIds": list(said.organization_ids),
        "total": said.total,
        "madeBy": found.made_by,
        "madeAt": found.made_at,
        "approvals": [
            {"approvedBy": one.approved_by, "reason": one.reason, "approvedAt": one.approved_at}
            for one in found.approvals
        ],
        "tenants": [
            {
                "organizationId": one.tenant.organization_id,
                "businessUnitId": one.tenant.business_unit_id,
                "setting": one.setting,
                "cutoff": one.cutoff,
                "reason": one.reason,
                "rows": one.rows,
                "held": one.held_rows,
                "days": {day_name(day): rows for day, rows in one.days},
            }
            for one in said.in_order()
        ],
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
