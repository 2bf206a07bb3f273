"""Schedules whose ticks do not run."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from fault import Fault
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError

from trenova_activities import CHECK_DATABASE_WORKFLOW, CheckDatabasePayload
from trenova_schedules import Reconciler, ScheduleDefinition, ScheduleSlo
from trenova_schedules.ledger import HARVEST_WORKFLOW, HarvestPayload

EVERY_S = 5
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
HOUR_S = 3600
COUNTED_AFTER_S = 20
"""Seconds after which a tick counts as final where the clock is ahead."""


class Scheduled(Fault):
    """A schedule of the system worker that fires every five seconds, and a harvest of the ledger as often."""

    async def inject(self) -> None:
        self.client = await self.site.services.client()
        self.id = f"drill-{self.alert}"
        self.values |= {"SCHEDULE_ID": self.id}
        definition = ScheduleDefinition(
            id=self.id,
            workflow=CHECK_DATABASE_WORKFLOW,
            task_queue="system-queue",
            args=(CheckDatabasePayload(),),
            interval=timedelta(seconds=EVERY_S),
            overlap=ScheduleOverlapPolicy.SKIP,
            catchup_window=timedelta(seconds=10),
            owner="drill",
            slo=ScheduleSlo(margin=timedelta(seconds=EVERY_S), failure_threshold=3, recovery_threshold=12),
        )
        await Reconciler(self.client, [definition], owner="drill").reconcile()  # which keeps what is expected of it
        await asyncio.sleep(3 * EVERY_S)
        await self.harvest()

    async def harvest(self) -> None:
        """Have the ledger look; the server may just have come back."""
        id_ = f"drill-harvest-{uuid.uuid4().hex}"
        for _ in range(10):
            try:
                await self.client.execute_workflow(
                    HARVEST_WORKFLOW, HarvestPayload(), id=id_, task_queue="system-queue"
                )
            except RPCError:
                await asyncio.sleep(1)
            else:
                return

    async def mend(self) -> None:
        """Let it fire: ticks that go well are all that it needs."""

    async def go_on(self) -> None:
        await asyncio.sleep(EVERY_S)
        await self.harvest()

    async def done(self) -> None:
        await self.stop()
        await self.client.get_schedule_handle(self.id).delete()


class ScheduleFailing(Scheduled):
    alert = "TrenovaScheduleFailing"
    what = "The server is away for six ticks, longer than the catch-up window."
    mitigation = "Run what was missed: `trenova-schedules backfill ID "

    async def inject(self) -> None:
        await super().inject()
        self.away = [datetime.now(UTC)]
        with self.site.held(self.site.server.process):
            await asyncio.sleep(6 * EVERY_S)
        self.away.append(datetime.now(UTC))
        self.keep(self.go_on)

    async def mend(self) -> None:
        begin, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in self.away)
        asked = (self.id, "--from", begin, "--to", end, "--reason", "the server was away", "--yes")
        await self.site.command("trenova-schedules", "backfill", *asked)


class TicksMissed(Scheduled):
    alert = "TrenovaTicksMissed"
    what = "Somebody deletes a run before the ledger has seen it."
    mitigation = "Leave them, where the next run does their work."
    needs: ClassVar = {FAKETIME: "libfaketime"}

    async def inject(self) -> None:
        """A tick is counted an hour after it, so the worker that counts has a clock that is almost that much ahead."""
        await super().inject()
        async for run in self.client.list_workflows(f"TemporalScheduledById = '{self.id}'"):
            await self.site.command("temporal", "workflow", "delete", "--yes", "-w", run.id, "-r", str(run.run_id))
            break
        await asyncio.sleep(COUNTED_AFTER_S + 2 * EVERY_S)
        ahead = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+{HOUR_S - COUNTED_AFTER_S}s"}
        await self.site.restart("system_worker", **ahead, FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.keep(self.go_on)

    async def mend(self) -> None:
        """Leave the tick as it is, but count on by the right clock."""
        await self.stop()
        await self.site.restart("system_worker")


FAULTS = (ScheduleFailing, TicksMissed)
