"""Keeping the SDK from writing a second line, with messages and tracebacks, for what has had one.

The SDK logs every failed attempt with its traceback ("Completing activity as failed") and every failed workflow
task likewise. Both lines carry the key ``__temporal_error_identifier``, by which they are found here. A filter on
the SDK's two loggers drops them where this package has decided about the failure, and takes message and traceback
out where a failure has not come past this package's interceptors, e.g. since its arguments could not be decoded.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock
from typing import Final

from trenova_errors._evidence import chain_of, said_by_sdk, stack_of, types_of
from trenova_errors._failure_log import marked
from trenova_errors._runs import run_of
from trenova_errors._sdk_activity import rewrite_unbegun

_LOGGERS: Final = ("temporalio.activity", "temporalio.worker._workflow_instance")
_IDENTIFIER: Final = "__temporal_error_identifier"
_EVENTS: Final = {"ActivityFailure": "Activity failed", "WorkflowTaskFailure": "Workflow task failed"}
_SIGNAL: Final = re.compile(r"Failed deserializing signal input for (?P<name>.*?) on workflow ", re.DOTALL)
# Texts of the SDK that end in the message of an exception.
_OPEN_ENDED: Final = (
    "Completing as failure during heartbeat with error of type",
    "Exception handling failed, original error",
)


class OneLineEach(logging.Filter):
    """Drops the SDK's line for a failure that has had ours, and takes what was said out of the others."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See base class."""
        error = record.exc_info[1] if record.exc_info else None
        identifier = getattr(record, _IDENTIFIER, None)
        if identifier in _EVENTS:
            if marked(error):
                return False
            if identifier == "ActivityFailure" and error is not None:
                rewrite_unbegun(record, error)
            else:
                _rewrite(record, _EVENTS[identifier], error)
        elif (signal := _SIGNAL.match(str(record.msg))) is not None and error is not None:
            return not _told(record, signal["name"], error)
        elif str(record.msg).startswith(_OPEN_ENDED):
            _rewrite(record, next(text for text in _OPEN_ENDED if str(record.msg).startswith(text)), error)
        return True


def _told(record: logging.LogRecord, signal: str, error: BaseException) -> bool:
    """Have the run write its own line for a signal that the SDK drops; False if it is not known here."""
    details = getattr(record, "temporal_workflow", None) or {}
    run = run_of(str(details.get("run_id") or details.get("workflow_run_id")))
    if run is not None:
        run.signal_undecoded(signal, error)
    return run is not None


def _rewrite(record: logging.LogRecord, event: str, error: BaseException | None) -> None:
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    record.msg, record.args = event, ()
    if error is None:
        return
    said = next((text for link in chain_of(error) if (text := said_by_sdk(link))), None)
    record.msg, record.args = (
        ("%s: %s: %s", (event, types_of(error), said)) if said else ("%s: %s", (event, types_of(error)))
    )
    record.error_types, record.error_stack = types_of(error), stack_of(error)


_filter: Final = OneLineEach()
_lock: Final = Lock()
_users = 0


@asynccontextmanager
async def one_line_each() -> AsyncIterator[None]:
    """Filter while a worker runs; the filter goes with the last of several."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _users  # noqa: PLW0603 - the loggers are the process's too
    with _lock:
        _users += change
        for name in _LOGGERS:
            if _users:
                logging.getLogger(name).addFilter(_filter)
            else:
                logging.getLogger(name).removeFilter(_filter)
