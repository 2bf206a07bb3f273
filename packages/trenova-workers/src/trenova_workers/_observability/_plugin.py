"""One trace from a caller through workflows, activities, children, databases and requests."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Final

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from trenova_errors import ConfigurationError
from trenova_workers._identity import Identity
from trenova_workers._observability._options import ObservabilityOptions

_PASSTHROUGH: Final = ("opentelemetry", "trenova_workers._observability")


class ObservabilityPlugin(SimplePlugin):
    """Traces what a client asks for and what its workers do with it; needs the extra ``[observability]``.

    Give it to ``Client.connect``, first of all plugins, so that what the others do and log is within the span; the
    workers of that client have it from there. A caller needs no more than this::

        plugin = ObservabilityPlugin(ObservabilityOptions(otlp_url="http://127.0.0.1:4317"), service="tms-api")
        client = await Client.connect("localhost:7233", plugins=[plugin])

    Ids of spans in a workflow come from the run itself, so a replay makes the same and none is sent twice; a workflow's
    span is sent when its run has ended. The context travels in a header of each message, by W3C's rules.

    Args:
        options: Where spans go. None, or without a collector, takes the tracer provider that the process has set.
        service: Which service the spans are of; the identity's name wins.
        identity: More of what every span says of the process.

    Raises:
        ConfigurationError: The extra is not installed, or the process has a tracer provider that does not fit.
    """

    def __init__(
        self, options: ObservabilityOptions | None = None, *, service: str = "caller", identity: Identity | None = None
    ) -> None:
        self._options = options or ObservabilityOptions()
        self._resource = resource_of(service, identity)
        sdk = _sdk()
        super().__init__(
            "trenova.observability",
            interceptors=[sdk.OpenTelemetryInterceptor(self._options.temporal_spans)],
            workflow_runner=_with_passthrough,
            run_context=_flushed,
        )
        self._install()

    def _install(self) -> None:
        from trenova_workers._observability._instruments import instrument
        from trenova_workers._observability._provider import install, require_replay_safe

        if self._options.otlp_url is None:
            require_replay_safe()
        else:
            install(self._options, self._resource)
        instrument(self._options)


def resource_of(service: str, identity: Identity | None) -> Mapping[str, str]:
    """Return what spans say of a process, by OpenTelemetry's names."""
    if identity is None:
        return {"service.name": service}
    facts = {
        "service.name": identity.service,
        "service.instance.id": identity.instance,
        "service.version": identity.build_id,
        "host.name": identity.host,
        "process.pid": str(identity.pid),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _sdk() -> ModuleType:
    try:
        import temporalio.contrib.opentelemetry as sdk
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as _  # noqa: F401 (of the same extra)
    except ImportError as error:
        raise ConfigurationError(
            f"Traces need what is not installed ({error.name}). Install 'trenova-workers[observability]', or leave out "
            "observability.otlp_url."
        ) from None
    return sdk


def _with_passthrough(runner: WorkflowRunner | None) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner):
        return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*_PASSTHROUGH))
    assert runner is not None
    return runner


@asynccontextmanager
async def _flushed() -> AsyncIterator[None]:
    from trenova_workers._observability._provider import flush

    try:
        yield
    finally:
        await asyncio.to_thread(flush)
