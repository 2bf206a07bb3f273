"""A namespace under load: worker processes with key rings of their own, and somebody who starts runs."""

import asyncio
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CodecOptions, CodecPlugin, EncryptionOptions, KeyFile, KeyRing

BINARY = Path(sysconfig.get_path("scripts")) / "temporal"
COMMAND = Path(sys.executable).with_name("trenova-codecs")
PLANTED = "PLANTED-Beauregard-Trucking-rate-4711"
QUEUE = "drill"
REFUSED = "the carrier refused it"


@activity.defn(name="codecs.drill")
async def work(text: str, number: int) -> str:
    activity.heartbeat({"so far": text})
    if number % 7 == 3:
        raise ApplicationError(f"{REFUSED}: {text}", {"details": text}, non_retryable=True)
    return text.upper()


@workflow.defn(name="CodecsDrillWorkflow")
class DrillWorkflow:
    def __init__(self) -> None:
        self._more: list[str] = []

    @workflow.run
    async def run(self, text: str, number: int) -> str:
        workflow.upsert_memo({"told": text})
        if number % 5 == 0:  # lives until it is told to go on
            await workflow.wait_condition(lambda: bool(self._more))
        done: str = await workflow.execute_activity(
            work,
            args=[text, number],
            activity_id="work",
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=5),
            summary=text,
        )
        return done

    @workflow.signal(name="more")
    def more(self, text: str) -> None:
        self._more.append(text)

    @workflow.query(name="told")
    def told(self) -> list[str]:
        return self._more


def plugin(ring: Path) -> CodecPlugin:
    return CodecPlugin(CodecOptions(encryption=EncryptionOptions(keys=KeyFile(path=ring))))


def runtime() -> Runtime:
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[DrillWorkflow],
        activities=[work],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=5),
        max_cached_workflows=10,  # so that histories are decoded again and again
    )


async def serve(address: str, ring: Path, identity: str) -> None:
    """What a worker process does until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(address, identity=identity, runtime=runtime(), plugins=[plugin(ring)])
    async with worker(client):
        await stop.wait()


@asynccontextmanager
async def workers(address: str, rings: dict[str, Path], log: Path) -> AsyncIterator[None]:
    """Run a worker process for each ring, by identity; none may end by itself."""
    processes = []
    with log.open("wb") as output:
        for identity, ring in rings.items():
            command = [sys.executable, __file__, address, str(ring), identity]
            processes.append(subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ}))
        try:
            yield
            assert [process.poll() for process in processes] == [None] * len(processes), log.read_text()
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


@asynccontextmanager
async def server(database: Path) -> AsyncIterator[Client]:
    """A dev server that keeps everything in a file."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARY),
        dev_server_log_level="error",
        dev_server_database_filename=str(database),
        dev_server_extra_args=["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"],
    ) as environment:
        yield environment.client


class Load:
    """Starts runs at a rate until it is told to stop; keeps their handles."""

    def __init__(self, client: Client, per_second: float) -> None:
        self._client, self._pause = client, 1 / per_second
        self.handles: list[WorkflowHandle[Any, Any]] = []
        self._checked: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            number = len(self.handles)
            text = f"{PLANTED} of {number} " * (1 + number % 3 * 40)
            handle = await self._client.start_workflow(
                DrillWorkflow.run,
                args=[text, number],
                id=f"drill-{number}",
                task_queue=QUEUE,
                memo={"note": text},
                static_summary=text[:100],
            )
            self.handles.append(handle)
            await asyncio.sleep(self._pause)

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        done = (await asyncio.gather(self._task, return_exceptions=True))[0]
        if not isinstance(done, asyncio.CancelledError):
            raise done

    async def go_on(self) -> None:
        """Signal every run that waits for it."""
        for handle in self.handles[::5]:
            if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await handle.signal(DrillWorkflow.more, f"{PLANTED} goes on")

    async def check(self, *, closed_only: bool = False) -> None:
        """Check how runs ended that were not checked before: as the number says, and no other way."""
        for number, handle in enumerate(self.handles):
            if number in self._checked:
                continue
            if closed_only and (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                continue
            ended = (await asyncio.gather(asyncio.wait_for(handle.result(), 60), return_exceptions=True))[0]
            if number % 7 == 3:
                assert isinstance(ended, WorkflowFailureError), (handle.id, ended)
                assert REFUSED in str(ended.cause.__cause__), (handle.id, ended.cause)
            else:
                assert isinstance(ended, str), (handle.id, ended)
                assert ended.startswith(PLANTED.upper())
            self._checked.add(number)

    async def task_failures(self) -> list[str]:
        """Return what made a workflow task fail, which nothing may."""
        return [
            str(event.workflow_task_failed_event_attributes.failure.message)
            for handle in self.handles
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        ]


async def keys(address: str, ring: Path, *words: str) -> tuple[int, str]:
    """Run ``trenova-codecs keys`` as an operator does; return its status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "keys", *words, "--ring", ring),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200", "TEMPORAL_ADDRESS": address},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def temporal(address: str, *words: str) -> str:
    """Run Temporal's own command line, without a codec."""
    process = await asyncio.create_subprocess_exec(
        *(BINARY, *words, "--address", address, "-o", "json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()


def secrets_of(ring: Path) -> list[bytes]:
    """Return every key of a ring, in the shapes in which one could leak."""
    opened = KeyRing.from_file(ring)
    keys = [opened.find(key_id) for key_id in opened.ids()]
    return [shape for key in keys if key for shape in (key.reveal(), key.reveal().hex().encode())]


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
