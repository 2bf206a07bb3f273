"""Joins log lines to traces."""

import logging

from opentelemetry import trace


class TraceIds(logging.Filter):
    """Gives each record the ``trace_id`` and ``span_id`` of where it was made, in hex; give it to a handler.

    Records outside of a span stay as they are. Records of structlog's own loggers that ``configure_logging`` of
    ``trenova_errors.structlog`` sends by way of the standard library get the keys as well.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """See base class; lets everything through."""
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            ids = {
                "trace_id": trace.format_trace_id(context.trace_id),
                "span_id": trace.format_span_id(context.span_id),
            }
            if isinstance(record.msg, dict):
                record.msg = {**ids, **record.msg}
            else:
                record.__dict__.update(ids)
        return True
