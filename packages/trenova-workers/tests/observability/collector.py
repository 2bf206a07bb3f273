"""A collector as OTLP's specification has it: it keeps what it is sent, over gRPC and over HTTP."""

import gzip
import threading
from collections.abc import Iterable, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Span:
    """One span as it came over the wire."""

    service: str
    name: str
    trace: str
    id: str
    parent: str | None
    attributes: Mapping[str, str]
    events: tuple[Mapping[str, str], ...]
    failed: bool
    resource: Mapping[str, str]
    started: int
    ended: int


@dataclass
class Collector:
    """Listens on two ports that the system chose."""

    spans: list[Span] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    grpc_url: str = ""
    http_url: str = ""

    def start(self) -> None:
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(self), self._grpc)
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(self), self._grpc)
        self.grpc_url = f"http://127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"
        self._grpc.start()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"collector": self}))
        self.http_url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._grpc.stop(None)
        self._http.shutdown()
        self._http.server_close()

    def take_spans(self, request: trace_service_pb2.ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            of = _read(resource.resource.attributes)
            self.spans += [_span(of, span) for scope in resource.scope_spans for span in scope.spans]

    def take_metrics(self, request: metrics_service_pb2.ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics.update({metric.name: metric for metric in scope.metrics})

    def named(self, name: str, *, within: str | None = None) -> list[Span]:
        return [span for span in list(self.spans) if span.name == name and within in (None, span.trace)]

    def trace(self, trace: str) -> list[Span]:
        return [span for span in list(self.spans) if span.trace == trace]


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        self.collector.headers.append({item.key: item.value for item in context.invocation_metadata()})
        self.collector.take_spans(request)
        return trace_service_pb2.ExportTraceServiceResponse()


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        self.collector.take_metrics(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()


class _Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.collector.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/v1/traces":
            self.collector.take_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(body))
        elif self.path == "/v1/metrics":
            self.collector.take_metrics(metrics_service_pb2.ExportMetricsServiceRequest.FromString(body))
        self.send_response(200 if self.path in ("/v1/traces", "/v1/metrics") else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _span(resource: Mapping[str, str], span: Any) -> Span:
    return Span(
        service=resource["service.name"],
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex() or None,
        attributes=_read(span.attributes),
        events=tuple({"name": event.name, **_read(event.attributes)} for event in span.events),
        failed=span.status.code == 2,
        resource=resource,
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _read(attributes: Iterable[Any]) -> dict[str, str]:
    return {one.key: str(getattr(one.value, one.value.WhichOneof("value") or "string_value")) for one in attributes}
