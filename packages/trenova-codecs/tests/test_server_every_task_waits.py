"""Whatever a worker without the key meets waits for it: no run ends, no activity is given up, and all complete."""

import asyncio
import logging
import os
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from codecs_scenarios import ChildWorkflow, MeetsWorkflow, answer, echo, plant, resume
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from trenova_codecs import CodecOptions, CodecPlugin, EncryptionOptions, Key, KeyRing, KeyState
from trenova_errors import ErrorsPlugin

pytestmark = pytest.mark.integration

OLD, NEW = os.urandom(32), os.urandom(32)
LIMIT = 60
LOGGERS = ("temporalio.activity", "temporalio.worker._workflow")
ENDED = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
}
FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


def ring(active: str) -> KeyRing:
    return KeyRing.from_keys({"old": OLD, "new": NEW}, active=active)


async def connect(address: str, keys: KeyRing, *, errors: bool) -> Client:
    codec = CodecPlugin(CodecOptions(encryption=EncryptionOptions(prove_keys=False)), ring=keys)
    return await Client.connect(address, plugins=[*([ErrorsPlugin()] if errors else []), codec])


@dataclass
class Queues:
    """Each kind of task has its own, so that each meets the missing key by itself."""

    runs: str = field(default_factory=lambda: f"runs-{uuid.uuid4()}")
    children: str = field(default_factory=lambda: f"children-{uuid.uuid4()}")
    resumes: str = field(default_factory=lambda: f"resumes-{uuid.uuid4()}")
    answers: str = field(default_factory=lambda: f"answers-{uuid.uuid4()}")

    @asynccontextmanager
    async def served(self, client: Client, *names: str):
        work = {
            "runs": {"workflows": [MeetsWorkflow], "activities": [echo], "max_cached_workflows": 0},
            "children": {"workflows": [ChildWorkflow], "max_cached_workflows": 0},
            "resumes": {"activities": [resume]},
            "answers": {"activities": [answer]},
        }
        async with AsyncExitStack() as stack:
            for name in names or work:
                await stack.enter_async_context(Worker(client, task_queue=getattr(self, name), **work[name]))
            yield


async def history(handle: WorkflowHandle) -> list[int]:
    return [event.event_type async for event in handle.fetch_history_events()]


async def attempts(handle: WorkflowHandle) -> dict[str, int]:
    """How often each pending activity has failed."""
    pending = (await handle.describe()).raw_description.pending_activities
    return {one.activity_id: one.attempt - 1 for one in pending}


async def until(look) -> None:
    async with asyncio.timeout(LIMIT):
        while not await look():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


class Meeting:
    """One run, whose every part is encrypted with the new key."""

    def __init__(self, address: str, *, errors: bool) -> None:
        self.address, self.errors = address, errors
        self.queues = Queues()
        self.lacking = KeyRing.from_keys({"old": OLD}, active="old")

    async def begin(self) -> None:
        """Let workers that hold the key leave everything half done."""
        self.new = await connect(self.address, ring("new"), errors=self.errors)
        told = [self.queues.children, self.queues.resumes, self.queues.answers]
        self.run = await self.new.start_workflow(
            MeetsWorkflow.run,
            args=["Reno", told],
            id=f"meets-{uuid.uuid4()}",
            task_queue=self.queues.runs,
            task_timeout=timedelta(seconds=1),
        )
        self.child = self.new.get_workflow_handle(f"{self.run.id}/child")
        async with self.queues.served(self.new, "runs", "resumes"):
            await until(self._half_done)

    async def _half_done(self) -> bool:
        return (await attempts(self.run)).get("codecs.resume") == 1

    async def meet(self) -> None:
        """Let workers without it meet all of that, and a query."""
        # Before the signal: the server keeps queries back while the run's own task is tried again.
        with pytest.raises(WorkflowQueryFailedError):
            await self.run.query(MeetsWorkflow.ask, "x", rpc_timeout=timedelta(seconds=20))
        await self.run.signal(MeetsWorkflow.note, "a signal")
        await until(self._waits)
        for handle in (self.run, self.child):
            assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    async def _waits(self) -> bool:
        tried = await attempts(self.run)
        met = tried.get("codecs.resume", 0) >= 2 and tried.get("codecs.answer", 0) >= 1
        return met and all([FAILED in await history(handle) for handle in (self.run, self.child)])

    async def end(self) -> None:
        """Bring the key; nothing has ended meanwhile, and everything completes."""
        self.lacking.replace([Key("old", OLD, state=KeyState.DECRYPT_ONLY), Key("new", NEW)])
        changed = await asyncio.wait_for(self._changed(), LIMIT)
        assert await asyncio.wait_for(self.run.query(MeetsWorkflow.ask, "x"), LIMIT) == "asked x"
        result = await asyncio.wait_for(self.run.result(), LIMIT)

        own = [plant("activity-result")[:20], plant("child-result")[:20], "resumed from half of Reno", "answered Reno"]
        assert (changed, result) == ("changed an update", [*own, "a signal", "an update"])
        for handle in (self.run, self.child):
            assert not ENDED & set(await history(handle))

    async def _changed(self) -> str:
        while True:
            try:
                return await self.run.execute_update(MeetsWorkflow.change, "an update")
            except RPCError as error:  # the server takes none before the next attempt of the run's own task
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                    raise
                await asyncio.sleep(0.2)


def follows_a_query(record: logging.LogRecord) -> bool:
    """Whether the SDK misses a run of which a query, that it could not decode, was the first that it heard."""
    return "Missing initialize workflow" in str(record.exc_info and record.exc_info[1])


async def test_every_kind_of_task_waits_for_the_key_and_says_so_in_one_line(dev_server, caplog):
    caplog.set_level(logging.INFO)
    meetings = [Meeting(dev_server.address, errors=errors) for errors in (False, True)]
    await asyncio.gather(*(one.begin() for one in meetings))
    caplog.clear()
    async with AsyncExitStack() as stack:
        for one in meetings:
            client = await connect(dev_server.address, one.lacking, errors=one.errors)
            await stack.enter_async_context(one.queues.served(client))
        await asyncio.gather(*(one.meet() for one in meetings))
        said = [record for record in caplog.records if record.levelno >= logging.WARNING]
        await asyncio.gather(*(one.end() for one in meetings))

    assert not [record for record in said if record.name in LOGGERS and not follows_a_query(record)]
    for one in meetings:
        run, child = [(await handle.describe()).run_id for handle in (one.run, one.child)]
        lines = [(record.run_id, getattr(record, "activity_id", None)) for record in said if hasattr(record, "key_id")]
        first = [(run, None), (child, None), (run, "codecs.answer")]
        assert [lines.count(line) for line in first] == [1, 1, 1]
    assert {record.key_id for record in said if hasattr(record, "key_id")} == {"new"}
