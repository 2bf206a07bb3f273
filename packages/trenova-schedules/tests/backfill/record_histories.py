"""Record one history per scenario into ``tests/histories/<version>/``; run it when the released workflow changes.

uv run python packages/trenova-schedules/tests/backfill/record_histories.py [VERSION]
"""

import asyncio
import contextlib
import json
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import BackfillHandle, BackfillInput, BackfillScheduleWorkflow, backfill_workflow_id
from trenova_schedules.backfill._continuation import CONTINUATION_MEMO, ContinuationBudget

sys.path.insert(0, str(Path(__file__).parent))

from backfill_site import Site

HOME = Path(__file__).parents[1] / "histories"
COLLAPSES = {"trenova.applied": json.dumps({"v": 1, "fields": {"backfill": "collapse"}})}


async def begin(site: Site, name: str, *, arg: str = "done", action: dict | None = None, budget: int = 8_000, **asked):
    schedule = await site.make(arg, action=action)
    started = await site.client.start_workflow(
        BackfillScheduleWorkflow.run,
        BackfillInput(request=site.ask(schedule, **asked)),
        id=backfill_workflow_id(name, "recorded"),
        task_queue=site.queue,
        memo={CONTINUATION_MEMO: ContinuationBudget(events=budget)},
    )
    return BackfillHandle(site.client, started.id)


async def until_starting(handle: BackfillHandle) -> None:
    while (await handle.progress()).stage != "starting":  # noqa: ASYNC110 (of another process)
        await asyncio.sleep(0.1)


async def steered(site: Site) -> BackfillHandle:
    handle = await begin(site, "steered", minutes=60, rate_per_second=3.0)
    await until_starting(handle)
    await handle.pause(reason="They complain", by="ana")
    while (await handle.progress()).phase != "paused":  # noqa: ASYNC110 (of another process)
        await asyncio.sleep(0.1)
    await handle.change_limits(by="ana", rate_per_second=500.0)
    await handle.resume(by="ana")
    return handle


async def canceled(site: Site) -> BackfillHandle:
    handle = await begin(site, "canceled", arg="wait", minutes=60, rate_per_second=1.0)
    await until_starting(handle)
    await handle.cancel(reason="Wrong range", by="ana", runs="cancel")
    return handle


async def record(site: Site, folder: Path) -> None:
    handles = {
        "done": await begin(site, "done"),
        "collapsed": await begin(site, "collapsed", action={"memo": COLLAPSES}),
        "refused": await begin(site, "refused", max_ticks=5),
        "continued": await begin(site, "continued", minutes=110, rate_per_second=4.0, budget=12),
        "steered": await steered(site),
        "canceled": await canceled(site),
    }
    for name, handle in handles.items():
        with contextlib.suppress(WorkflowFailureError):
            await handle.result()
        last = await handle.workflow.fetch_history()
        keep(folder, name, last)
        first = last.events[0].workflow_execution_started_event_attributes.first_execution_run_id
        if first != last.run_id:  # of a chain
            earlier = site.client.get_workflow_handle(handle.id, run_id=first)
            keep(folder, f"{name}-first", await earlier.fetch_history())


def keep(folder: Path, name: str, history: WorkflowHistory) -> None:
    """Write a history without stack traces: they name files of a machine, and replay ignores them."""
    text = json.dumps(_portable(json.loads(history.to_json())), indent=1)
    (folder / f"backfill-{name}.json").write_text(f"{text}\n")
    print(f"{name}: {len(history.events)} events")  # noqa: T201 (a program)


def _portable(part):
    if isinstance(part, dict):
        return {name: _portable(value) for name, value in part.items() if name != "stackTrace"}
    return [_portable(one) for one in part] if isinstance(part, list) else part


async def main() -> None:
    folder = HOME / (sys.argv[1] if len(sys.argv) > 1 else version("trenova-schedules"))
    folder.mkdir(parents=True, exist_ok=True)
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        address = environment.client.service_client.config.target_host
        site = Site(await Client.connect(address, plugins=[ErrorsPlugin()], identity="recorder"))
        async with site.worker():
            await record(site, folder)


if __name__ == "__main__":
    asyncio.run(main())
