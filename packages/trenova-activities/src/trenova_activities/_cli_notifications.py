"""``trenova-activities notifications``: what left through channels, what was given up, and trying it again."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from trenova_activities._cli_db import DEFAULT_DATA_DIR, DataDir, Schema, Url, database_options, refuse_absent_file
from trenova_activities._cli_db import run as run_on_database
from trenova_activities._cli_start import run as run_on_server

if TYPE_CHECKING:
    from sqlalchemy import Row

    from trenova_activities.database import DatabaseOptions

notifications = typer.Typer(
    help="Notifications that leave through channels: what was given up, and trying it again.", no_args_is_help=True
)

Key = Annotated[str, typer.Argument(help="The key of a delivery, or as much of its beginning as is unique.")]
_SHOWN_KEY = 12


@notifications.command("list")
def list_(  # noqa: PLR0917 - typer makes options of them
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only in this state; may be repeated. 'all' for every one.", show_default="dead"),
    ] = None,
    organization: Annotated[str | None, typer.Option(help="Only of this organization.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List deliveries, the last changed first: those that were given up, unless others are asked for.

    States: pending, sending, delivered, failed, ambiguous (both are tried again) and dead (given up).
    """
    options = _opened(url, data_dir, schema)
    wanted = [] if state and "all" in state else (state or ["dead"])

    async def work() -> "list[Row[Any]]":
        from trenova_activities.database import Database, list_deliveries

        async with Database.open(options) as database:
            return await list_deliveries(database, states=wanted, organization_id=organization, limit=limit)

    rows = run_on_database(work())
    if as_json:
        typer.echo(json.dumps([_plain(row._mapping) for row in rows], indent=2))  # noqa: SLF001 - SQLAlchemy's public name
        return
    if not rows:
        typer.echo(f"No delivery is {' or '.join(wanted) or 'there'}.", err=True)
    for row in rows:
        doubt = ", may have been taken" if row.ambiguous and row.state != "delivered" else ""
        why = f"  {row.last_error}" if row.last_error else ""
        typer.echo(
            f"{row.key[:_SHOWN_KEY]}  {row.state:9}  {row.channel:7}  {row.target}  {row.attempts} attempts{why}{doubt}"
        )


@notifications.command()
def show(
    key: Key,
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with what the message says.")] = False,
) -> None:
    """Show one delivery: where it stands, what its last attempt failed with, and who had it tried again."""
    options = _opened(url, data_dir, schema)
    row, actions = run_on_database(_find(options, key))
    if as_json:
        told = {**_plain(row._mapping, message=True), "redeliveries": [_plain(one._mapping) for one in actions]}  # noqa: SLF001
        typer.echo(json.dumps(told, indent=2))
        return
    doubt = " (an earlier attempt may have been taken)" if row.ambiguous else ""
    lines = {
        "key": row.key,
        "state": f"{row.state}{doubt}",
        "channel": f"{row.channel} to {row.target}",
        "about": f"{row.message['eventType']}, {row.message['priority']}: {row.message['title']}",
        "tenant": f"{row.organization_id} {row.business_unit_id}",
        "workflow": row.workflow_id,
        "attempts": f"{row.attempts}, the last {_moment(row.updated_at)}",
        "failure": row.last_error or "",
        "receipt": row.receipt or "",
    }
    for name, value in lines.items():
        if value:
            typer.echo(f"{name:9} {value}")
    for one in actions:
        reason = f": {one.reason}" if one.reason else ""
        typer.echo(f"asked     {_moment(one.at)} by {one.requested_by}, it was {one.state_before}{reason}")


@notifications.command()
def redeliver(  # noqa: PLR0917 - typer makes options of them
    key: Key,
    by: Annotated[str, typer.Option(help="Who wants it; recorded.")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that was not given up, because its run was ended.")
    ] = False,
    follow: Annotated[bool, typer.Option(help="Wait for the end.")] = True,
) -> None:
    """Try a delivery again that was given up; what has been taken is not sent again.

    The message is the same and so is its id. The Temporal server comes from temporalio.envconfig. Exit status: 0 it is
    delivered (or started, with --no-follow); 1 refused; 3 it failed again.
    """
    options = _opened(url, data_dir, schema)
    request = {"requested_by": by, "reason": reason, "force": force}
    if not run_on_server(_redeliver(options, key, request, follow=follow)):
        raise typer.Exit(3)


@notifications.command()
def prefer(  # noqa: PLR0917 - typer makes options of them
    user: Annotated[str, typer.Argument(help="Id of the user (usr_).")],
    channel: Annotated[str, typer.Argument(help="email, webhook or redis.")],
    rule: Annotated[str, typer.Argument(help="on, urgent (priority high and critical only), off, or default.")],
    organization: Annotated[str, typer.Option(help="The user's organization.")],
    business_unit: Annotated[str, typer.Option(help="The user's business unit.")],
    event: Annotated[str, typer.Option(help="Event type, e.g. job.shipment.duplicate_complete.")] = "*",
    url: Url = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    schema: Schema = None,
) -> None:
    """Set what a user wants to be told through a channel; 'default' leaves it to the service's settings."""
    from trenova_activities._delivery_contract import CHANNELS

    for value, known, name in ((channel, CHANNELS, "CHANNEL"), (rule, ("on", "urgent", "off", "default"), "RULE")):
        if value not in known:
            raise typer.BadParameter(f"{value!r} is none of {', '.join(known)}", param_hint=name)
    options = _opened(url, data_dir, schema)

    async def work() -> None:
        from trenova_activities.database import Database, NotificationPreferences, Preference, Tenant

        async with Database.open(options) as database:
            preferences = NotificationPreferences(database, Tenant(organization, business_unit))
            if rule == "default":
                await preferences.clear(user, cast("Any", channel), event)
            else:
                await preferences.set(Preference(user, cast("Any", channel), event, cast("Any", rule)))

    run_on_database(work())
    typer.echo(f"{user}: {channel} is {rule} for {'every event' if event == '*' else event}.")


async def _redeliver(options: "DatabaseOptions", key: str, request: Mapping[str, Any], *, follow: bool) -> bool:
    from trenova_activities._cli_follow import connect, console, follow_to_end, valid
    from trenova_activities._delivery_contract import RedeliverPayload
    from trenova_activities._starting_redelivery import start_redelivery

    row, _ = await _find(options, key)
    tenant = {"organization_id": row.organization_id, "business_unit_id": row.business_unit_id}
    payload = valid(RedeliverPayload, {**tenant, "key": row.key, **request})
    client = await connect()
    handle = await start_redelivery(client, payload)
    console.print(f"Started {handle.id}", soft_wrap=True, markup=False)
    if not follow:
        return True
    await follow_to_end(client, handle, f"redelivery of {row.key[:_SHOWN_KEY]}")
    result = await handle.result()
    console.print(result.result, soft_wrap=True, markup=False)
    return result.delivery.state == "delivered"


async def _find(options: "DatabaseOptions", key: str) -> "tuple[Row[Any], list[Row[Any]]]":
    from trenova_activities.database import Database, find_delivery

    async with Database.open(options) as database:
        return await find_delivery(database, key)


def _opened(url: str | None, data_dir: Any, schema: str | None) -> "DatabaseOptions":
    options = database_options(url, data_dir, schema)
    refuse_absent_file(options)
    return options


def _plain(row: Mapping[Any, Any], *, message: bool = False) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if message or str(name) != "message"}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds")
