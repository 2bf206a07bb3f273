"""The tracer provider of the process. OpenTelemetry knows one, and lets it be set once."""

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider, create_tracer_provider

from trenova_errors import ConfigurationError
from trenova_workers._observability._kept import KeptExporter
from trenova_workers._observability._options import ObservabilityOptions

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

_SENDING_S: Final = 3.0
"""For one batch, tries again included. A process that ends waits for the last ones, and its grace is for work."""
_lock: Final = Lock()
_installed: ObservabilityOptions | None = None


def install(options: ObservabilityOptions, resource: Mapping[str, str]) -> None:
    """Make the process's provider; the same options again change nothing.

    Args:
        options: With a collector.
        resource: What every span says of the process, by OpenTelemetry's names.

    Raises:
        ConfigurationError: The process has a provider that somebody else has set, or one with other options.
    """
    global _installed  # noqa: PLW0603 - OpenTelemetry's own is the process's too
    with _lock:
        if _installed == options:
            return
        if _installed is not None:
            raise ConfigurationError(
                f"This process traces to {_installed.otlp_url!r} already, with other options. Give all clients of one "
                "process the same ObservabilityOptions."
            )
        provider = create_tracer_provider(
            sampler=ParentBased(TraceIdRatioBased(options.sample_share)), resource=Resource.create(dict(resource))
        )
        provider.add_span_processor(_sending(options))
        trace.set_tracer_provider(provider)
        if trace.get_tracer_provider() is not provider:
            provider.shutdown()
            raise ConfigurationError(
                f"This process has set {type(trace.get_tracer_provider()).__name__} as its tracer provider. Leave that "
                "out, or leave out the options of ObservabilityPlugin, which then uses it."
            )
        _installed = options


def require_replay_safe() -> None:
    """Make sure that the provider which somebody has set does not tell each replay anew.

    Raises:
        ConfigurationError: There is none, or it does.
    """
    provider = trace.get_tracer_provider()
    if not isinstance(provider, ReplaySafeTracerProvider):
        raise ConfigurationError(
            f"The tracer provider of this process is {type(provider).__name__}, whose spans every replay would repeat. "
            "Give ObservabilityPlugin an otlp_url, or set what "
            "temporalio.contrib.opentelemetry.create_tracer_provider() makes."
        )


def flush() -> None:
    """Send what has ended, or give it up after three seconds a batch."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, ReplaySafeTracerProvider):
        provider.force_flush()


def _sending(options: ObservabilityOptions) -> "SpanProcessor":
    return BatchSpanProcessor(
        KeptExporter(_exporter(options)), schedule_delay_millis=round(options.otlp_interval_s * 1000)
    )


def _exporter(options: ObservabilityOptions) -> SpanExporter:
    headers = {name.lower(): value.get_secret_value() for name, value in options.otlp_headers.items()}
    if options.otlp_protocol == "http":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ByHttp

        return ByHttp(endpoint=options.address, headers=headers, timeout=_SENDING_S)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as ByGrpc

    plain = options.address.startswith("http://")
    return ByGrpc(endpoint=options.address, insecure=plain, headers=headers, timeout=_SENDING_S)
