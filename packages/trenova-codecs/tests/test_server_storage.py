"""What the server stores: nothing that was planted, on any way; and what it always stores in clear."""

import asyncio
import base64
import json
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from codecs_scenarios import ACTIVITIES, WAYS, WORKFLOWS, EverythingWorkflow, plant
from google.protobuf.json_format import MessageToDict
from temporalio.api.enums.v1 import EventType
from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    StartWorkflowInput,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import OutboundInterceptor
from temporalio.converter import DataConverter
from temporalio.worker import Worker

from trenova_codecs import CodecOptions, CodecPlugin, CompressionOptions, EncryptionOptions, KeyRing
from trenova_errors import ErrorsPlugin

KEY = bytes(range(32))
SCHEDULED = ("schedule-argument", "schedule-memo", "schedule-action-memo", "schedule-summary")


class Headers(ClientInterceptor):
    """Plants a header, as interceptors for traces and sign-in do."""

    def intercept_client(self, next):  # noqa: A002
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput):  # noqa: A002
        (header,) = DataConverter.default.payload_converter.to_payloads([plant("header")])
        input.headers = {**input.headers, "planted": header}
        return await super().start_workflow(input)


def plugin(format_: str, compression: CompressionOptions | None) -> CodecPlugin:
    options = CodecOptions(encryption=EncryptionOptions(format=format_, prove_keys=False), compression=compression)
    return CodecPlugin(options, ring=KeyRing.from_keys({"k1": KEY}, active="k1"))


async def run_everything(client: Client, name: str, end: str) -> str:
    """Go every way once; return the id of the workflow."""
    queue = f"{name}-{end}-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES):
        handle = await client.start_workflow(
            EverythingWorkflow.run,
            args=[plant("start-argument"), end],
            id=queue,
            task_queue=queue,
            memo={"start": plant("start-memo")},
            static_summary=plant("static-summary"),
            task_timeout=timedelta(seconds=5),
        )
        assert await handle.query(EverythingWorkflow.ask, plant("query-argument")) == plant("query-result")
        await handle.signal(EverythingWorkflow.note, plant("signal-argument"))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(EverythingWorkflow.change, "refuse")
        assert plant("update-refusal") in str(refused.value.cause)
        changed = await handle.execute_update(EverythingWorkflow.change, plant("update-argument"))
        assert changed == plant("update-result")
        await finish(handle, end)
    return queue


async def finish(handle, end: str) -> None:
    if end == "fail":
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 30)
        assert failed.value.cause.message == plant("workflow-failure")
    elif end == "continue":
        await asyncio.wait_for(handle.result(follow_runs=False), 30) if False else await until_continued(handle)
    else:
        assert plant("signal-argument") in await asyncio.wait_for(handle.result(), 30)


async def until_continued(handle) -> None:
    async with asyncio.timeout(30):
        while True:
            async for event in handle.fetch_history_events(event_filter_type=2):
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                    await handle.terminate()
                    return
            await asyncio.sleep(0.1)
