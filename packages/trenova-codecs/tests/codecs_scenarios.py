"""Workflows and activities that use every way on which a payload reaches the server."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

_SOON = timedelta(seconds=20)
_ONCE = RetryPolicy(maximum_attempts=1)

WAYS = (
    "start-argument",
    "start-memo",
    "static-summary",
    "upserted-memo",
    "activity-argument",
    "activity-result",
    "activity-summary",
    "activity-failure",
    "failure-detail",
    "heartbeat",
    "last-heartbeat",
    "local-argument",
    "local-result",
    "child-argument",
    "child-memo",
    "child-result",
    "child-failure",
    "signal-argument",
    "query-argument",
    "query-result",
    "update-argument",
    "update-result",
    "update-refusal",
    "header",
    "workflow-failure",
    "continued-argument",
)


def plant(way: str) -> str:
    """Return a text that stands nowhere but where it is planted."""
    return f"planted-{way}-{way[::-1]}-{'x' * 2000}"


@activity.defn(name="codecs.echo")
async def echo(text: str) -> str:
    """Return what a caller planted, and plant a heartbeat on the way."""
    if not activity.info().is_local:
        activity.heartbeat(plant("heartbeat"))
    return plant("local-result" if text == plant("local-argument") else "activity-result")


@activity.defn(name="codecs.break")
async def break_(text: str) -> None:
    """Fail, once a heartbeat had time to reach the server."""
    activity.heartbeat(plant("last-heartbeat"))
    await asyncio.sleep(0.5)
    raise ApplicationError(plant("activity-failure"), plant("failure-detail"), text, type="planted.type")


@workflow.defn(name="codecs.Child")
class ChildWorkflow:
    @workflow.run
    async def run(self, text: str) -> str:
        if text == plant("child-failure"):
            raise ApplicationError(text, type="planted.type")
        return plant("child-result")


@workflow.defn(name="codecs.Everything")
class EverythingWorkflow:
    """Plants in every way that it has; ends in a failure if it was told to."""

    def __init__(self) -> None:
        self._signals: list[str] = []
        self._updates: list[str] = []

    @workflow.run
    async def run(self, text: str, end: str) -> str:
        workflow.upsert_memo({"upserted": plant("upserted-memo")})
        await workflow.execute_activity(
            echo,
            plant("activity-argument"),
            activity_id="echo",
            start_to_close_timeout=_SOON,
            summary=plant("activity-summary"),
        )
        await workflow.execute_local_activity(echo, plant("local-argument"), start_to_close_timeout=_SOON)
        await self._fail()
        await self._children()
        await workflow.wait_condition(lambda: bool(self._signals and self._updates))
        if end == "fail":
            raise ApplicationError(plant("workflow-failure"), type="planted.type")
        if end == "continue":
            workflow.continue_as_new(args=[plant("continued-argument"), "return"])
        return text + "".join(self._signals + self._updates)

    async def _fail(self) -> None:
        try:
            await workflow.execute_activity(
                break_,
                "x",
                activity_id="break",
                start_to_close_timeout=_SOON,
                heartbeat_timeout=timedelta(seconds=5),
                retry_policy=_ONCE,
            )
        except ActivityError:
            return

    async def _children(self) -> None:
        child = workflow.info().workflow_id + "/child"
        for text in (plant("child-argument"), plant("child-failure")):
            try:
                await workflow.execute_child_workflow(
                    ChildWorkflow.run, text, id=child, memo={"child": plant("child-memo")}
                )
            except ChildWorkflowError:
                return

    @workflow.signal(name="note")
    def note(self, text: str) -> None:
        self._signals.append(text)

    @workflow.query(name="ask")
    def ask(self, text: str) -> str:
        return plant("query-result")

    @workflow.update(name="change")
    def change(self, text: str) -> str:
        self._updates.append(text)
        return plant("update-result")

    @change.validator
    def check_change(self, text: str) -> None:
        if text == "refuse":
            raise ApplicationError(plant("update-refusal"), type="planted.type")


@workflow.defn(name="codecs.Waits")
class WaitsWorkflow:
    """Takes an argument, a signal, an update and the result of an activity elsewhere, in whatever order they come."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}

    @workflow.run
    async def run(self, start: str, elsewhere: str) -> dict[str, str]:
        self._parts["argument"] = start
        self._parts["result"] = await workflow.execute_activity(
            "codecs.answer",
            start,
            task_queue=elsewhere,
            activity_id="answer",
            start_to_close_timeout=_SOON,
            result_type=str,
        )
        await workflow.wait_condition(lambda: {"signal", "update"} <= set(self._parts))
        return self._parts

    @workflow.signal(name="note")
    def note(self, text: str) -> None:
        self._parts["signal"] = text

    @workflow.update(name="change")
    def change(self, text: str) -> str:
        self._parts["update"] = text
        return f"changed {text}"

    @workflow.query(name="parts")
    def parts(self) -> list[str]:
        return sorted(self._parts)


@activity.defn(name="codecs.answer")
async def answer(text: str) -> str:
    """Answer from another worker, which may hold other keys."""
    return f"answered {text}"


@activity.defn(name="codecs.length")
async def length(data: bytes) -> int:
    """Say how much arrived."""
    return len(data)


@workflow.defn(name="codecs.Sends")
class SendsWorkflow:
    """Gives an activity so many bytes, which compress to almost nothing or not at all."""

    @workflow.run
    async def run(self, size: int, compressible: bool) -> int:  # noqa: FBT001 - an argument on the wire
        data = b"x" * size if compressible else workflow.random().randbytes(size)
        return await workflow.execute_activity(length, data, start_to_close_timeout=_SOON, activity_id="length")


@workflow.defn(name="codecs.AsksTwice")
class AsksTwiceWorkflow:
    """Gives up after two attempts, which would follow each other within a tenth of a second."""

    @workflow.run
    async def run(self, text: str, elsewhere: str) -> str:
        return await workflow.execute_activity(
            "codecs.answer",
            text,
            task_queue=elsewhere,
            activity_id="answer",
            start_to_close_timeout=_SOON,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=2),
            result_type=str,
        )


@activity.defn(name="codecs.resume")
async def resume(text: str) -> str:
    """Note how far it got and fail, the first time; then go on from there."""
    if activity.info().attempt == 1:
        activity.heartbeat(f"half of {text}")
        await asyncio.sleep(0.2)
        raise ApplicationError("the first half is done", type="planted.type")
    return f"resumed from {activity.info().heartbeat_details[0]}"


@workflow.defn(name="codecs.Meets")
class MeetsWorkflow:
    """Leaves something encrypted wherever a task may meet it, and needs all of it in the end."""

    def __init__(self) -> None:
        self._more: list[str] = []

    @workflow.run
    async def run(self, text: str, queues: list[str]) -> list[str]:
        children, resumes, answers = queues
        local = await workflow.execute_local_activity(echo, text, start_to_close_timeout=_SOON)
        child = await workflow.start_child_workflow(
            ChildWorkflow.run,
            text,
            id=f"{workflow.info().workflow_id}/child",
            task_queue=children,
            task_timeout=timedelta(seconds=1),
        )
        resumed, answered = (
            workflow.start_activity(
                name,
                text,
                task_queue=queue,
                activity_id=name,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1)),
                result_type=str,
            )
            for name, queue in (("codecs.resume", resumes), ("codecs.answer", answers))
        )
        await workflow.wait_condition(lambda: len(self._more) == 2)
        return [local[:20], (await child)[:20], await resumed, await answered, *self._more]

    @workflow.signal(name="note")
    def note(self, text: str) -> None:
        self._more.append(text)

    @workflow.update(name="change")
    def change(self, text: str) -> str:
        self._more.append(text)
        return f"changed {text}"

    @workflow.query(name="ask")
    def ask(self, text: str) -> str:
        return f"asked {text}"


WORKFLOWS: list[type] = [EverythingWorkflow, ChildWorkflow, WaitsWorkflow]
ACTIVITIES: list[Callable[..., Any]] = [echo, break_]
