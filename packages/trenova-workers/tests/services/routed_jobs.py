"""Workflows that say where and how urgently they ran."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import Priority


@dataclass
class Asked:
    organization_id: str
    urgency: str | None = None


def _seen() -> list[Any]:
    info = workflow.info()
    return [info.task_queue, info.priority.priority_key, info.priority.fairness_key, info.priority.fairness_weight]


@workflow.defn(name="Seen")
class Seen:
    @workflow.run
    async def run(self, asked: Any = None) -> list[Any]:
        return _seen()


@workflow.defn(name="Family")
class Family:
    """Continues as new once, then has a child."""

    @workflow.run
    async def run(self, generation: int) -> list[Any]:
        if generation == 0:
            workflow.continue_as_new(1)
        child = await workflow.execute_child_workflow("Seen", id=f"{workflow.info().workflow_id}/child")
        own = await workflow.execute_child_workflow(
            "Seen", id=f"{workflow.info().workflow_id}/own", priority=Priority(priority_key=5)
        )
        return [_seen(), child, own]


@workflow.defn(name="Talkative")
class Talkative:
    @workflow.init
    def __init__(self) -> None:
        self._heard: list[str] = []

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.wait_condition(lambda: bool(self._heard))
        return [*self._heard, *_seen()]

    @workflow.signal
    async def hear(self, word: str) -> None:
        self._heard.append(word)

    @workflow.update
    async def answer(self, word: str) -> str:
        self._heard.append(word)
        return word.upper()


@workflow.defn(name="Starting")
class Starting:
    @workflow.run
    async def run(self, queue: str) -> list[Any]:
        return await workflow.execute_activity(
            "start", queue, activity_id="start", start_to_close_timeout=timedelta(seconds=30), result_type=list[Any]
        )


class Activities:
    """Starts a workflow with the worker's own client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="start")
    async def start(self, queue: str) -> list[Any]:
        run_id = activity.info().workflow_id
        return await self._client.execute_workflow(
            "Seen", Asked("org_a"), id=f"{run_id}/started", task_queue=queue, result_type=list[Any]
        )
