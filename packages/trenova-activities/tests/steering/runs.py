"""Both nightly workflows on a real server, with an activity that works in batches for as long as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

import trenova_activities as jobs
from trenova_activities._nightly_contract import NightlyPayload
from trenova_activities.database._nightly_handover import handed_over
from trenova_activities.database._own_run import cancel_own_run

WAIT_S = 60
KINDS = {
    "cancel": (jobs.start_cancel, jobs.CancelShipmentsPayload),
    "purge": (jobs.start_purge, jobs.DeleteAuditEntriesPayload),
}


@dataclass
class Work:
    """The two activities: a batch of ten rows every 20 ms, twenty batches a call, until a test says enough."""

    enough: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[NightlyPayload] = field(default_factory=list)
    batches: int = 0
    at_work: int = 0
    batch_s: float = 0.02
    per_call: int = 20

    async def _call(self, payload: NightlyPayload) -> dict[str, Any]:
        assert payload.run is not None
        if payload.run.canceled:
            await cancel_own_run()
            return {"done": False, "rows": 0}
        self.asked.append(payload)
        self.at_work += 1
        try:
            for _ in range(self.per_call):
                if self.enough.is_set() or activity.is_cancelled():
                    break
                activity.heartbeat(f"{self.batches} batches")
                await asyncio.sleep(self.batch_s)
                self.batches += 1
        finally:
            self.at_work -= 1
        done = self.enough.is_set()
        return {"done": done, "rows": 10 * self.batches, "tenants_done": 1, "organization": "org_1"}

    @activity.defn(name=jobs.CANCEL_SHIPMENTS_ACTIVITY)
    async def cancel(self, payload: jobs.CancelShipmentsPayload) -> jobs.CancelShipmentsProgress:
        told = await handed_over(self._call(payload))
        result = jobs.CancelShipmentsResult(total_cancelled=told["rows"], result="Canceled.")
        return jobs.CancelShipmentsProgress(**told, result=result if told["done"] else None)

    @activity.defn(name=jobs.DELETE_AUDIT_ENTRIES_ACTIVITY)
    async def purge(self, payload: jobs.DeleteAuditEntriesPayload) -> jobs.DeleteAuditEntriesProgress:
        told = await handed_over(self._call(payload))
        result = jobs.DeleteAuditEntriesResult(total_deleted=told["rows"], result="Deleted.")
        return jobs.DeleteAuditEntriesProgress(**told, result=result if told["done"] else None)


@asynccontextmanager
async def serving(client: Client, queue: str, work: Work, **options: Any) -> AsyncIterator[None]:
    workflows = [jobs.CancelShipmentsByCreatedAtWorkflow, jobs.DeleteAuditEntriesWorkflow]
    async with Worker(client, task_queue=queue, workflows=workflows, activities=[work.cancel, work.purge], **options):
        yield


async def started(client: Client, kind: str, queue: str, **options: Any) -> WorkflowHandle[Any, Any]:
    """Start a run and return a handle that follows its chain."""
    start, payload = KINDS[kind]
    handle = await start(client, payload(), key=queue, **{"task_queue": queue, **options})
    return client.get_workflow_handle(handle.id)


async def until(condition, *, seconds: float = WAIT_S) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(seconds):
        while not (await condition() if asyncio.iscoroutinefunction(condition) else condition()):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.05)


async def tell(handle: WorkflowHandle[Any, Any], update: str, request: Any, **options: Any) -> jobs.SteeringAnswer:
    return await handle.execute_update(update, request, result_type=jobs.SteeringAnswer, **options)


async def progress(handle: WorkflowHandle[Any, Any]) -> jobs.JobProgress:
    return await handle.query(jobs.PROGRESS, result_type=jobs.JobProgress)
