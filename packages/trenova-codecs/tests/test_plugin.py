import base64
import dataclasses
import os
import subprocess
import sys
import uuid
from datetime import date, timedelta

import pytest
from pydantic import ValidationError
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import HeaderCodecBehavior, RetryPolicy
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    ExternalStorage,
    FailureConverter,
    PayloadCodec,
)
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import GrpcCompression
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from trenova_codecs import (
    CodecChain,
    CodecOptions,
    CodecPlugin,
    CompressionOptions,
    EncryptionCodec,
    EncryptionOptions,
    Key,
    KeyFile,
    KeyRing,
    KeyState,
    NoActiveKeyError,
    Side,
)
from trenova_codecs._failures import encoding
from trenova_errors import ConfigurationError, ErrorsPlugin, PayloadTooLargeError

SECRET = bytes(range(60, 92))


def ring() -> KeyRing:
    return KeyRing.from_keys({"k1": SECRET}, active="k1")


def plugin(**encryption: object) -> CodecPlugin:
    return CodecPlugin(CodecOptions(encryption=EncryptionOptions(**encryption)), ring=ring())


@activity.defn(name="codecs.size")
async def grow(size: int) -> str:
    return os.urandom(size // 2).hex()


@workflow.defn(name="codecs.Grow")
class GrowWorkflow:
    @workflow.run
    async def run(self, size: int) -> int:
        text = await workflow.execute_activity(
            grow, size, start_to_close_timeout=timedelta(seconds=20), retry_policy=RetryPolicy(maximum_attempts=3)
        )
        return len(text)


class Marking(PayloadCodec):
    """A codec that was there before."""

    async def encode(self, payloads):
        return [type(p)(metadata={**p.metadata, "marked": b"yes"}, data=p.data) for p in payloads]

    async def decode(self, payloads):
        assert all(payload.metadata["marked"] == b"yes" for payload in payloads)
        return [type(p)(metadata={k: v for k, v in p.metadata.items() if k != "marked"}, data=p.data) for p in payloads]


@pytest.mark.parametrize("errors_first", [True, False])
async def test_it_composes_with_the_errors_plugin_in_either_order(dev_server, errors_first):
    codec = plugin()
    plugins = [ErrorsPlugin(), codec] if errors_first else [codec, ErrorsPlugin()]
    client = await Client.connect(dev_server.address, plugins=plugins)
    assert client.config(active_config=True)["header_codec_behavior"] is HeaderCodecBehavior.CODEC
    assert isinstance(client.data_converter.payload_codec, CodecChain)
    assert client.data_converter.failure_converter._encode_common_attributes
    queue = f"compose-{uuid.uuid4()}"

    async with Worker(
        client,
        task_queue=queue,
        workflows=[GrowWorkflow],
        activities=[grow],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        assert await client.execute_workflow(GrowWorkflow.run, 10, id=queue, task_queue=queue) == 10
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("codecs.Grow", args=[], id=f"{queue}-2", task_queue=queue)
    assert failed.value.cause.type == "invalid_input"
    assert codec.side is Side.WORKER


async def test_a_result_that_is_too_large_fails_at_once_and_says_so(dev_server):
    client = await Client.connect(dev_server.address, plugins=[plugin(), ErrorsPlugin()])
    queue = f"large-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[GrowWorkflow],
        activities=[grow],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(GrowWorkflow.run, 5_000_000, id=queue, task_queue=queue)
        with pytest.raises(PayloadTooLargeError, match="Temporal takes 2097152 in one field"):
            await client.start_workflow(
                GrowWorkflow.run, args=[os.urandom(2_100_000)], id=f"{queue}-2", task_queue=queue
            )

    activity_error = failed.value.cause
    assert isinstance(activity_error, ActivityError)
    assert isinstance(activity_error.cause, ApplicationError)
    assert (activity_error.cause.type, activity_error.cause.non_retryable) == ("payload_too_large", True)


def test_a_worker_whose_client_encodes_without_it_is_refused():
    config = {"client": type("Bare", (), {"data_converter": DataConverter.default})()}

    with pytest.raises(ConfigurationError, match="its client encodes without it"):
        plugin().configure_worker(config)


def test_it_is_applied_once_and_a_second_codec_of_ours_is_refused():
    one = plugin()
    converter = one._data_converter(None)

    assert one._data_converter(converter) is converter
    with pytest.raises(ConfigurationError, match="has a CodecChain already"):
        plugin()._data_converter(converter)
    with pytest.raises(ConfigurationError, match="has a EncryptionCodec already"):
        plugin()._data_converter(dataclasses.replace(DataConverter.default, payload_codec=EncryptionCodec(ring())))


async def test_a_codec_that_is_there_acts_before():
    converter = plugin()._data_converter(dataclasses.replace(DataConverter.default, payload_codec=Marking()))

    (sealed,) = await converter.encode(["Reno"])

    assert set(sealed.metadata) == {"encoding", "encryption-key-id"}
    assert await converter.decode([sealed]) == ["Reno"]


async def test_external_storage_takes_what_temporal_would_not():
    limited = plugin()._data_converter(None).payload_codec
    storing = dataclasses.replace(DataConverter.default, external_storage=object.__new__(ExternalStorage))

    assert limited.max_encoded == 2 * 1024 * 1024
    assert plugin()._data_converter(storing).payload_codec.max_encoded is None


@pytest.mark.parametrize("compressed", [True, False])
async def test_the_connection_does_not_compress_what_is_encrypted(dev_server, compressed):
    client = await Client.connect(dev_server.address, plugins=[plugin(grpc_compression=compressed)])

    used = client.service_client.config.grpc_compression
    assert used is (GrpcCompression.GZIP if compressed else GrpcCompression.NONE)


async def test_nothing_connects_without_a_key_to_encrypt_with():
    locked = KeyRing([Key("k1", SECRET, state=KeyState.DECRYPT_ONLY)])
    with pytest.raises(NoActiveKeyError, match="holds k1, none of which is active") as caught:
        await Client.connect("127.0.0.1:1", plugins=[CodecPlugin(ring=locked)])
    assert caught.value.type == "configuration"


class _OwnWithOption(DefaultFailureConverter):
    pass


class _OwnEncoding(DefaultFailureConverterWithEncodedAttributes):
    pass


class _OwnWithoutOption(DefaultFailureConverter):
    def __init__(self) -> None:
        super().__init__()


class _Foreign(FailureConverter):
    pass


def test_failure_converters_are_told_to_encode_or_named_where_they_cannot_be():
    assert encoding(_OwnEncoding) is _OwnEncoding
    assert issubclass(encoding(_OwnWithOption), _OwnWithOption)
    assert encoding(_OwnWithOption)()._encode_common_attributes
    assert encoding(encoding(_OwnWithOption)) is encoding(_OwnWithOption)
    for converter in (_OwnWithoutOption, _Foreign):
        with pytest.raises(ConfigurationError, match=f"{converter.__name__} cannot be told to encode"):
            encoding(converter)


async def test_failures_and_headers_may_be_left_in_clear():
    bare = plugin(failures=False, headers=False)

    assert not bare._data_converter(None).failure_converter_class()._encode_common_attributes
    assert not bare._encodes_headers()


def test_a_replayer_is_a_worker():
    one = plugin()
    replayer = Replayer(workflows=[GrowWorkflow], workflow_runner=UnsandboxedWorkflowRunner(), plugins=[one])

    assert one.side is Side.WORKER
    assert replayer.config(active_config=True)["header_codec_behavior"] is HeaderCodecBehavior.CODEC


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encryption": None, "compression": None}, "leave the codec out instead"),
        ({"encryption": {"format": "v3"}}, "format"),
        ({"encryption": {"keys": {"source": "vault"}}}, "source"),
        ({"encryption": None, "max_encoded": 10}, "max_encoded"),
        ({"compression": None}, "encryption"),
        ({"encryption": None, "surprise": 1}, "surprise"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        CodecOptions.model_validate(options)


def test_settings_may_come_as_plain_values(tmp_path):
    options = CodecOptions.model_validate(
        {
            "encryption": {"keys": {"source": "file", "path": str(tmp_path / "ring.json")}, "format": "v2"},
            "compression": {"algorithm": "zstd", "level": 3},
        }
    )

    assert options.compression == CompressionOptions(algorithm="zstd", level=3)
    assert options.encryption.keys == KeyFile(path=tmp_path / "ring.json")
    with pytest.raises(ValidationError, match="frozen"):
        options.max_encoded = 1


def test_keys_have_to_come_from_somewhere_and_only_with_encryption():
    with pytest.raises(ConfigurationError, match="names no keys"):
        CodecPlugin()
    with pytest.raises(ConfigurationError, match="encryption is off, a ring was given"):
        CodecPlugin(CodecOptions(encryption=None), ring=ring())


def test_keys_may_come_from_the_environment_that_is_given():
    environ = {
        "TEMPORAL_ENCRYPTION_KEY_k7": base64.b64encode(os.urandom(32)).decode(),
        "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k7",
    }
    options = CodecOptions.model_validate({"encryption": {"keys": {"source": "environment"}}})

    assert CodecPlugin(options, environ=environ).ring.active().id == "k7"


def test_decoding_needs_neither_pydantic_nor_a_worker_to_be_imported():
    code = "import sys, trenova_codecs; print([m for m in ('pydantic', 'temporalio.worker') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


WHY = "made up data of the load test"
CLEAR = [
    {"encryption": None},
    {"encryption": EncryptionOptions(on_plaintext="warn")},
    {"encryption": EncryptionOptions(on_plaintext="allow")},
]


@pytest.mark.parametrize("told", CLEAR)
@pytest.mark.parametrize("env", ["staging", "prod"])
def test_outside_development_what_leaves_payloads_in_clear_has_to_say_why(told, env, caplog):
    with pytest.raises(ConfigurationError, match=r"codec\.plain_because"):
        CodecOptions(**told).require_protection(env)

    CodecOptions(**told, plain_because=WHY).require_protection(env)
    assert [(one.levelname, WHY in one.getMessage()) for one in caplog.records] == [("WARNING", True)]


@pytest.mark.parametrize("told", CLEAR)
def test_in_development_nobody_has_to_say_why(told, caplog):
    options = CodecOptions(**told)

    assert options.require_protection("dev") is options
    assert caplog.records == []


def test_a_reason_that_has_outlived_what_it_is_for_is_refused():
    with pytest.raises(ValidationError, match="nothing may be in clear: remove it"):
        CodecOptions(encryption=EncryptionOptions(plaintext_until=date(2030, 1, 1)), plain_because=WHY)
