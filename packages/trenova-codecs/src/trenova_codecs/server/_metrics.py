"""What the codec server counts, through ``opentelemetry-api``; labels are bounded."""

from typing import Final

from opentelemetry import metrics

from trenova_codecs.server._audit import CodecEvent

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of buckets: OpenTelemetry's default ones are for milliseconds. A payload takes less than the first."""


class ServerMetrics:
    """The instruments of one server, made once."""

    def __init__(self) -> None:
        meter = metrics.get_meter("trenova_codecs")
        self._requests = meter.create_counter(
            "trenova_codecs_server_requests", unit="1", description="Requests of the codec server, by outcome."
        )
        self._payloads = meter.create_counter(
            "trenova_codecs_server_payloads", unit="1", description="Payloads decoded or encoded for callers."
        )
        self._seconds = meter.create_histogram(
            "trenova_codecs_server_duration",
            unit="s",
            description="Seconds from a request's head to its answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def count(self, event: CodecEvent, seconds: float) -> None:
        """Count one request; the namespace is one of those that are configured."""
        labels = {"operation": event.operation, "namespace": event.namespace}
        self._requests.add(1, labels | {"outcome": event.outcome})
        self._seconds.record(seconds, labels)
        if event.outcome == "done":
            self._payloads.add(event.payloads, labels)
