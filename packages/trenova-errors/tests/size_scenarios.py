"""Workflows that send and return as many bytes as they are told to."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from trenova_errors import PayloadTooLargeError

LIMITS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=3),
}
attempts: list[str] = []


@activity.defn(name="take_text")
async def take_text(text: str) -> int:
    return len(text)


@activity.defn(name="give_text")
async def give_text(size: int) -> str:
    attempts.append(activity.info().workflow_id or "")
    return "x" * size


@workflow.defn
class Empty:
    @workflow.run
    async def run(self, text: str) -> int:
        return len(text)


@workflow.defn
class Sizes:
    """Does what ``how`` names with ``size`` bytes, ``times`` times at once."""

    def __init__(self) -> None:
        self._finished = False

    @workflow.run
    async def run(self, how: str, size: int, times: int = 1) -> Any:
        return await getattr(self, f"_{how}")("x" * size, times)

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.update
    def text(self, size: int) -> str:
        return "x" * size

    async def _wait(self, text: str, times: int) -> None:
        await workflow.wait_condition(lambda: self._finished)

    async def _argument(self, text: str, times: int) -> int:
        calls = [workflow.execute_activity("take_text", text, **LIMITS) for _ in range(times)]
        return sum(await asyncio.gather(*calls))

    async def _one_by_one(self, text: str, times: int) -> int:
        return sum([await workflow.execute_activity("take_text", text, **LIMITS) for _ in range(times)])

    async def _caught(self, text: str, times: int) -> str:
        try:
            await workflow.execute_activity("take_text", text, **LIMITS)
        except PayloadTooLargeError as error:
            await workflow.execute_activity("take_text", "a reference", **LIMITS)
            await workflow.sleep(1)
            return error.code
        return "sent"

    async def _answer(self, text: str, times: int) -> int:
        return len(await workflow.execute_activity("give_text", len(text), **LIMITS))

    async def _local_answer(self, text: str, times: int) -> int:
        return sum([len(await workflow.execute_local_activity("give_text", len(text), **LIMITS)) for _ in range(times)])

    async def _local_argument(self, text: str, times: int) -> int:
        return int(await workflow.execute_local_activity("take_text", text, **LIMITS))

    async def _child(self, text: str, times: int) -> int:
        return await workflow.execute_child_workflow(Empty.run, text)

    async def _signal(self, text: str, times: int) -> None:
        await workflow.get_external_workflow_handle("nobody").signal("any", text)

    async def _result(self, text: str, times: int) -> str:
        return text

    async def _again(self, text: str, times: int) -> None:
        workflow.continue_as_new(args=["result", 1, 1])


WORKFLOWS = [Sizes, Empty]
ACTIVITIES = [take_text, give_text]
