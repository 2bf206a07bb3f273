"""Structured logs to stderr; called by the command line of a service, never on import."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog
import temporalio.activity
import temporalio.workflow

from trenova_workers._options import LogOptions

# The SDK's names of what it adds to a record, in ours.
_CONTEXT = {
    "workflow_id": "workflow_id",
    "workflow_run_id": "run_id",
    "run_id": "run_id",
    "workflow_type": "workflow_type",
    "activity_type": "activity_type",
    "activity_id": "activity_id",
    "attempt": "attempt",
    "task_queue": "task_queue",
}

# What it also adds: objects that say nothing new, or the arguments of an activity.
_NOISE = ("temporal_log", "__temporal_error_identifier", "activity_info", "workflow_info", "update_info")


def configure_logging(options: LogOptions, *, env: str, **context: str) -> None:
    """Send structlog's and the standard library's records to stderr in one format.

    Args:
        options: Level and format.
        env: ``dev`` makes ``auto`` mean console, anything else JSON.
        context: Added to every line, e.g. ``service`` and ``identity``.
    """
    console = options.format == "console" or (options.format == "auto" and env == "dev")
    # The plain traceback: the rich one prints local variables, and those hold payloads and secrets.
    plain = structlog.dev.plain_traceback
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _lift_context,
        _constant(context if not console else {}),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.level.upper())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # probes come every second
    for name, level in options.loggers.items():
        logging.getLogger(name).setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    # The same facts are keys of the line already.
    temporalio.activity.logger.activity_info_on_message = False
    temporalio.workflow.logger.workflow_info_on_message = False


def _lift_context(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in _NOISE:
        event.pop(key, None)
    for key in ("temporal_activity", "temporal_workflow"):
        details = event.pop(key, None)
        if isinstance(details, Mapping):
            for theirs, ours in _CONTEXT.items():
                if details.get(theirs) is not None:
                    event.setdefault(ours, details[theirs])
    return event


def _constant(context: Mapping[str, str]) -> Any:
    def add(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        for key, value in context.items():
            event.setdefault(key, value)
        return event

    return add
