"""``trenova-activities holds``: legal holds, which keep audit entries from retention."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trenova_activities._cli_db import DEFAULT_DATA_DIR, DataDir, Schema, Url, existing_database, run

if TYPE_CHECKING:
    from sqlalchemy import Row


holds = typer.Typer(help="Legal holds: what they cover is kept by retention, whatever its age.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_DAY = "a day (2024-01-31) or a moment (2024-01-31T12:00:00Z); UTC where no zone is given"


@holds.command()
def place(  # noqa: PLR0917 - typer makes options of them
    organization: Annotated[str, typer.Option(help="Whose entries.")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")],
    by: Annotated[str, typer.Option(help="Who lays it; recorded.")],
    business_unit: Annotated[
        str | None, typer.Option(help="Of which business unit.", show_default="the organization's only one")
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="Only entries of this resource, as the log spells it, e.g. shipment.")
    ] = None,
    resource_id: Annotated[str | None, typer.Option(help="Only entries of this id.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help=f"Only entries from then on: {_DAY}.", show_default="the beginning")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help=f"Only entries up to then, that day included: {_DAY}.", show_default="no end")
    ] = None,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Lay a hold. A purge that is under way obeys it from its next batch on; what is gone is gone."""
    options = existing_database(url, data_dir, schema)
    begin = 0 if from_ is None else _moment_of(from_, "--from", end=False)
    end = None if until is None else _moment_of(until, "--until", end=True)

    async def work() -> "Row[Any]":
        from trenova_activities.database import Database, HoldScope, place_hold

        scope = HoldScope(organization, business_unit, resource, resource_id, begin, end)
        async with Database.open(options) as database:
            return await place_hold(database, scope, reason=reason, placed_by=by)

    _print(run(work()), as_json=as_json)


@holds.command("list")
def list_(  # noqa: PLR0917 - typer makes options of them
    organization: Annotated[str | None, typer.Option(help="Only of this organization.")] = None,
    released: Annotated[bool, typer.Option("--released", help="Also those that were released.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 100,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """List holds, the newest first: those in force, unless released ones are asked for too."""
    options = existing_database(url, data_dir, schema)

    async def work() -> "list[Row[Any]]":
        from trenova_activities.database import Database, list_holds

        async with Database.open(options) as database:
            return await list_holds(database, organization_id=organization, released=released, limit=limit)

    rows = run(work())
    if as_json:
        typer.echo(json.dumps([_plain(row) for row in rows], indent=2))
        return
    if not rows:
        typer.echo("No hold is in force." if not released else "There are no holds.", err=True)
    for row in rows:
        _print(row, as_json=False)


@holds.command()
def release(  # noqa: PLR0917 - typer makes options of them
    hold: Annotated[str, typer.Argument(help="Its id, or as much of its beginning as is unique.")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")],
    by: Annotated[str, typer.Option(help="Who releases it; recorded.")],
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: AsJson = False,
) -> None:
    """Release a hold; it stays on record. The next purge deletes what it kept, a purge by a plan of before does not."""
    options = existing_database(url, data_dir, schema)

    async def work() -> "Row[Any]":
        from trenova_activities.database import Database, release_hold

        async with Database.open(options) as database:
            return await release_hold(database, hold, reason=reason, released_by=by)

    _print(run(work()), as_json=as_json)


def _print(row: "Row[Any]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_plain(row), indent=2))
        return
    what = " ".join(filter(None, (row.resource or "everything", row.resource_id)))
    span = " ".join(
        filter(
            None, (row.from_at and f"from {_moment(row.from_at)}", row.until_at and f"until {_moment(row.until_at)}")
        )
    )
    typer.echo(f"{row.id}  {row.organization_id} {row.business_unit_id}  {what} {span}".rstrip())
    typer.echo(f"  laid {_moment(row.created_at)} by {row.created_by or 'somebody'}: {row.reason}")
    if row.released_at is not None:
        why = f": {row.release_reason}" if row.release_reason else ""
        typer.echo(f"  released {_moment(row.released_at)} by {row.released_by or 'somebody'}{why}")


def _plain(row: "Row[Any]") -> dict[str, Any]:
    found: Mapping[Any, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    words = {name: name.split("_") for name in found}
    return {one[0] + "".join(part.title() for part in one[1:]): found[name] for name, one in words.items()}


def _moment_of(said: str, option: str, *, end: bool) -> int:
    """Return unix seconds; of a day its first second, or its last if it is an end."""
    try:
        if "T" not in said and " " not in said:
            at = datetime.combine(date.fromisoformat(said), time(23, 59, 59) if end else time(0), tzinfo=UTC)
        else:
            at = datetime.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said!r} is neither {_DAY.partition(';')[0]}", param_hint=option) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
