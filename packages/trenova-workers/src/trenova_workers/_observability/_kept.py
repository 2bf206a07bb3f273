"""What leaves the process of a span: no text of an exception, and of an address no more than the host.

A failure's text may quote a payload, and the path of a webhook may be the only secret that it has. The class of the
exception, the kind of failure and the trace itself stay; the log line of the failure has the same trace id.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

_TEXTS: Final = frozenset({"exception.message", "exception.stacktrace"})
_CLIENT_URLS: Final = frozenset({"http.url", "url.full"})
_QUERIES: Final = frozenset({"url.query", "http.target"})


class KeptExporter(SpanExporter):
    """Sends spans on without the texts that they must not carry.

    Args:
        inner: Who sends them.
    """

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See base class."""
        return self._inner.export([_kept(span) for span in spans])

    def shutdown(self) -> None:
        """See base class."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """See base class."""
        return self._inner.force_flush(timeout_millis)


def _kept(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes or {}),
        events=[_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _event(event: Event) -> Event:
    kept = {key: value for key, value in (event.attributes or {}).items() if key not in _TEXTS}
    return Event(event.name, kept, event.timestamp)


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _attribute(key, value) for key, value in attributes.items() if key not in _TEXTS}


def _attribute(key: str, value: Any) -> Any:
    if key in _CLIENT_URLS:
        parts = urlsplit(str(value))
        return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    return "" if key == "url.query" else str(value).partition("?")[0] if key in _QUERIES else value
