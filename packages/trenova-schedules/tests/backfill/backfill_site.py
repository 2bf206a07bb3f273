"""A task queue of one test, schedules that start runs there, and backfills of them."""

import asyncio
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

from backfill_runs import NumberWorkflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.common import SearchAttributeKey
from temporalio.worker import Worker

from trenova_schedules.backfill import (
    BackfillActivities,
    BackfillHandle,
    BackfillRequest,
    BackfillResult,
    BackfillScheduleWorkflow,
    start_backfill,
)

SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_VISIBLE_AFTER_S = 0.5


class Site:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.queue = f"queue-{uuid.uuid4().hex}"
        self.now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def hours_ago(self, hours: float) -> datetime:
        """Return a moment in whole seconds, the same for the length of a test."""
        return self.now - timedelta(hours=hours)

    def worker(self, ledger=None) -> Worker:
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[BackfillScheduleWorkflow, NumberWorkflow],
            activities=BackfillActivities(self.client, ledger).all,
        )

    async def make(self, arg: str = "done", *, action: dict | None = None, **changes) -> ScheduleHandle:
        """Create a paused schedule that fires every minute, unless it is told otherwise."""
        schedule_id = f"every-minute-{uuid.uuid4().hex[:8]}"
        start = {"id": schedule_id, "task_queue": self.queue, "args": [arg], **(action or {})}
        schedule = {
            "action": ScheduleActionStartWorkflow("NumberWorkflow", **start),
            "spec": ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))]),
            "policy": SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            "state": ScheduleState(paused=True),
        }
        return await self.client.create_schedule(schedule_id, Schedule(**{**schedule, **changes}))

    def ask(self, schedule: ScheduleHandle, *, minutes: int = 10, **changes) -> BackfillRequest:
        """Make a request for some minutes, two hours ago, as fast as it goes."""
        asked = {
            "schedule_id": schedule.id,
            "start_at": self.hours_ago(2),
            "end_at": self.hours_ago(2) + timedelta(minutes=minutes),
            "rate_per_second": 0.0,
            "reason": "The server was down",
            "by": "ana",
        }
        return BackfillRequest(**{**asked, **changes})

    async def start(self, schedule: ScheduleHandle, *, key: str | None = None, **asked) -> BackfillHandle:
        return await start_backfill(self.client, self.ask(schedule, **asked), key=key, task_queue=self.queue)

    async def backfilled(self, schedule: ScheduleHandle, **asked) -> BackfillResult:
        handle = await self.start(schedule, **asked)
        async with asyncio.timeout(100):
            return await handle.result()

    async def runs_of(self, schedule: ScheduleHandle) -> Counter:
        """Count the runs of a schedule by nominal time and status, once visibility has them."""
        await asyncio.sleep(_VISIBLE_AFTER_S)
        found = Counter()
        async for run in self.client.list_workflows(f"TemporalScheduledById = '{schedule.id}'"):
            found[run.typed_search_attributes.get(SCHEDULED_AT), run.status.name] += 1
        return found

    def each_minute(self, count: int, status: str = "COMPLETED", *, after: int = 0) -> Counter:
        """Return one run for each of so many minutes, as :meth:`runs_of` counts them."""
        start = self.hours_ago(2) + timedelta(minutes=after)
        return Counter({(start + timedelta(minutes=minute), status): 1 for minute in range(count)})

    async def tell(self, schedule: ScheduleHandle, how: str) -> None:
        """Change the argument of the schedule's runs from now on."""

        def change(found):
            found.description.schedule.action.args = [how]
            return ScheduleUpdate(schedule=found.description.schedule)

        await schedule.update(change)
