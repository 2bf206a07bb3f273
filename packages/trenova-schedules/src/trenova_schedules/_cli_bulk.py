"""Do the same to many schedules, after it has been seen to how many; and undo it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from temporalio.client import Client

from trenova_schedules._cli_connect import CONFLICT, FAILED, run
from trenova_schedules._cli_output import AsJson, By, Reason, Yes, asides, console, print_json, print_table
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, DryRun, Url, actor_of, service_of
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, BulkResult, ScheduleChange

_ONE = 1


def change_many(
    action: BulkAction,
    wanted: ScheduleFilter,
    *,
    reason: str,
    everything: bool,
    dry_run: bool,
    most: int,
    yes: bool,
    by: str | None,
    data_dir: Path,
    url: str | None,
    as_json: bool,
    serves: bool = True,
    patch: Mapping[str, Any] | None = None,
    catch_up: CatchUp = CatchUp.NONE,
) -> None:
    """Plan it, ask where there are several, do it, and say what became of each."""
    actor = actor_of(by)

    async def work(client: Client) -> BulkResult:
        async with service_of(client, data_dir, url=url, serves=serves) as service:

            async def bulk(which: ScheduleFilter, *, dry: bool) -> BulkResult:
                return await service.bulk(
                    action,
                    which,
                    reason=reason,
                    actor=actor,
                    patch=patch,
                    catch_up=catch_up,
                    dry_run=dry,
                    everything=everything,
                    most=most,
                )

            # Whoever names one schedule has seen which; a catch-up starts work, which has to be seen before.
            if not dry_run and (yes or (len(wanted.ids) == _ONE and catch_up is CatchUp.NONE)):
                return await bulk(wanted, dry=False)
            plan = await bulk(wanted, dry=True)
            if dry_run:
                return plan
            _say(plan.items, to=asides if as_json else console)
            count = sum(item.outcome is BulkOutcome.PLANNED for item in plan.items)
            if count:
                typer.confirm(f"{action.value.capitalize()} {count} schedules?", abort=True, err=True)
            return await bulk(_only(plan.items, wanted), dry=False)

    _report(run(work), wanted, as_json=as_json)


def undo(
    receipt: Annotated[str, typer.Argument(help="Id of the receipt, as printed.", show_default=False)],
    *,
    reason: Reason,
    catch_up: Annotated[CatchUp, typer.Option(help="Which ticks missed by an undone pause to start.")] = CatchUp.NONE,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make the schedules of a bulk action what they were; those that somebody has changed since are left alone."""
    actor = actor_of(by)

    async def work(client: Client) -> BulkResult:
        async with service_of(client, data_dir, url=url) as service:

            async def undone(*, dry: bool) -> BulkResult:
                return await service.undo(receipt, reason=reason, actor=actor, catch_up=catch_up, dry_run=dry)

            if yes and not dry_run:
                return await undone(dry=False)
            plan = await undone(dry=True)
            if dry_run:
                return plan
            _say(plan.items, to=asides if as_json else console)
            typer.confirm(f"Undo receipt {receipt!r}?", abort=True, err=True)
            return await undone(dry=False)

    _report(run(work), None, as_json=as_json)


def say_change(change: ScheduleChange) -> None:
    """Say in one line what became of one schedule."""
    if not change.changed:
        console.print(f"{change.schedule_id}: nothing to do", soft_wrap=True, markup=False)
        return
    etag = "" if change.after is None else f", ETag {change.after.etag}"
    console.print(f"{change.schedule_id}: {change.action} done{etag}", soft_wrap=True, markup=False)


def report_items(items: Sequence[BulkItem], *, as_json: bool) -> None:
    """Print what became of each, and leave with 1 or 4 where not all of it was done."""
    if as_json:
        print_json(items)
    else:
        _say(items)
    _leave(items)


def _report(result: BulkResult, wanted: ScheduleFilter | None, *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        _say(result.items)
        if result.receipt is not None:
            console.print(f"Receipt {result.receipt.id}; 'undo' takes it.", soft_wrap=True, markup=False)
    absent = set(wanted.ids if wanted else ()) - {item.schedule_id for item in result.items}
    if absent:
        typer.echo(f"No schedule found: {', '.join(sorted(absent))}.", err=True)
        raise typer.Exit(FAILED)
    _leave(result.items)


def _only(seen: Sequence[BulkItem], wanted: ScheduleFilter) -> ScheduleFilter:
    """Narrow a filter to what was shown, so that nothing is changed to which nobody agreed."""
    return wanted.model_copy(update={"ids": tuple(item.schedule_id for item in seen)}) if seen else wanted


def _say(items: Sequence[BulkItem], *, to: Console = console) -> None:
    if not items:
        to.print("No schedule matches.")
        return
    rows = [(item.schedule_id, item.outcome.value, item.reason) for item in items]
    print_table(("schedule", "outcome", ""), rows, to=to)


def _leave(items: Sequence[BulkItem]) -> None:
    outcomes = {item.outcome for item in items}
    if BulkOutcome.FAILED in outcomes:
        raise typer.Exit(FAILED)
    if BulkOutcome.CONFLICT in outcomes:
        raise typer.Exit(CONFLICT)
