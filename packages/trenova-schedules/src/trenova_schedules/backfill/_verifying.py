"""A last look at the ticks: which have a run, and which are holes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules.backfill._call_contract import TicksCall, TicksVerified
from trenova_schedules.backfill._contract import Hole, Verified
from trenova_schedules.backfill._judging import FAILED, Judge, TickFacts
from trenova_schedules.backfill._run_requests import action_of
from trenova_schedules.backfill._ticks import run_id_of

_PARALLEL: Final = 20


async def verify_ticks(client: Client, call: TicksCall, judge: Judge) -> TicksVerified:
    """Say what each tick has; one that visibility does not show is asked for by its id, since visibility is late.

    Args:
        client: Of the namespace.
        call: The ticks.
        judge: Knows visibility and the ledger.
    """
    facts = await judge.facts(call.schedule_id, call.times, mark=None)
    missing = [at for at in call.times if at not in facts]
    if missing:
        facts |= await _described(client, action_of(call).workflow_id, missing)
    remembered = await judge.remembered(call.schedule_id, missing)
    kept_since = datetime.now(UTC).timestamp() - call.kept_seconds
    counts = Verified(looked_at=len(call.times))
    holes: list[Hole] = []
    for at in call.times:
        name = _state(facts.get(at), remembered=remembered.get(at))
        counts = counts.plus(Verified(**{name: 1}))
        if name == "holes":
            forgotten = at < kept_since and remembered.get(at) is None
            skipped = forgotten and call.older != "run" and call.policy != "all"
            holes.append(Hole(at=datetime.fromtimestamp(at, UTC), why="skipped" if skipped else "not_started"))
    return TicksVerified(verified=counts, holes=holes)


def _state(facts: TickFacts | None, *, remembered: bool | None) -> str:
    if facts is None:
        return "older" if remembered else "holes"
    if facts.running:
        return "running"
    return "failed" if facts.failed_only else "completed"


async def _described(client: Client, action_id: str, times: Sequence[int]) -> dict[int, TickFacts]:
    lanes = asyncio.Semaphore(_PARALLEL)

    async def look(at: int) -> TickFacts | None:
        async with lanes:
            return await _of_run(client, run_id_of(action_id, at))

    found = await asyncio.gather(*map(look, times))
    return {at: facts for at, facts in zip(times, found, strict=True) if facts is not None}


async def _of_run(client: Client, workflow_id: str) -> TickFacts | None:
    try:
        status = (await client.get_workflow_handle(workflow_id).describe()).status
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:  # the latter has no such ids
            return None
        raise
    return TickFacts(
        running=status is WorkflowExecutionStatus.RUNNING,
        completed=status is WorkflowExecutionStatus.COMPLETED,
        failed=status in FAILED,
    )
