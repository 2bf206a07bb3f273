"""Everything that a backfill does to the world."""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.client import Client

from trenova_schedules.backfill._call_contract import EndCall, TicksCall, TicksStarted, TicksVerified
from trenova_schedules.backfill._contract import BackfillInput, Plan, Started
from trenova_schedules.backfill._ending import end_backfill
from trenova_schedules.backfill._heartbeats import heartbeats
from trenova_schedules.backfill._judging import Judge, RunLedger, Verdict
from trenova_schedules.backfill._names import (
    END_BACKFILL_ACTIVITY,
    LOOK_AT_TICKS_ACTIVITY,
    PLAN_BACKFILL_ACTIVITY,
    START_TICKS_ACTIVITY,
    VERIFY_TICKS_ACTIVITY,
)
from trenova_schedules.backfill._planning import plan_backfill
from trenova_schedules.backfill._run_requests import RunRequests
from trenova_schedules.backfill._starting import StartingTurn
from trenova_schedules.backfill._ticks import moment
from trenova_schedules.backfill._verifying import verify_ticks


class BackfillActivities:
    """The activities of :class:`BackfillScheduleWorkflow`; give their bound methods (:attr:`all`) to a worker.

    Args:
        client: Of the namespace whose schedules are backfilled; the worker's own if absent. Its data converter reads
            and writes two memos of ours, and no payload of the schedule's action.
        ledger: What remembers ticks for longer than the server keeps runs; without one visibility alone counts, and
            results say so.
    """

    def __init__(self, client: Client | None = None, ledger: RunLedger | None = None) -> None:
        self._given = client
        self._ledger = ledger

    @property
    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.plan, self.look, self.start, self.verify, self.end]

    @property
    def _client(self) -> Client:
        return self._given or activity.client()

    @property
    def _judge(self) -> Judge:
        return Judge(self._client, self._ledger)

    @activity.defn(name=PLAN_BACKFILL_ACTIVITY)
    async def plan(self, asked: BackfillInput) -> Plan:
        """Fix what the backfill does."""
        async with heartbeats() as beats:
            beats.stage("counting the ticks")
            return (await plan_backfill(self._client, asked.request, self._judge)).plan

    @activity.defn(name=LOOK_AT_TICKS_ACTIVITY)
    async def look(self, call: TicksCall) -> TicksStarted:
        """Say which ticks are due, and start nothing."""
        async with heartbeats() as beats:
            beats.stage(f"looking at {len(call.times):,} ticks")
            verdicts = await self._judge.verdicts(call)
        due = [at for at, verdict in zip(call.times, verdicts, strict=True) if verdict in {Verdict.DUE, Verdict.OURS}]
        return TicksStarted(
            started=Started(
                processed=len(verdicts),
                due=len(due),
                had_run=verdicts.count(Verdict.HAD_RUN),
                unknown=verdicts.count(Verdict.UNKNOWN),
            ),
            first_due=due[0] if due else None,
            last_due=due[-1] if due else None,
        )

    @activity.defn(name=START_TICKS_ACTIVITY)
    async def start(self, call: TicksCall) -> TicksStarted:
        """Start ticks for some ten seconds."""
        async with heartbeats() as beats:
            beats.stage(f"starting from {moment(call.times[0])} on", {"ticks": len(call.times)})
            [mark] = await self._client.data_converter.encode([call.mark])
            verdicts = await self._judge.verdicts(call)
            return await StartingTurn(self._client, call, RunRequests(self._client, call, mark)).run(verdicts)

    @activity.defn(name=VERIFY_TICKS_ACTIVITY)
    async def verify(self, call: TicksCall) -> TicksVerified:
        """Say which ticks have no run."""
        async with heartbeats() as beats:
            beats.stage(f"verifying {len(call.times):,} ticks")
            return await verify_ticks(self._client, call, self._judge)

    @activity.defn(name=END_BACKFILL_ACTIVITY)
    async def end(self, call: EndCall) -> int:
        """End the backfill as canceled, and the runs that it started if that is asked."""
        async with heartbeats():
            return await end_backfill(self._client, call, self._judge)
