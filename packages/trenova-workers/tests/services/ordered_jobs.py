"""Workflows that note in what order and when they ran; for workers without a sandbox in the test's own process."""

import time
from dataclasses import dataclass

from temporalio import workflow

RAN: list[tuple[str, float]] = []
"""Workflow ids and when each ran, in order."""

SECONDS: dict[str, float] = {}
"""How long a workflow task takes, by task queue."""


@dataclass
class Job:
    organization_id: str
    urgency: str


@workflow.defn(name="Ordered")
class Ordered:
    @workflow.run
    async def run(self, job: Job) -> str:
        info = workflow.info()
        RAN.append((info.workflow_id, time.monotonic()))
        time.sleep(SECONDS.get(info.task_queue, 0.0))  # noqa: ASYNC251 (holds the slot, as slow code would)
        return job.organization_id
