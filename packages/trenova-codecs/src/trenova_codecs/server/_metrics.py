"""What the codec server counts, through ``opentelemetry-api``; labels are bounded."""

from opentelemetry import metrics

from trenova_codecs.server._audit import CodecEvent


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
            "trenova_codecs_server_duration", unit="s", description="Seconds from a request's head to its answer."
        )

    def count(self, event: CodecEvent, seconds: float) -> None:
        """Count one request; the namespace is one of those that are configured."""
        labels = {"operation": event.operation, "namespace": event.namespace}
        self._requests.add(1, labels | {"outcome": event.outcome})
        self._seconds.record(seconds, labels)
        if event.outcome == "done":
            self._payloads.add(event.payloads, labels)
