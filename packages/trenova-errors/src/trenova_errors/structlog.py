"""Structured logs for a service, by structlog: a console for people, JSON for machines, no secret in either.

Opt in: call :func:`configure_logging` once in the entry function of a process. Nothing here runs on import, and
the root of this package does not import it. The standard library's records, the SDK's and this package's own
among them, leave by the same way as structlog's.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TextIO

import structlog
import temporalio.activity
import temporalio.workflow

from trenova_errors._redaction import Redaction
from trenova_errors._types import ConfigurationError

__all__ = ["LoggingOptions", "Redaction", "configure_logging"]

_FORMATS: Final = ("console", "json")

# The SDK's names of what it adds to a record, in ours.
_CONTEXT: Final = {
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
_NOISE: Final = ("__temporal_error_identifier", "activity_info", "workflow_info", "update_info")

# Fields of a line of the SDK's core that say nothing of payloads; ``failure`` would be a whole exception.
_CORE: Final = ("run_id", "workflow_id", "error", "size", "limit")


@dataclass(frozen=True, kw_only=True)
class LoggingOptions:
    """What is logged, and how it looks.

    Args:
        level: Of everything that has no level of its own; a name of the standard library, in any case.
        loggers: Other levels for some loggers and those below them, e.g. ``{"alembic": "warning"}``.
        format: ``console`` for people, ``json`` for one object a line.
        redaction: Which keys hide their values.
        context: Constant keys of every line, e.g. ``service`` and ``identity``; left out on the console.

    Raises:
        ConfigurationError: There is no such format.
    """

    level: str = "info"
    loggers: Mapping[str, str] = field(default_factory=dict)
    format: Literal["console", "json"] = "json"
    redaction: Redaction = field(default_factory=Redaction)
    context: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format not in _FORMATS:
            raise ConfigurationError(
                f"LoggingOptions.format is {self.format!r}. Set it to one of {', '.join(_FORMATS)}."
            )


def configure_logging(options: LoggingOptions, *, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to one stream in one format.

    Replaces the handlers of the root logger. What ``structlog.contextvars.bind_contextvars`` has bound, and the
    workflow or activity that a record of the SDK's loggers comes from, become keys of the line.

    Args:
        options: What and how.
        stream: Where to; stderr if None, since stdout is for results.
    """
    stream = stream or sys.stderr
    console = options.format == "console"
    shared = _shared(options, console=console)
    # Last, so that nothing is added after it: what a renderer gets has been redacted.
    ending = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(options, stream, console=console)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.level.upper())
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


def _shared(options: LoggingOptions, *, console: bool) -> Sequence[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _lift_context,
        _constant({} if console else options.context),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]


def _rendering(options: LoggingOptions, stream: TextIO, *, console: bool) -> Sequence[Any]:
    def redacted(_: Any, __: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return options.redaction.of(event)

    if console:
        # The plain traceback: the rich one prints local variables, and those hold payloads and secrets.
        plain = structlog.dev.plain_traceback
        return [
            structlog.processors.format_exc_info,
            redacted,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain),
        ]
    return [structlog.processors.format_exc_info, redacted, structlog.processors.JSONRenderer(default=str)]


def _lift_context(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in _NOISE:
        event.pop(key, None)
    for key, value in _core_fields(event.pop("temporal_log", None)).items():
        event.setdefault(key, value)
    for key in ("temporal_activity", "temporal_workflow"):
        details = event.pop(key, None)
        if isinstance(details, Mapping):
            for theirs, ours in _CONTEXT.items():
                if details.get(theirs) is not None:
                    event.setdefault(ours, details[theirs])
    return event


def _core_fields(line: Any) -> dict[str, Any]:
    fields = getattr(line, "fields", None)
    return {key: fields[key] for key in _CORE if key in fields} if isinstance(fields, Mapping) else {}


def _constant(context: Mapping[str, str]) -> Any:
    def add(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        for key, value in context.items():
            event.setdefault(key, value)
        return event

    return add
