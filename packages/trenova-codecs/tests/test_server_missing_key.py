"""A worker that lacks the key of what it is sent: the run waits, and completes when the key arrives."""

import asyncio
import logging
import os
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from codecs_scenarios import WORKFLOWS, WaitsWorkflow, answer
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Worker

from trenova_codecs import (
    CodecOptions,
    CodecPlugin,
    EncryptionOptions,
    Key,
    KeyRing,
    KeyState,
    RevokedKeyError,
    UnknownKeyError,
)

pytestmark = pytest.mark.integration

OLD, NEW = os.urandom(32), os.urandom(32)
LIMIT = 90
SOON = timedelta(seconds=1)
"""A task that fails a second time is tried again only after the time that a task may take."""


def only_old() -> KeyRing:
    return KeyRing.from_keys({"old": OLD}, active="old")


def both(active: str = "new") -> KeyRing:
    return KeyRing.from_keys({"old": OLD, "new": NEW}, active=active)


async def connect(address: str, ring: KeyRing, *, runtime: Runtime | None = None, **encryption: object) -> Client:
    options = CodecOptions(encryption=EncryptionOptions(prove_keys=False, **encryption))
    return await Client.connect(address, plugins=[CodecPlugin(options, ring=ring)], runtime=runtime)


@asynccontextmanager
async def serving(client: Client, queue: str):
    """Without a cache, so that every task decodes the history from its beginning."""
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, max_cached_workflows=0) as worker:
        yield worker


@asynccontextmanager
async def answering(client: Client, queue: str):
    async with Worker(client, task_queue=queue, activities=[answer]):
        yield


async def events(handle) -> list[int]:
    return [event.event_type async for event in handle.fetch_history_events()]


async def until_a_task_failed(handle, *, after: int = 0) -> None:
    async with asyncio.timeout(LIMIT):
        while (await events(handle)).count(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) <= after:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def until_parts(handle, *expected: str) -> None:
    async with asyncio.timeout(LIMIT):
        while not set(expected) <= set(await handle.query(WaitsWorkflow.parts)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def is_running(handle) -> bool:
    return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.parametrize("lacking", ["argument", "result", "signal", "update"])
@pytest.mark.parametrize("format_", ["compat", "v2"])
async def test_a_run_waits_for_the_key_of_its_next_payload_and_completes_with_it(dev_server, lacking, format_):
    ring = only_old()
    worker = await connect(dev_server.address, ring, format=format_)
    old = await connect(dev_server.address, both(active="old"), format=format_)
    new = await connect(dev_server.address, both(), format=format_)
    who = {part: new if part == lacking else old for part in ("argument", "result", "signal", "update")}
    queue, elsewhere = (f"{kind}-{uuid.uuid4()}" for kind in ("runs", "answers"))

    async with serving(worker, queue), answering(new if lacking in ("argument", "result") else old, elsewhere):
        started = await who["argument"].start_workflow(
            WaitsWorkflow.run,
            args=["Reno", elsewhere],
            id=f"lacks-{uuid.uuid4()}",
            task_queue=queue,
            task_timeout=SOON,
        )
        signalled, updated = (who[part].get_workflow_handle(started.id) for part in ("signal", "update"))
        if lacking in ("signal", "update"):
            await until_parts(old.get_workflow_handle(started.id), "argument", "result")
        update = asyncio.create_task(updated.execute_update(WaitsWorkflow.change, "u"))
        if lacking == "signal":
            await asyncio.wait_for(asyncio.shield(update), LIMIT)  # an update in a task that fails is given up
        if lacking == "update":
            await asyncio.sleep(2)  # a refused update leaves no event while its task is speculative
        else:
            await signalled.signal(WaitsWorkflow.note, "s")
            await until_a_task_failed(started)
        assert await is_running(started)

        ring.replace([Key("old", OLD, state=KeyState.DECRYPT_ONLY), Key("new", NEW)])
        await signalled.signal(WaitsWorkflow.note, "s")

        result = await asyncio.wait_for(new.get_workflow_handle(started.id).result(), LIMIT)
        changed = await asyncio.wait_for(update, LIMIT)

    assert result == {"argument": "Reno", "result": "answered Reno", "signal": "s", "update": "u"}
    assert changed == "changed u"
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED not in await events(started)


async def test_runs_that_one_worker_cannot_decode_are_completed_by_another(dev_server):
    new = await connect(dev_server.address, both())
    queue, elsewhere = (f"{kind}-{uuid.uuid4()}" for kind in ("runs", "answers"))
    handles = []
    for number in range(5):
        handles.append(
            await new.start_workflow(
                WaitsWorkflow.run,
                args=[f"{number}", elsewhere],
                id=f"other-{uuid.uuid4()}",
                task_queue=queue,
                task_timeout=SOON,
            )
        )
        await handles[-1].signal(WaitsWorkflow.note, "s")

    async with answering(new, elsewhere):
        async with serving(await connect(dev_server.address, only_old()), queue):
            await asyncio.gather(*(until_a_task_failed(handle) for handle in handles))
            assert all([await is_running(handle) for handle in handles])
        async with serving(await connect(dev_server.address, both()), queue):
            await asyncio.gather(*(handle.execute_update(WaitsWorkflow.change, "u") for handle in handles))
            results = await asyncio.wait_for(asyncio.gather(*(handle.result() for handle in handles)), LIMIT)

    assert [result["argument"] for result in results] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("revoked", [False, True])
async def test_what_fails_at_once_for_a_caller_waits_on_a_worker_that_shares_its_plugin(dev_server, revoked):
    new = await connect(dev_server.address, both())
    ring = KeyRing.from_keys({"old": OLD}, active="old", revoked=["new"] if revoked else [])
    caller = await connect(dev_server.address, ring)
    queue = f"side-{uuid.uuid4()}"
    handle = await new.start_workflow(WaitsWorkflow.run, args=["Reno", "nobody"], id=queue, task_queue=queue)
    async with serving(await connect(dev_server.address, both()), queue):
        await handle.query(WaitsWorkflow.parts)
    error = RevokedKeyError if revoked else UnknownKeyError

    with pytest.raises(error, match="needs key 'new'") as met_by_caller:
        await caller.data_converter.decode(await new.data_converter.encode(["x"]))
    async with serving(caller, queue):
        with pytest.raises(error) as met_by_worker:
            await caller.data_converter.decode(await new.data_converter.encode(["x"]))

    assert (met_by_caller.value.type, met_by_caller.value.non_retryable) == ("configuration", True)
    assert (met_by_worker.value.type, met_by_worker.value.non_retryable) == ("unavailable", False)
    await handle.terminate()


async def test_the_sdks_core_does_not_tell_once_more_of_a_task_that_has_a_line(dev_server, caplog):
    core = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
    )
    runtime = Runtime(telemetry=TelemetryConfig(logging=core))
    client = await connect(dev_server.address, only_old(), runtime=runtime)
    new = await connect(dev_server.address, both())
    queue = f"runs-{uuid.uuid4()}"
    async with serving(client, queue):
        started = await new.start_workflow(
            WaitsWorkflow.run, args=["Reno", queue], id=f"core-{uuid.uuid4()}", task_queue=queue, task_timeout=SOON
        )
        await until_a_task_failed(started)
        await asyncio.sleep(1)  # the core's lines come in batches, and are late
    await started.terminate()

    assert [
        record.attempt for record in caplog.records if getattr(record, "run_id", "") == started.first_execution_run_id
    ]
    assert not [record for record in caplog.records if "Failing workflow task" in record.message]
