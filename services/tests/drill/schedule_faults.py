"""Schedules whose ticks do not run."""

import asyncio
import uuid
from datetime import timedelta

from fault import Fault
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError

from trenova_activities import CHECK_DATABASE_WORKFLOW, CheckDatabasePayload
from trenova_schedules import ScheduleDefinition, ScheduleSlo, create_missing
from trenova_schedules.ledger import HARVEST_WORKFLOW, HarvestPayload

EVERY_S = 5


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
            slo=ScheduleSlo(margin=timedelta(seconds=EVERY_S), failure_threshold=3, recovery_threshold=2),
        )
        await create_missing(self.client, [definition])
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
        self.keep(self._go_on)

    async def _go_on(self) -> None:
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
        with self.site.held(self.site.server.process):
            await asyncio.sleep(6 * EVERY_S)
        await asyncio.sleep(1)
        await self.harvest()


class TicksMissed(Scheduled):
    alert = "TrenovaTicksMissed"
    what = "Somebody deletes a run before the ledger has seen it."
    mitigation = "Leave them, where the next run does their work."

    async def inject(self) -> None:
        await super().inject()
        await asyncio.sleep(2 * EVERY_S)
        async for run in self.client.list_workflows(f"TemporalScheduledById = '{self.id}'"):
            handle = self.client.get_workflow_handle(run.id, run_id=run.run_id)
            await self.site.command("temporal", "workflow", "delete", "--yes", "-w", handle.id, "-r", str(run.run_id))
            break
        await asyncio.sleep(2 * EVERY_S)
        await self.harvest()


FAULTS = (ScheduleFailing, TicksMissed)
