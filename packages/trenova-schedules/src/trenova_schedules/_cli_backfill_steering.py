"""Steering a backfill from the command line, and telling the audit trail of it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from temporalio.client import Client

from trenova_schedules._cli_connect import run, user_of_this_system
from trenova_schedules._cli_output import AsJson, By, Reason, console, print_json
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, Url, actor_of
from trenova_schedules._cli_store import store_beside

if TYPE_CHECKING:
    from pathlib import Path

    from trenova_schedules.backfill import SteeringAnswer
    from trenova_schedules.store import ScheduleStore

Result = TypeVar("Result")
BackfillId = Annotated[str, typer.Argument(help="As 'backfill SCHEDULE' printed it.", show_default=False)]


def add_steering(app: typer.Typer) -> None:
    """Add the commands that steer a backfill which is under way."""
    for command in (pause, resume, cancel, limits):
        app.command()(command)


def pause(
    backfill_id: BackfillId,
    *,
    reason: Reason,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Stop a backfill after the call under way, within about 10 seconds, until 'resume'."""
    _steer(backfill_id, "pause", {"reason": reason}, by=by, where=(url, data_dir), as_json=as_json)


def resume(
    backfill_id: BackfillId,
    *,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Go on where a paused backfill stands."""
    _steer(backfill_id, "resume", {}, by=by, where=(url, data_dir), as_json=as_json)


def cancel(
    backfill_id: BackfillId,
    *,
    reason: Reason,
    cancel_runs: Annotated[bool, typer.Option("--cancel-runs", help="Cancel also the runs that it started.")] = False,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a backfill after the call under way; the runs that it started go on unless --cancel-runs is given."""
    asked = {"reason": reason, "runs": "cancel" if cancel_runs else "leave"}
    _steer(backfill_id, "cancel", asked, by=by, where=(url, data_dir), as_json=as_json)


def limits(
    backfill_id: BackfillId,
    *,
    rate: Annotated[float | None, typer.Option(min=0, help="Starts per second; 0: as started.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=0, max=200, help="Runs open at once; 0: as started.")] = None,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change how fast a backfill may be, from its next call on, thus within about 10 seconds."""
    if rate is None and concurrency is None:
        raise typer.BadParameter("say what to change", param_hint="--rate or --concurrency")
    asked = {"rate_per_second": rate, "concurrency": concurrency}
    _steer(backfill_id, "change_limits", asked, by=by, where=(url, data_dir), as_json=as_json)


async def told(  # what an entry consists of
    store: "ScheduleStore | None",
    action: str,
    schedule_id: str,
    *,
    by: str | None,
    reason: str | None,
    work: Callable[[], Awaitable[Result]],
) -> Result:
    """Do something to a backfill, and record it in the audit trail as the API does: done, refused or failed."""
    from trenova_schedules._managing._auditing import audited, entry_of

    entry = entry_of(f"backfill.{action}", schedule_id, actor_of(by), reason)
    return await audited(None if store is None else store.audit, entry, work)


def _steer(
    backfill_id: str,
    what: str,
    asked: dict[str, Any],
    *,
    by: str | None,
    where: "tuple[str | None, Path]",
    as_json: bool,
) -> None:
    async def work(client: Client) -> None:
        from trenova_schedules.backfill import BackfillHandle

        handle = BackfillHandle(client, backfill_id)

        async def steer() -> "SteeringAnswer":
            answer: SteeringAnswer = await getattr(handle, what)(**asked, by=user_of_this_system(by))
            return answer

        async with store_beside(client, *where) as store:
            schedule = backfill_id.removeprefix("backfill/").rpartition("/")[0]
            action = "limits" if what == "change_limits" else what
            answer = await told(store, action, schedule, by=by, reason=asked.get("reason"), work=steer)
        if as_json:
            print_json(answer)
        else:
            console.print(answer.result, soft_wrap=True, markup=False)

    run(work)
