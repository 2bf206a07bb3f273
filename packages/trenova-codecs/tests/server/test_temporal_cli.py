"""Temporal's own command line, on a real server whose histories are encrypted."""

import asyncio
import dataclasses
import sysconfig
import time
import uuid
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CodecChain, CompressionCodec, EncryptionCodec
from trenova_codecs.server import CodecServerOptions, NamespaceOptions

BINARY = Path(sysconfig.get_path("scripts")) / "temporal"


@workflow.defn(name="CodecsEchoWorkflow")
class EchoWorkflow:
    @workflow.run
    async def run(self, text: str, fails: bool) -> str:  # noqa: FBT001  # arguments of workflows have no names
        if fails:
            raise ApplicationError(f"no truck for {text}", type="no_truck")
        return f"echo {text}"


@pytest.fixture
async def temporal():
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARY), dev_server_log_level="error"
    ) as environment:
        yield environment.client.service_client.config.target_host


@pytest.fixture
async def client(temporal, ring):
    converter = dataclasses.replace(
        DataConverter.default,
        payload_codec=CodecChain.outbound(CompressionCodec(), EncryptionCodec(ring)),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    client = await Client.connect(temporal, data_converter=converter)
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[EchoWorkflow], workflow_runner=UnsandboxedWorkflowRunner()):
        await client.execute_workflow(EchoWorkflow.run, args=["planted-rate", False], id="good", task_queue=queue)
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(EchoWorkflow.run, args=["planted-rate", True], id="bad", task_queue=queue)
    return client


@pytest.fixture
async def codec(serve, options):
    """The codec server, in which the namespace of the dev server has the keys of payments."""
    namespaces = {**options.namespaces, "default": NamespaceOptions(keys=("pay-*",))}
    return await serve(CodecServerOptions.model_validate({**dict(options), "namespaces": namespaces}))


@pytest.fixture
def show(temporal, client, codec):
    async def run(*arguments, verb="show", workflow_id="good", path="", token=None):
        command = ["workflow", verb, "--address", temporal, "--workflow-id", workflow_id, "--command-timeout", "8s"]
        if token is not None:
            command += ["--codec-endpoint", f"{codec.url}{path}", "--codec-auth", f"Bearer {token}"]
        process = await asyncio.create_subprocess_exec(
            str(BINARY), *command, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode() + err.decode()

    return run


async def test_it_decodes_with_the_right_sign_in_and_nothing_without(show, codec):
    issuer = codec.issuer
    good = issuer.token(permissions=["default:read"])
    (status, shown), (_, prefixed), (_, keyed), (_, bare) = await asyncio.gather(
        show(token=good),
        show(token=good, path="/codec/{namespace}"),
        show(token=codec.access.sign_in.key),
        show(),
    )

    assert status == 0
    assert "echo planted-rate" in shown
    assert "echo planted-rate" in prefixed
    assert "echo planted-rate" in keyed
    assert "planted" not in bare
    assert {event.namespace for event in codec.events} == {"default"}
    assert {event.subject for event in codec.events} == {"ada", "local"}


@pytest.mark.integration  # a refusal lets the command line wait for its own time limit
async def test_it_does_not_decode_for_those_who_may_not(show, codec):
    issuer = codec.issuer
    may = {"permissions": ["default:read"]}
    unsigned = issuer.token(**may).split(".")
    tokens = {
        "another namespace": issuer.token(permissions=["payments:write"]),
        "another audience": issuer.token(aud="temporal", **may),
        "expired": issuer.token(exp=int(time.time()) - 300, **may),
        "alg none": f"eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{unsigned[1]}.",
        "no credential": "",
    }

    ended = await asyncio.gather(*(show(token=token) for token in tokens.values()))

    for how, (_, shown) in zip(tokens, ended, strict=True):
        assert "planted" not in shown, how
    assert codec.events == []


@pytest.mark.integration
async def test_the_keys_of_another_namespace_stay_out_of_reach(show, serve, options, temporal, client):
    namespaces = {**options.namespaces, "default": NamespaceOptions(keys=("ship-1",))}
    codec = await serve(CodecServerOptions.model_validate({**dict(options), "namespaces": namespaces}))
    flags = ("--codec-endpoint", codec.url, "--codec-auth", f"Bearer {codec.access.sign_in.key}")

    _, shown = await show(*flags)

    assert "planted" not in shown
    assert {event.outcome for event in codec.events} == {"codec.key_not_assigned"}


async def test_the_command_line_encodes_what_a_worker_reads(client, temporal, codec):
    queue = str(uuid.uuid4())
    token = codec.issuer.token(permissions=["default:write"])
    command = ["workflow", "start", "--address", temporal, "--workflow-id", "typed", "--type", "CodecsEchoWorkflow"]
    command += ["--task-queue", queue, "--input", '"typed-rate"', "--input", "false"]
    command += ["--codec-endpoint", codec.url, "--codec-auth", f"Bearer {token}"]
    process = await asyncio.create_subprocess_exec(str(BINARY), *command, stdout=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(process.wait(), 60) == 0

    async with Worker(client, task_queue=queue, workflows=[EchoWorkflow], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = client.get_workflow_handle("typed")
        assert await asyncio.wait_for(handle.result(), 30) == "echo typed-rate"
    (start,) = [event async for event in handle.fetch_history_events() if event.event_id == 1]
    assert [one.metadata["encoding"] for one in start.workflow_execution_started_event_attributes.input.payloads] == [
        b"binary/encrypted"
    ] * 2
