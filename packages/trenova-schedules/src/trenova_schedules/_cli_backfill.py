"""``trenova-schedules backfill``: run what was missed, list it, and watch it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from temporalio.client import Client
from typer.core import TyperGroup

from trenova_schedules._cli_backfill_steering import BackfillId, add_steering, told
from trenova_schedules._cli_connect import run, user_of_this_system
from trenova_schedules._cli_output import AsJson, By, Reason, Yes, console, moment, print_json, print_table
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, Url
from trenova_schedules._cli_store import store_beside

if TYPE_CHECKING:
    from trenova_schedules.backfill import BackfillHandle, BackfillPreview, BackfillRequest, RunLedger

_DEFAULT: Final = "start"


class _StartsByDefault(TyperGroup):
    """``backfill SCHEDULE`` is ``backfill start SCHEDULE``; the long form is for a schedule called ``status``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front where there is none."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


backfill = typer.Typer(
    cls=_StartsByDefault,
    help="Run the ticks of a schedule that were missed: backfill SCHEDULE --from ... --to ... --reason ...",
    no_args_is_help=True,
)
add_steering(backfill)

Schedule = Annotated[str, typer.Argument(help="Id of the schedule.", show_default=False)]
Watch = Annotated[bool, typer.Option("--wait", help="Show its progress until it ends; Ctrl-C leaves it alone.")]


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; give one such as 2027-01-31T02:30+01:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@backfill.command(_DEFAULT)
def start(
    schedule: Schedule,
    *,
    from_: Annotated[
        datetime, typer.Option("--from", parser=_time, metavar="TIME", help="First tick; UTC unless it has an offset.")
    ],
    to: Annotated[datetime, typer.Option(parser=_time, metavar="TIME", help="End of the range, itself left out.")],
    reason: Reason,
    policy: Annotated[str, typer.Option(help="missing, missing_and_failed or all.")] = "missing",
    rate: Annotated[float, typer.Option(help="Starts per second at most; 0 for no limit.")] = 10.0,
    concurrency: Annotated[
        int | None,
        typer.Option(help="Runs open at once; 0 for no limit.", show_default="by the schedule's overlap policy"),
    ] = None,
    older: Annotated[
        str, typer.Option(help="Ticks older than runs are kept, of which nobody knows: refuse, run or skip them.")
    ] = "refuse",
    holes_of: Annotated[str | None, typer.Option(help="Only the holes that this earlier backfill left.")] = None,
    max_ticks: Annotated[int, typer.Option(help="Refuse a range with more ticks.")] = 100_000,
    key: Annotated[
        str | None, typer.Option(help="Calls with one key make one backfill.", show_default="a new one")
    ] = None,
    task_queue: Annotated[str, typer.Option(help="Where a worker serves backfills.")] = "system-queue",
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and start nothing.")] = False,
    wait: Watch = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run the ticks of a schedule from --from until before --to, also while it is paused.

    Exit status: 0 started, with --wait ended without a hole; 1 refused or failed; 2 the configuration does not hold;
    3 ended with holes; 4 the schedule must not be backfilled, or the key is another backfill's.
    """
    asked = {
        "schedule_id": schedule,
        "start_at": from_,
        "end_at": to,
        "policy": policy,
        "rate_per_second": rate,
        "concurrency": concurrency,
        "older": older,
        "holes_of": holes_of,
        "max_ticks": max_ticks,
        "reason": reason,
        "by": user_of_this_system(by),
    }
    from trenova_schedules.backfill import TickLedgerRuns, start_backfill

    how = _How(dry_run, wait, yes, as_json)

    async def work(client: Client) -> None:
        async with store_beside(client, url, data_dir) as store:
            ledger = None if store is None else TickLedgerRuns(store.ticks)
            preview, sure = await _previewed(client, asked, how, ledger)
            if dry_run:
                return
            if not preview.judged.due and not yes:
                typer.echo("Nothing is due, so nothing was started; --yes starts it, to verify the range.", err=True)
                return
            if not yes and not as_json:
                typer.confirm("Start it?", abort=True, err=True)
            handle = await told(
                store,
                "start",
                schedule,
                by=by,
                reason=reason,
                work=lambda: start_backfill(client, sure, key=key, task_queue=task_queue, ledger=ledger),
            )
        await _show_started(handle, how)

    run(work)


class _How:
    """What a start shows, and whether it asks."""

    def __init__(self, dry_run: bool, wait: bool, yes: bool, as_json: bool) -> None:
        self.dry_run, self.wait, self.yes, self.as_json = dry_run, wait, yes, as_json


async def _previewed(
    client: Client, asked: dict[str, Any], how: _How, ledger: "RunLedger | None"
) -> "tuple[BackfillPreview, BackfillRequest]":
    """Show what would be done, and return it with the request that does this and nothing else."""
    from trenova_schedules._cli_backfill_output import show_preview
    from trenova_schedules.backfill import preview_backfill

    request = _request(asked)
    preview = await preview_backfill(client, request, ledger=ledger)
    if how.dry_run and how.as_json:
        print_json(preview)
    elif not how.as_json:
        show_preview(preview, looked=request.policy != "all")
    return preview, request.model_copy(update={"digest": preview.digest})


async def _show_started(handle: "BackfillHandle", how: _How) -> None:
    from trenova_schedules._cli_backfill_output import watch

    if how.wait:
        await watch(handle, as_json=how.as_json)
    elif how.as_json:
        print_json({"id": handle.id})
    else:
        console.print(f"Backfill {handle.id}", soft_wrap=True, markup=False)
        console.print(f"follow it: trenova-schedules backfill status {handle.id} --wait", soft_wrap=True, markup=False)


def _request(asked: dict[str, Any]) -> "BackfillRequest":
    from trenova_schedules._managing._changing import valid
    from trenova_schedules.backfill import BackfillRequest

    return valid(BackfillRequest, asked, "The backfill")


@backfill.command("list")
def list_(
    schedule: Annotated[str | None, typer.Argument(help="Only those of this schedule.", show_default="all")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List backfills, also those that ended, as long as the namespace keeps them."""

    async def work(client: Client) -> None:
        from trenova_schedules.backfill import list_backfills

        found = [one async for one in list_backfills(client, schedule_id=schedule, limit=limit)]
        if as_json:
            print_json(found)
        else:
            rows = [(one.id, one.state.lower(), moment(one.started_at), moment(one.closed_at)) for one in found]
            print_table(("backfill", "state", "started", "ended"), rows)

    run(work)


@backfill.command()
def status(backfill_id: BackfillId, *, wait: Watch = False, as_json: AsJson = False) -> None:
    """Show how far a backfill is, and what it was told.

    Exit status: 0; 1 there is none or no worker answers; with --wait as 'backfill SCHEDULE --wait'.
    """

    async def work(client: Client) -> None:
        from trenova_schedules._cli_backfill_output import show_progress, watch
        from trenova_schedules.backfill import BackfillHandle

        handle = BackfillHandle(client, backfill_id)
        if wait:
            await watch(handle, as_json=as_json)
            return
        progress = await handle.progress()
        if as_json:
            print_json(progress)
        else:
            show_progress(progress)

    run(work)
