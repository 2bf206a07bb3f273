"""The server's own exporter: all metrics of this process in Prometheus' text format.

Libraries only emit; choosing an exporter is the process's business, which here is the command's that serves.
"""

from collections.abc import Callable

Exposition = Callable[[], bytes]
"""Returns all metrics in Prometheus' text format."""


def expose_metrics() -> Exposition:
    """Become the process's meter provider and return what renders it."""
    from opentelemetry import metrics
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider
    from prometheus_client import REGISTRY, generate_latest

    metrics.set_meter_provider(MeterProvider(metric_readers=[PrometheusMetricReader()]))
    return lambda: generate_latest(REGISTRY)
