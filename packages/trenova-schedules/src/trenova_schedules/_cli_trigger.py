"""``trenova-schedules trigger``: a run now."""

from typing import Annotated

import typer
from temporalio.client import Client

from trenova_schedules._cli_connect import run
from trenova_schedules._cli_output import AsJson, By, console, print_json
from trenova_schedules._cli_service import DEFAULT_DATA_DIR, DataDir, OneId, Url, actor_of, service_of
from trenova_schedules._managing._triggering import TriggeredRun

_WHY = {
    "started": "",
    "buffered": " waits for the run under way",
    "skipped": ": a run is under way, and the overlap policy lets none start beside it; --overlap takes another policy",
}


def trigger(
    schedule_id: OneId,
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit trail.", show_default=False)] = None,
    overlap: Annotated[str | None, typer.Option(help="Another overlap policy.", show_default="the schedule's")] = None,
    by: By = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Start a run now, paused or not, and wait until it is there. As many triggers, as many runs.

    Exit status: 0 started, or it waits for the run under way; 1 skipped, or nothing was done.
    """

    async def work(client: Client) -> TriggeredRun:
        async with service_of(client, data_dir, url=url) as service:
            return await service.trigger(schedule_id, actor=actor_of(by), reason=reason, overlap=overlap)

    done = run(work)
    if as_json:
        print_json(done)
    else:
        console.print(f"{done.outcome}: {done.workflow_id}{_WHY[done.outcome]}", soft_wrap=True, markup=False)
    if done.outcome == "skipped":
        raise typer.Exit(1)
