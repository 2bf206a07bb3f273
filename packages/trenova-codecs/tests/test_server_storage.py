"""What the server stores: nothing that was planted, on any way; and what it always stores in clear."""

import asyncio
import base64
import uuid
from pathlib import Path

import pytest
from codecs_scenarios import ACTIVITIES, WAYS, WORKFLOWS, EverythingWorkflow, plant
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    StartWorkflowInput,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.converter import DataConverter
from temporalio.worker import Worker

from trenova_codecs import CodecOptions, CodecPlugin, CompressionOptions, EncryptionOptions, KeyRing
from trenova_errors import ErrorsPlugin

pytestmark = pytest.mark.integration

KEY = bytes(range(32))
SCHEDULED = ("schedule-argument", "schedule-memo", "schedule-action-memo", "schedule-summary")
CLEAR = ("schedule-note", "search-attribute")
ENDS = ("return", "fail", "continue")
CITY = SearchAttributeKey.for_keyword("PlantedCity")


class Headers(Interceptor):
    """Plants a header, as interceptors for traces and sign-in do."""

    def intercept_client(self, next):  # noqa: A002
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput):  # noqa: A002
        (header,) = DataConverter.default.payload_converter.to_payloads([plant("header")])
        input.headers = {**input.headers, "planted": header}
        return await super().start_workflow(input)


def short(way: str) -> str:
    """Return a plant that fits where a size is limited."""
    return plant(way)[:100]


async def connect(address: str, *plugins: object) -> Client:
    return await Client.connect(address, plugins=list(plugins), interceptors=[Headers()])


async def go_every_way(client: Client) -> list[str]:
    """Return the ids of all workflows."""
    ids = await asyncio.gather(*(run_everything(client, end) for end in ENDS))
    return [found for started in ids for found in (started, f"{started}/child")]


async def run_everything(client: Client, end: str) -> str:
    queue = f"{end}-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES):
        handle = await client.start_workflow(
            EverythingWorkflow.run,
            args=[plant("start-argument"), end],
            id=queue,
            task_queue=queue,
            memo={"start": plant("start-memo")},
            static_summary=short("static-summary"),
        )
        assert await handle.query(EverythingWorkflow.ask, plant("query-argument")) == plant("query-result")
        await handle.signal(EverythingWorkflow.note, plant("signal-argument"))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(EverythingWorkflow.change, "refuse")
        assert plant("update-refusal") in str(refused.value.cause)
        changed = await handle.execute_update(EverythingWorkflow.change, plant("update-argument"))
        assert changed == plant("update-result")
        await until_ended(handle, end)
    return queue


async def until_ended(handle: WorkflowHandle, end: str) -> None:
    """Wait for the end that was asked for, and see that the caller can read it."""
    async with asyncio.timeout(60):
        if end == "return":
            assert plant("signal-argument") in await handle.result()
        elif end == "fail":
            with pytest.raises(WorkflowFailureError) as failed:
                await handle.result()
            assert failed.value.cause.message == plant("workflow-failure")
            assert failed.value.cause.type == "planted.type"
        else:
            first = handle.first_execution_run_id
            while (await handle.describe()).run_id == first:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def make_schedule(client: Client) -> str:
    name = f"schedule-{uuid.uuid4()}"
    action = ScheduleActionStartWorkflow(
        EverythingWorkflow.run,
        args=[plant("schedule-argument"), "return"],
        id=f"{name}-run",
        task_queue="nobody",
        memo={"action": plant("schedule-action-memo")},
        static_summary=short("schedule-summary"),
        typed_search_attributes=TypedSearchAttributes([SearchAttributePair(CITY, short("search-attribute"))]),
    )
    handle = await client.create_schedule(
        name,
        Schedule(action, spec=ScheduleSpec(), state=ScheduleState(note=plant("schedule-note"), paused=True)),
        memo={"schedule": plant("schedule-memo")},
    )
    await handle.trigger()
    found = await handle.describe()
    assert await found.memo_value("schedule") == plant("schedule-memo")
    await asyncio.sleep(1)
    return name


async def served(address: str, workflow_ids: list[str], schedule_id: str) -> bytes:
    """Return what the server gives to a client that knows no codec: histories and descriptions."""
    raw = await Client.connect(address)
    answers: list[bytes] = []
    for workflow_id in workflow_ids:
        execution = WorkflowExecution(workflow_id=workflow_id)
        history = await raw.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(namespace="default", execution=execution)
        )
        described = await raw.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace="default", execution=execution)
        )
        assert not history.next_page_token
        answers += [history.SerializeToString(), described.SerializeToString()]
    schedule = await raw.workflow_service.describe_schedule(
        DescribeScheduleRequest(namespace="default", schedule_id=schedule_id)
    )
    return b"".join([*answers, schedule.SerializeToString()])


def stored(database: Path) -> bytes:
    files = [database, *database.parent.glob(f"{database.name}-*")]
    return b"".join(file.read_bytes() for file in files)


def planted_in(content: bytes) -> set[str]:
    """Return the ways of which a plant is found, as it is or in base64 at any alignment."""
    return {way for way in (*WAYS, *SCHEDULED, *CLEAR) if any(form in content for form in forms(way))}


def forms(way: str) -> list[bytes]:
    text = f"planted-{way}-{way[::-1]}".encode()
    shifted = [base64.b64encode(b"x" * shift + text)[4:-4] for shift in range(3)]
    return [text, *shifted]


# No part of a history: a query leaves no trace, nor does what a local activity is given; a heartbeat goes with
# its activity.
UNSTORED = {"query-argument", "query-result", "update-refusal", "local-argument", "heartbeat", "last-heartbeat"}


async def test_without_a_codec_everything_is_found_or_the_search_would_show_nothing(own_server):
    client = await connect(own_server.address)
    workflow_ids = await go_every_way(client)
    schedule_id = await make_schedule(client)

    found = planted_in(await served(own_server.address, workflow_ids, schedule_id) + stored(own_server.database))

    assert found >= {*WAYS, *SCHEDULED, *CLEAR} - UNSTORED


@pytest.mark.parametrize(
    ("format_", "compression", "errors_first"),
    [("compat", CompressionOptions(), True), ("v2", None, False), ("v2", CompressionOptions(algorithm="zstd"), False)],
)
async def test_nothing_that_was_planted_is_served_or_stored_in_clear(own_server, format_, compression, errors_first):
    options = CodecOptions(encryption=EncryptionOptions(format=format_), compression=compression)
    codec = CodecPlugin(options, ring=KeyRing.from_keys({"k1": KEY[::-1]}, active="k1"))
    client = await connect(own_server.address, *([ErrorsPlugin(), codec] if errors_first else [codec, ErrorsPlugin()]))
    workflow_ids = await go_every_way(client)
    schedule_id = await make_schedule(client)

    answers = await served(own_server.address, workflow_ids, schedule_id)

    assert planted_in(answers + stored(own_server.database)) == set(CLEAR)
    assert b"Encoded failure" in answers
    assert b"planted.type" in answers
    assert (b"binary/encrypted" if format_ == "compat" else b"binary/trenova-encrypted-v2") in answers


async def test_compression_alone_leaves_short_payloads_readable(own_server):
    codec = CodecPlugin(CodecOptions(encryption=None))
    client = await connect(own_server.address, codec)
    workflow_id = await run_everything(client, "return")
    raw = await Client.connect(own_server.address)

    encodings = set()
    async for event in raw.get_workflow_handle(workflow_id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            payloads: list[Payload] = list(event.workflow_execution_started_event_attributes.input.payloads)
            encodings = {payload.metadata["encoding"] for payload in payloads}

    assert encodings == {b"binary/gzip", b"json/plain"}
