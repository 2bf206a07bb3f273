"""What the command shows of a backfill: its plan, its way, and its end."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

from trenova_errors import ApplicationError, NonRetryableError, UnavailableError, from_failure
from trenova_schedules._cli_output import console, print_json, print_table
from trenova_schedules.backfill import BackfillHandle, BackfillPreview, BackfillProgress, BackfillResult
from trenova_schedules.backfill._names import CANCELED_MEMO

INCOMPLETE: Final = 3
"""Exit status of a backfill that ended and left holes."""

INTERRUPTED: Final = 130
"""Exit status of a command that Ctrl-C ended, as shells have it: 128 + SIGINT."""

_LOOK_EVERY_S: Final = 0.5
_LAST_LOOK_S: Final = 2.0
_SHOWN: Final = 10


def show_preview(preview: BackfillPreview, *, looked: bool) -> None:
    """Print what a backfill would do.

    Args:
        preview: What that is.
        looked: Whether anybody looked which ticks have a run.
    """
    judged = preview.judged
    starts = "one run stands for all of them" if preview.mode == "collapse" else "each is started"
    rows = [
        ("ticks", f"{preview.planned:,}"),
        ("due", f"{judged.due:,}; {starts}"),
        ("have a run", f"{judged.had_run:,}" if looked else "not looked at: all are run"),
        ("left alone", f"{judged.unknown:,}, since nobody knows whether they ran"),
        ("judged by", preview.evidence),
        ("runs at once", f"{preview.concurrency:,}" if preview.concurrency else "no limit"),
        ("takes at least", f"{preview.seconds:,} seconds"),
    ]
    print_table(("backfill", preview.schedule_id), [row for row in rows if row[0] != "left alone" or judged.unknown])
    for at in preview.times[:_SHOWN]:
        console.print(f"  {at.isoformat()}", markup=False)
    if preview.planned > _SHOWN:
        console.print(f"  and {preview.planned - _SHOWN:,} more", markup=False)


def show_progress(progress: BackfillProgress) -> None:
    """Print how far a backfill is, and what it was told lately."""
    console.print(progress.words, soft_wrap=True, markup=False)
    for action in progress.steering.actions:
        console.print(f"  {action.number}. {action.words}", soft_wrap=True, markup=False)


async def watch(handle: BackfillHandle, *, as_json: bool) -> None:
    """Show a backfill until it ends, and leave with the status that its end deserves; Ctrl-C leaves it alone.

    Raises:
        ApplicationError: It was canceled or failed.
        typer.Exit: It left holes, or nobody wanted to wait any longer.
    """
    ended = asyncio.ensure_future(handle.result())
    with _interruption() as interrupted:
        bar = None if as_json else asyncio.ensure_future(_draw(handle))
        both: set[asyncio.Future[Any]] = {ended, interrupted}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if bar is not None:
            await asyncio.wait({bar}, timeout=_LAST_LOOK_S if ended.done() else 0)
            bar.cancel()
            await asyncio.gather(bar, return_exceptions=True)
    if not ended.done():
        ended.cancel()
        typer.echo(f"The backfill goes on. Follow it: trenova-schedules backfill status {handle.id} --wait", err=True)
        raise typer.Exit(INTERRUPTED)
    try:
        result = ended.result()
    except WorkflowFailureError as error:
        raise await _why_it_ended(handle, error) from None
    _show_result(result, as_json=as_json)
    if not result.done:
        raise typer.Exit(INCOMPLETE)


async def _why_it_ended(handle: BackfillHandle, error: WorkflowFailureError) -> ApplicationError:
    """Return what a backfill failed with, or who canceled it and why."""
    if not isinstance(error.cause, CancelledError):
        return from_failure(error)
    memo = await (await handle.workflow.describe()).memo()
    by = f" by {memo[CANCELED_MEMO]}" if CANCELED_MEMO in memo else ""
    return NonRetryableError(f"The backfill was canceled{by}.")


def _show_result(result: BackfillResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    console.print(result.result, soft_wrap=True, markup=False)
    if result.holes:
        more = ", the first of them" if result.holes_truncated else ""
        console.print(f"Ticks without a run{more}:", markup=False)
        print_table(("tick", "why"), [(hole.at.isoformat(), hole.why.replace("_", " ")) for hole in result.holes])


@contextmanager
def _interruption() -> Iterator["asyncio.Future[None]"]:
    """Turn Ctrl-C into a future for the length of the block."""
    loop = asyncio.get_running_loop()
    interrupted: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        if not interrupted.done():
            interrupted.set_result(None)

    loop.add_signal_handler(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _draw(handle: BackfillHandle) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console) as bar:
        task = bar.add_task("waiting for a worker", total=1.0, words="")
        while True:
            try:
                progress = await handle.progress()
            except UnavailableError:
                bar.update(task, description="waiting for a worker")
            else:
                bar.update(task, completed=progress.fraction, description=_stage(progress), words=_numbers(progress))
                if progress.phase == "ended":
                    return
            await asyncio.sleep(_LOOK_EVERY_S)


def _stage(progress: BackfillProgress) -> str:
    return progress.stage if progress.phase == "running" else progress.phase


def _numbers(progress: BackfillProgress) -> str:
    did = progress.started
    rate = "" if progress.ticks_per_second is None else f", {progress.ticks_per_second:,.1f}/s"
    left = "" if progress.eta_seconds is None else f", {progress.eta_seconds:,} s left"
    return f"{did.processed:,} of {progress.planned or 0:,} ticks, {did.started:,} started{rate}{left}"
