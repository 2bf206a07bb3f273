"""The early end of a backfill: what becomes of the runs that it started, and its own status."""

import asyncio
from typing import Final

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules.backfill._call_contract import EndCall
from trenova_schedules.backfill._contract import OpenRun
from trenova_schedules.backfill._judging import Judge, between

_PARALLEL: Final = 20
_VISIBLE_AFTER_S: Final = 1.0
"""How long a run that was started may take to be listed."""


async def end_backfill(client: Client, call: EndCall, judge: Judge) -> int:
    """Cancel the runs of the backfill that go on, if that is asked, then ask the server to cancel the backfill.

    Args:
        client: Of the namespace; in an activity of the backfill.
        call: What is asked.
        judge: Knows which runs are the backfill's.

    Returns:
        Runs that were asked to end.
    """
    ended = 0
    if call.cancel_runs and call.call.times:
        await asyncio.sleep(_VISIBLE_AFTER_S)
        ended = await _cancel_runs(client, call, judge)
    info = activity.info()
    await client.get_workflow_handle(str(info.workflow_id), run_id=info.workflow_run_id).cancel()
    return ended


async def _cancel_runs(client: Client, call: EndCall, judge: Judge) -> int:
    query = f"{between(call.call.schedule_id, call.call.times)} AND ExecutionStatus = 'Running'"
    lanes = asyncio.Semaphore(_PARALLEL)

    async def cancel(run: OpenRun) -> None:
        async with lanes:
            await _cancel(client, run)

    runs: list[OpenRun] = []
    async for run in client.list_workflows(query):
        mark = await judge.mark_of(run)
        if mark is not None and mark.is_of(call.call.mark):
            runs.append(OpenRun(workflow_id=run.id, run_id=run.run_id))
    await asyncio.gather(*map(cancel, runs))
    return len(runs)


async def _cancel(client: Client, run: OpenRun) -> None:
    try:
        await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).cancel()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
            raise
