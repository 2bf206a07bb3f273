"""Codecs for a client, its workers and a replayer, as one plugin."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from weakref import WeakSet

from temporalio.api.common.v1 import Payload
from temporalio.client import ClientConfig, WorkflowHistory
from temporalio.common import HeaderCodecBehavior
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.service import ConnectConfig, GrpcCompression, ServiceClient
from temporalio.worker import Replayer, ReplayerConfig, Worker, WorkerConfig, WorkflowReplayResult, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from trenova_codecs._attestation import PLUGIN_NAME
from trenova_codecs._attestation_worker import KeyAttestation
from trenova_codecs._chain import CodecChain
from trenova_codecs._failures import encoding, waiting
from trenova_codecs._keys import KeyProvider
from trenova_codecs._options import CodecOptions, EncryptionOptions
from trenova_codecs._pipeline import Pipeline
from trenova_codecs._sdk_log import one_line_each
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError

_PASSTHROUGH = (
    "_cffi_backend",
    "cryptography",
    "isal",
    "opentelemetry",
    "trenova_codecs",
    "trenova_errors",
    "zstandard",
)
_CHECKED = (b'"self-check"', b'"self-check of a payload that is compressed"' * 100)


class CodecPlugin(SimplePlugin):
    """Encrypt and compress whatever goes to the server, and read whatever was written before.

    Give it to ``Client.connect(plugins=[CodecPlugin(ring=...)])``; the client hands it on to its workers. To a
    ``Replayer`` it is given directly. It keeps the payload converter and the external storage that are there,
    puts a payload codec that is there before its own, and composes with ``trenova_errors.ErrorsPlugin`` in
    either order. One ring is used by everything that the plugin is given to.

    From the first worker on, errors are those of a worker for every client that shares the plugin: a run that
    cannot be decoded waits. Connecting and starting a worker first try a payload out and back.

    Args:
        options: None for encryption and compression with their defaults.
        ring: The keys; None to open what ``options.encryption.keys`` names.
        environ: The environment of the process, where the keys are in it.

    Raises:
        ConfigurationError: There is encryption without keys, or keys that are none.
        CodecError: The keys cannot be read.
    """

    def __init__(
        self,
        options: CodecOptions | None = None,
        *,
        ring: KeyProvider | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.options = options or CodecOptions(encryption=EncryptionOptions())
        self.ring = ring if ring is not None else self.options.open_ring(environ or {})
        self.codec = self.options.chain(self.ring)
        self._chains: WeakSet[CodecChain] = WeakSet([self.codec])
        proves = self.options.encryption is not None and self.options.encryption.prove_keys
        self._attestation = KeyAttestation(self.ring) if proves and self.ring is not None else None
        super().__init__(PLUGIN_NAME, data_converter=self._data_converter, workflow_runner=_workflow_runner)

    def name(self) -> str:
        """See base class; with a ring it names the process, so that its workers can be asked for their keys."""
        return PLUGIN_NAME if self._attestation is None else self._attestation.plugin_name(PLUGIN_NAME)

    @property
    def side(self) -> Side:
        """Where errors are met."""
        return self.codec.side

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """See base class.

        Raises:
            ConfigurationError: There is already a codec of this package, or a failure converter that cannot
                encode messages and stack traces.
        """
        config = super().configure_client(config)
        if self._encodes_headers() and config["header_codec_behavior"] == HeaderCodecBehavior.NO_CODEC:
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002
    ) -> ServiceClient:
        """See base class; tries the codec first, and lets the connection compress nothing that is encrypted.

        Raises:
            CodecError: It does not work, e.g. for want of an active key.
        """
        await self._check()
        if self.options.encryption is not None and not self.options.encryption.grpc_compression:
            config = dataclasses.replace(config, grpc_compression=GrpcCompression.NONE)
        return await super().connect_service_client(config, next)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class.

        Raises:
            ConfigurationError: The worker's client does not use this plugin, or another has replaced what it
                set there.
        """
        found = config["client"].data_converter
        if self._data_converter(found) is not found:
            raise ConfigurationError(
                "CodecPlugin is on the worker, but its client encodes without it. Pass the same CodecPlugin to "
                "Client.connect(plugins=[...]), after plugins that replace the data converter."
            )
        self._serve_worker()
        return super().configure_worker(config)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """See base class."""
        self._serve_worker()
        config = super().configure_replayer(config)
        given = config.get("header_codec_behavior", HeaderCodecBehavior.NO_CODEC)
        if self._encodes_headers() and given == HeaderCodecBehavior.NO_CODEC:
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """See base class; tries the codec first, and answers for its keys while the worker runs.

        While it runs, a task that cannot be decoded has one line at its attempts 1, 10, 100 and so on, in place of the
        SDK's traceback at each.

        Raises:
            CodecError: The codec does not work, e.g. for want of an active key.
        """
        await self._check()
        answering = nullcontext() if self._attestation is None else self._attestation.answering(worker.client)
        async with answering:
            with one_line_each():
                await super().run_worker(worker, next)

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[  # noqa: A002
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """See base class; tries the codec first.

        Raises:
            CodecError: It does not work.
        """
        await self._check()
        async with super().run_replayer(replayer, histories, next) as results:
            yield results

    def _serve_worker(self) -> None:
        for chain in self._chains:
            chain.side = Side.WORKER

    def _encodes_headers(self) -> bool:
        return self.options.encryption is not None and self.options.encryption.headers

    def _data_converter(self, existing: DataConverter | None) -> DataConverter:
        """Return a converter with the codec and the failure converter; the one given if it has them already."""
        existing = existing or DataConverter.default
        codec = self._codec_with(existing)
        failures = existing.failure_converter_class
        if self.options.encryption is not None and self.options.encryption.failures:
            failures = encoding(failures)
        failures = waiting(failures)
        if codec is existing.payload_codec and failures is existing.failure_converter_class:
            return existing
        return dataclasses.replace(existing, payload_codec=codec, failure_converter_class=failures)

    def _codec_with(self, existing: DataConverter) -> CodecChain:
        """Return a chain of ours behind a codec that is there; a payload in external storage has no limit."""
        there = existing.payload_codec
        if isinstance(there, CodecChain) and there in self._chains:
            return there
        if isinstance(there, CodecChain | Pipeline):
            raise ConfigurationError(
                f"The data converter has a {type(there).__name__} already, and CodecPlugin would encode once more. "
                "Leave one of the two out."
            )
        most = self.options.max_encoded if existing.external_storage is None else None
        before: Sequence[PayloadCodec] = () if there is None else (there,)
        chain = self.codec.following(before, max_encoded=most)
        self._chains.add(chain)
        return chain

    async def _check(self) -> None:
        """Encode and decode one payload of each kind."""
        payloads = [Payload(metadata={"encoding": b"json/plain"}, data=data) for data in _CHECKED]
        if await self.codec.decode(await self.codec.encode(payloads)) != payloads:
            raise ConfigurationError("The codec does not give back what it was given. Report this with its options.")


def _workflow_runner(existing: WorkflowRunner | None) -> WorkflowRunner:
    """Let the workflow sandbox share what it cannot import a second time, cryptography above all."""
    if existing is None:
        existing = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default)
    if not isinstance(existing, SandboxedWorkflowRunner):
        return existing
    restrictions = existing.restrictions.with_passthrough_modules(*_PASSTHROUGH)
    return dataclasses.replace(existing, restrictions=restrictions)
