import asyncio
import dataclasses
import sysconfig
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CompressionCodec, CompressionOptions

LETTER = "Dear dispatcher, the truck is late. " * 2000


@activity.defn(name="codecs.shout")
async def shout(text: str) -> str:
    return text.upper()


@workflow.defn(name="CodecsShoutWorkflow")
class ShoutWorkflow:
    def __init__(self) -> None:
        self._more = ""

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: self._more != "")
        loud: str = await workflow.execute_activity(
            shout, text + self._more, activity_id="shout", start_to_close_timeout=timedelta(seconds=10)
        )
        return loud

    @workflow.signal(name="more")
    def more(self, text: str) -> None:
        self._more = text


@pytest.fixture
async def server() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


async def connect(server: Client, codec: CompressionCodec | None) -> Client:
    converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
    return await Client.connect(server.service_client.config.target_host, data_converter=converter)


def worker(client: Client) -> Worker:
    """Without the sandbox, which cannot import a test module, and without a sticky queue to wait for."""
    return Worker(
        client,
        task_queue="codecs",
        workflows=[ShoutWorkflow],
        activities=[shout],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
    )


async def stored(client: Client, workflow_id: str) -> list[Payload]:
    """Every payload of the history of the run, as the server holds it."""
    found = []
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        for kind in (
            event.workflow_execution_started_event_attributes.input,
            event.workflow_execution_signaled_event_attributes.input,
            event.activity_task_scheduled_event_attributes.input,
            event.activity_task_completed_event_attributes.result,
            event.workflow_execution_completed_event_attributes.result,
        ):
            found.extend(kind.payloads)
    return found


async def test_a_workflow_runs_on_compressed_payloads_and_the_server_holds_nothing_else(server):
    client = await connect(server, CompressionCodec())
    async with worker(client):
        handle = await client.start_workflow(ShoutWorkflow.run, LETTER, id="compressed", task_queue="codecs")
        await handle.signal(ShoutWorkflow.more, LETTER)
        assert await handle.result() == (LETTER * 2).upper()

    payloads = await stored(client, "compressed")

    assert len(payloads) == 5
    assert {payload.metadata["encoding"] for payload in payloads} == {b"binary/gzip"}
    assert sum(payload.ByteSize() for payload in payloads) < len(LETTER) / 10


async def test_a_run_that_began_without_the_codec_ends_with_it(server):
    before = await connect(server, None)
    started = await before.start_workflow(ShoutWorkflow.run, LETTER, id="before", task_queue="codecs")

    client = await connect(server, CompressionCodec())
    async with worker(client):
        await client.get_workflow_handle(started.id).signal(ShoutWorkflow.more, LETTER)
        result = await client.get_workflow_handle(started.id).result()

    assert result == (LETTER * 2).upper()
    encodings = [payload.metadata["encoding"] for payload in await stored(client, "before")]
    assert encodings == [b"json/plain", *[b"binary/gzip"] * 4]


async def test_a_run_whose_input_is_refused_waits_and_completes_once_the_limit_is_raised(server):
    client = await connect(server, CompressionCodec())
    handle = await client.start_workflow(
        ShoutWorkflow.run, LETTER, id="waits", task_queue="codecs", task_timeout=timedelta(seconds=1)
    )
    await handle.signal(ShoutWorkflow.more, "!")

    narrow = await connect(server, CompressionCodec(CompressionOptions(max_decompressed=1000)))
    async with worker(narrow):
        await until_a_workflow_task_failed(narrow, "waits")
        description = await handle.describe()
        assert description.status is not None
        assert description.status.name == "RUNNING"

    async with worker(client):
        assert await handle.result() == (LETTER + "!").upper()


async def until_a_workflow_task_failed(client: Client, workflow_id: str) -> None:
    handle = client.get_workflow_handle(workflow_id)
    async with asyncio.timeout(20):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("workflow_task_failed_event_attributes"):
                return
