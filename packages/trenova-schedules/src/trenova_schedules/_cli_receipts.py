"""``trenova-schedules receipts``: which bulk actions there were, and what each of them changed."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from temporalio.client import Client

from trenova_errors import ResourceNotFoundError
from trenova_schedules._cli_connect import run
from trenova_schedules._cli_output import AsJson, console, moment, print_json, print_table
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, Url, service_of
from trenova_schedules._managing._listed_receipts import ReceiptFilter, ReceiptPage
from trenova_schedules._managing._receipt_changes import receipt_changes
from trenova_schedules._managing._receipts import Receipt, ReceiptStore

Result = TypeVar("Result")

receipts = typer.Typer(help="Bulk actions that can be undone, or were; 'undo' takes an id.", no_args_is_help=True)


@receipts.command("list")
def list_(  # noqa: PLR0917 - typer makes options of them
    schedule: Annotated[str | None, typer.Option(help="About this schedule.", show_default=False)] = None,
    action: Annotated[str | None, typer.Option(help="pause, resume or update.", show_default=False)] = None,
    actor: Annotated[str | None, typer.Option(help="By whom.", show_default=False)] = None,
    undone: Annotated[bool | None, typer.Option("--undone/--not-undone", help="Only such.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.", show_default=False)] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
) -> None:
    """List bulk actions, the newest first."""
    wanted = ReceiptFilter(schedule_id=schedule, action=action, actor=actor, undone=undone)

    async def work(kept: ReceiptStore) -> ReceiptPage:
        return await kept.read(wanted, cursor=cursor, limit=limit)

    page = _with_receipts(data_dir, url, work)
    print_json(page) if as_json else _print_list(page)


@receipts.command()
def show(
    receipt: Annotated[str, typer.Argument(metavar="ID", help="Of the receipt.", show_default=False)],
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
) -> None:
    """Show what a bulk action changed, schedule by schedule."""

    async def work(kept: ReceiptStore) -> Receipt:
        if (found := await kept.find(receipt)) is None:
            raise ResourceNotFoundError.of("receipt", receipt)
        return found

    found = _with_receipts(data_dir, url, work)
    print_json(found) if as_json else _print_one(found)


def _with_receipts(data_dir: Path, url: str | None, do: Callable[[ReceiptStore], Awaitable[Result]]) -> Result:
    async def work(client: Client) -> Result:
        async with service_of(client, data_dir, url=url) as service:
            if service.receipts is None:
                raise ResourceNotFoundError.of("place of receipts", str(data_dir))
            return await do(service.receipts)

    return run(work, reads=True)


def _print_list(page: ReceiptPage) -> None:
    print_table(
        ("when", "who", "what", "schedules", "undone", "why", "id"),
        [
            (
                moment(one.created_at),
                one.actor,
                one.action,
                str(len(one.schedule_ids)),
                f"{moment(one.undone_at)} by {one.undone_by}" if one.undone_at else "",
                one.reason or "",
                one.id,
            )
            for one in page.receipts
        ],
    )
    if page.next_cursor is not None:
        typer.echo(f"There are more: --cursor {page.next_cursor}", err=True)


def _print_one(found: Receipt) -> None:
    said = f"{found.action} by {found.actor}, {moment(found.created_at)}: {found.reason or 'no reason'}"
    console.print(said, soft_wrap=True, markup=False)
    if found.undone_at is not None:
        console.print(f"Undone {moment(found.undone_at)} by {found.undone_by}.", soft_wrap=True, markup=False)
    print_table(
        ("schedule", "changed"),
        [(str(item["scheduleId"]), _changed(item["before"], item["after"])) for item in found.items],
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> str:
    if after is None:
        return "not known: the action was interrupted"
    return "; ".join(f"{one.name} {one.before!r} -> {one.after!r}" for one in receipt_changes(before, after))
