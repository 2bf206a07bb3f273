"""The SDK's runtime: its log, its reports to the server, and where its metrics go."""

import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    OpenTelemetryConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from trenova_errors import ConfigurationError
from trenova_workers._history import HISTORY_BUCKETS
from trenova_workers._observability._meters import write_to
from trenova_workers._tuning._metrics import MetricsOptions

if TYPE_CHECKING:
    from trenova_workers._options import WorkerOptions

# Another process may take a free port between our look and the SDK's bind.
_PORT_ATTEMPTS = 5


@dataclass(frozen=True)
class Telemetry:
    """The runtime, and where its metrics are: the URL to scrape, the collector, or ``None``."""

    runtime: Runtime
    metrics: str | None


def make_telemetry(
    options: "WorkerOptions", tags: Mapping[str, str], buckets: Mapping[str, Sequence[float]] = MappingProxyType({})
) -> Telemetry:
    """Start the SDK's runtime; what libraries count goes to it too if it has an exporter.

    Args:
        options: How often the server is told of the worker, and where metrics go.
        tags: On every metric; those of the options are added and win.
        buckets: Of histograms, by name without prefix and unit; those of the options win.

    Raises:
        ConfigurationError: The address for scrapes cannot be bound.
    """
    metrics = options.metrics
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        port = metrics.port or _free_port(metrics)
        try:
            runtime = _runtime(options, tags, port, buckets)
        except (RuntimeError, ValueError) as error:
            if metrics.exporter == "prometheus" and metrics.port == 0 and attempt < _PORT_ATTEMPTS:
                continue
            raise _refused(metrics, port, error) from None
        if metrics.exporter != "none":
            write_to(runtime.metric_meter, {**tags, **metrics.tags})
        return Telemetry(runtime, _where(metrics, port))
    raise AssertionError("the last attempt returns or raises")


def _free_port(metrics: MetricsOptions) -> int:
    if metrics.exporter != "prometheus":
        return 0
    family = socket.AF_INET6 if ":" in metrics.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.bind((metrics.host, 0))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise _refused(metrics, 0, error) from None


def _refused(metrics: MetricsOptions, port: int, error: Exception) -> ConfigurationError:
    if metrics.exporter == "otlp":
        return ConfigurationError(
            f"Metrics cannot be sent to {metrics.otlp_url!r}: {error}. Correct worker.metrics.otlp_url."
        )
    return ConfigurationError(
        f"Metrics cannot be answered at {_address(metrics.host, port)}: {error}. Correct worker.metrics.host and "
        "worker.metrics.port; 0 takes any free port."
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _where(metrics: MetricsOptions, port: int) -> str | None:
    if metrics.exporter == "prometheus":
        return f"http://{_address(metrics.host, port)}/metrics"
    return metrics.otlp_url if metrics.exporter == "otlp" else None


def _runtime(
    options: "WorkerOptions", tags: Mapping[str, str], port: int, buckets: Mapping[str, Sequence[float]]
) -> Runtime:
    metrics = options.metrics
    return Runtime(
        telemetry=TelemetryConfig(
            logging=_log_to_python(),
            metrics=_exporter(metrics, port, buckets),
            global_tags={**tags, **metrics.tags},
            metric_prefix=metrics.prefix,
        ),
        worker_heartbeat_interval=timedelta(seconds=options.heartbeat_interval_s),
    )


def _exporter(
    metrics: MetricsOptions, port: int, derived: Mapping[str, Sequence[float]]
) -> PrometheusConfig | OpenTelemetryConfig | None:
    buckets = {name: list(bounds) for name, bounds in {**HISTORY_BUCKETS, **derived, **metrics.buckets}.items()}
    if metrics.exporter == "prometheus":
        return PrometheusConfig(
            bind_address=_address(metrics.host, port),
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=buckets,
        )
    if metrics.exporter == "otlp":
        assert metrics.otlp_url is not None
        return OpenTelemetryConfig(
            url=metrics.otlp_url,
            metric_periodicity=timedelta(seconds=metrics.otlp_interval_s),
            durations_as_seconds=True,
            http=metrics.otlp_protocol == "http",
            histogram_bucket_overrides=buckets,
        )
    return None


def _log_to_python() -> LoggingConfig:
    """Return a log that goes to Python's; the SDK's own goes to stdout."""
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        # Among them is the whole failure of a workflow task, with the message of an exception.
        append_log_fields_to_message=False,
    )
    return LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
