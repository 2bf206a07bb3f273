"""The plugin beside what users already have on their clients and workers."""

import asyncio
import base64
import dataclasses
import uuid

import pytest
from errors_scenarios import WORKFLOWS, Activities, CallsActivity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)
from temporalio.plugin import SimplePlugin
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from trenova_errors import ConfigurationError, ErrorsPlugin
from trenova_errors._plugin import _workflow_runner
from trenova_errors.pydantic import InputPayloadConverter

LIMIT = 20


class Base64Codec(PayloadCodec):
    async def encode(self, payloads):
        return [
            Payload(metadata={"encoding": b"binary/base64"}, data=base64.b64encode(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads):
        return [
            Payload.FromString(base64.b64decode(payload.data))
            if payload.metadata.get("encoding") == b"binary/base64"
            else payload
            for payload in payloads
        ]


class CodecPlugin(SimplePlugin):
    """A plugin that knows nothing of ours and adds a codec to what is there."""

    def __init__(self, **options) -> None:
        def with_codec(existing):
            return dataclasses.replace(existing, payload_codec=Base64Codec(), **options)

        super().__init__("codec", data_converter=with_codec)


class OwnPydantic(PydanticPayloadConverter):
    def __init__(self) -> None:
        super().__init__(max_cached_type_adapters=7)


class OwnFormat(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(JSONPlainPayloadConverter())


async def _failed(client, activities):
    queue = f"q-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=activities.all):
        handle = await client.start_workflow(
            CallsActivity.run, args=["take", [{"orderCount": 500}]], id=f"w-{queue}", task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), LIMIT)
    return handle, caught.value.cause.cause


@pytest.mark.parametrize(
    "plugins",
    [
        pytest.param([ErrorsPlugin(), CodecPlugin()], id="errors first"),
        pytest.param([CodecPlugin(), ErrorsPlugin()], id="codec first"),
    ],
)
async def test_a_plugin_with_a_codec_composes_in_either_order(server, plugins):
    client = await Client.connect(server, plugins=plugins)

    handle, error = await _failed(client, Activities())

    assert (error.type, error.message) == (
        "invalid_input",
        "orderCount: Input should be less than or equal to 100",
    )
    assert error.details[0]["code"] == "payload"
    assert b"orderCount" not in (await handle.fetch_history()).events[0].SerializeToString()


async def test_encoded_attributes_stay_encoded(server):
    encoded = {"failure_converter_class": DefaultFailureConverterWithEncodedAttributes}
    client = await Client.connect(server, plugins=[CodecPlugin(**encoded), ErrorsPlugin()])

    handle, error = await _failed(client, Activities())

    assert (error.type, error.message) == (
        "invalid_input",
        "orderCount: Input should be less than or equal to 100",
    )
    plain = await Client.connect(server)
    failure = (await plain.get_workflow_handle(handle.id).fetch_history()).events[-1]
    failure = failure.workflow_execution_failed_event_attributes.failure
    assert (failure.message, failure.cause.message) == ("Encoded failure", "Encoded failure")
    assert failure.cause.application_failure_info.type == "invalid_input"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (DefaultPayloadConverter, InputPayloadConverter),
        (PydanticPayloadConverter, InputPayloadConverter),
        (InputPayloadConverter, InputPayloadConverter),
        (OwnFormat, OwnFormat),
    ],
)
async def test_the_payload_converter_is_replaced_where_it_is_the_default_or_pydantics(given, used):
    converter = DataConverter(payload_converter_class=given)

    client = await Client.connect("127.0.0.1:1", lazy=True, data_converter=converter, plugins=[ErrorsPlugin()])

    assert client.data_converter.payload_converter_class is used


async def test_a_subclass_of_pydantics_converter_is_derived_from():
    converter = DataConverter(payload_converter_class=OwnPydantic)

    client = await Client.connect("127.0.0.1:1", lazy=True, data_converter=converter, plugins=[ErrorsPlugin()])

    derived = client.data_converter.payload_converter_class
    assert issubclass(derived, InputPayloadConverter)
    assert issubclass(derived, OwnPydantic)


async def test_a_worker_whose_client_lacks_the_plugin_is_refused(server):
    client = await Client.connect(server, data_converter=pydantic_data_converter)

    with pytest.raises(ConfigurationError, match="PydanticPayloadConverter and DefaultFailureConverter"):
        Worker(client, task_queue="q", workflows=WORKFLOWS, plugins=[ErrorsPlugin()])


async def test_a_plugin_that_puts_its_own_failure_converter_in_place_is_noticed(server):
    encoded = {"failure_converter_class": DefaultFailureConverterWithEncodedAttributes}
    client = await Client.connect(server, plugins=[ErrorsPlugin(), CodecPlugin(**encoded)])

    with pytest.raises(ConfigurationError, match="after plugins that set a converter"):
        Worker(client, task_queue="q", workflows=WORKFLOWS)


def test_the_restrictions_of_a_sandbox_are_added_to():
    restrictions = SandboxRestrictions.default.with_passthrough_modules("mine")

    runner = _workflow_runner(SandboxedWorkflowRunner(restrictions=restrictions))

    assert {"mine", "trenova_errors", "pydantic"} <= runner.restrictions.passthrough_modules
    assert runner.restrictions.invalid_module_members is restrictions.invalid_module_members


def test_a_runner_without_a_sandbox_is_left_alone():
    runner = UnsandboxedWorkflowRunner()

    assert _workflow_runner(runner) is runner
    assert isinstance(_workflow_runner(None), SandboxedWorkflowRunner)
