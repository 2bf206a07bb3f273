"""CodecPlugin and ErrorsPlugin together on a real server: a missing key and what is too large."""

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from codecs_scenarios import AsksTwiceWorkflow, SendsWorkflow, answer, length
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from trenova_codecs import CodecOptions, CodecPlugin, EncryptionOptions, Key, KeyRing, KeyState
from trenova_errors import ErrorsPlugin, PayloadLimits

pytestmark = pytest.mark.integration

OLD, NEW = os.urandom(32), os.urandom(32)
LIMIT = 60
MIB = 1024 * 1024


def both() -> KeyRing:
    return KeyRing.from_keys({"old": OLD, "new": NEW}, active="new")


async def connect(address: str, ring: KeyRing, errors: ErrorsPlugin | None = None) -> Client:
    codec = CodecPlugin(CodecOptions(encryption=EncryptionOptions(prove_keys=False)), ring=ring)
    return await Client.connect(address, plugins=[errors or ErrorsPlugin(), codec])


async def attempted_once(handle):
    """Return the activity once its first attempt has failed."""
    async with asyncio.timeout(LIMIT):
        while True:
            pending = (await handle.describe()).raw_description.pending_activities
            if pending and pending[0].HasField("last_failure"):
                return pending[0]
            await asyncio.sleep(0.1)


async def test_an_activity_with_two_attempts_waits_ten_seconds_for_the_key_of_its_input(dev_server):
    ring = KeyRing.from_keys({"old": OLD}, active="old")
    lacking, knowing = await connect(dev_server.address, ring), await connect(dev_server.address, both())
    queue, elsewhere = (f"{kind}-{uuid.uuid4()}" for kind in ("runs", "answers"))
    async with (
        Worker(knowing, task_queue=queue, workflows=[AsksTwiceWorkflow]),
        Worker(lacking, task_queue=elsewhere, activities=[answer]),
    ):
        handle = await knowing.start_workflow(
            AsksTwiceWorkflow.run, args=["Reno", elsewhere], id=queue, task_queue=queue
        )
        failed = await attempted_once(handle)
        ring.replace([Key("old", OLD, state=KeyState.DECRYPT_ONLY), Key("new", NEW)])
        result = await asyncio.wait_for(handle.result(), LIMIT)
        events = [event async for event in handle.fetch_history_events()]

    assert failed.current_retry_interval.ToTimedelta() >= timedelta(seconds=10)
    assert failed.last_failure.application_failure_info.type == "unavailable"
    started = next(event for event in events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    waited = started.event_time.ToDatetime() - failed.last_attempt_complete_time.ToDatetime()
    assert waited >= timedelta(seconds=10)
    assert started.activity_task_started_event_attributes.attempt == 2
    assert result == "answered Reno"


@asynccontextmanager
async def sending(address: str, errors: ErrorsPlugin | None = None):
    client, queue = await connect(address, both(), errors), f"sends-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[SendsWorkflow], activities=[length]):

        async def send(size: int, *, compressible: bool):
            arguments = {"args": [size, compressible], "id": f"sends-{uuid.uuid4()}", "task_queue": queue}
            handle = await client.start_workflow(SendsWorkflow.run, **arguments)
            return handle, await asyncio.wait_for(asyncio.gather(handle.result(), return_exceptions=True), LIMIT)

        yield send


async def tasks_failed(handle) -> int:
    types = [event.event_type async for event in handle.fetch_history_events()]
    return types.count(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)


@pytest.mark.parametrize("compressible", [False, True])
async def test_what_is_too_large_before_the_codec_ends_the_run_instead_of_repeating_its_task(dev_server, compressible):
    async with sending(dev_server.address) as send:
        handle, (error,) = await send(3 * MIB, compressible=compressible)

        assert isinstance(error, WorkflowFailureError)
        assert isinstance(error.cause, ApplicationError)
        assert error.cause.type == "payload_too_large"
        assert await tasks_failed(handle) == 0


async def test_with_higher_limits_what_compresses_below_two_mebibytes_is_sent(dev_server):
    limits = PayloadLimits(payload=16 * MIB, task=16 * MIB)
    async with sending(dev_server.address, ErrorsPlugin(limits=limits)) as send:
        handle, (received,) = await send(3 * MIB, compressible=True)

        assert received == 3 * MIB
        assert await tasks_failed(handle) == 0
