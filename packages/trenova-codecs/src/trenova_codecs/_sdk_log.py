"""One line for a task that waits for its codec, in place of the SDK's traceback at every attempt.

The SDK logs each failed attempt with its traceback, for as long as a run waits for a key. A filter on its loggers drops
these records where a codec of this package was the reason, and writes one line at the attempts 1, 10, 100, 1000 and so
on of each task: which run, which key, what to do. Every attempt is counted (``trenova_codecs_undecoded_tasks``).

The SDK's core logs "Failing workflow task" by itself for each of them. That line is dropped as well where the program
forwards the core's log to the logger ``temporalio.core`` (``LogForwardingConfig``), as ``trenova_workers`` does;
otherwise the core writes it to the terminal, where no filter of Python reaches.

It stands before other filters of these loggers, such as that of ``trenova_errors.ErrorsPlugin``, which takes the
exception out of a record; whatever a codec was not the reason for is left to them.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Any, Final

from trenova_codecs._errors import CodecError
from trenova_codecs._usage import meter

_WORKFLOWS: Final = "temporalio.worker._workflow"
_ACTIVITIES: Final = "temporalio.activity"
_CORE: Final = "temporalio.core"
"""Where programs forward the log of the SDK's core to."""
_CORE_LINE: Final = "Failing workflow task"
_CORE_LATE_S: Final = 10.0
"""Seconds that the core's line may come after ours; it is forwarded in batches of some milliseconds."""
_IN_ACTIVITIES: Final = "temporalio.worker._activity"
_BEGUN: Final = "execute_activity"
"""The SDK's function from which on an activity's own code runs; what that raises is not ours to shorten."""
_MOST: Final = 1024
_FORGOTTEN_S: Final = 3600.0
"""Longer than a server waits between two attempts (ten minutes at most): what comes later is another wait."""

_log = logging.getLogger("trenova_codecs")
_counter = meter.create_counter(
    "trenova_codecs_undecoded_tasks",
    unit="{task}",
    description="Attempts of workflow tasks and activities that failed in a codec, by code and kind of task",
)


@dataclass(frozen=True)
class _Task:
    """What could not be worked on; ``attempt`` is None where the SDK does not say it."""

    kind: str
    run_id: str
    workflow_id: str | None = None
    activity_id: str | None = None
    attempt: int | None = None


class UndecodedTasks(logging.Filter):
    """Drops the SDK's records about codecs, and writes ours."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._seen: OrderedDict[tuple[str, str | None, str], tuple[int, float]] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """See base class."""
        if record.name.startswith(_CORE):
            return not self._said_already(record)
        raised = record.exc_info[1] if record.exc_info else None
        error = _codec_error(raised)
        if raised is None or error is None:
            return True
        task = _workflow_task(record) if record.name == _WORKFLOWS else _activity_task(raised.__traceback__)
        if task is None:
            return True
        _counter.add(1, {"code": error.code, "task": task.kind})
        with self._lock:
            _remember(self._failed, task.run_id, time.monotonic())
        attempt = task.attempt or self._count(task, error.code)
        if _is_milestone(attempt):
            _say(error, task, attempt)
        return False

    def _count(self, task: _Task, code: str) -> int:
        about, now = (task.run_id, task.activity_id, code), time.monotonic()
        with self._lock:
            number, last = self._seen.pop(about, (0, now))
            number = number + 1 if now - last < _FORGOTTEN_S else 1
            _remember(self._seen, about, (number, now))
        return number

    def _said_already(self, record: logging.LogRecord) -> bool:
        """Whether the core tells of a task that failed in a codec a moment ago."""
        told = getattr(record, "temporal_log", None)
        if told is None or told.message != _CORE_LINE:
            return False
        with self._lock:
            when = self._failed.get(str(told.fields.get("run_id")))
        return when is not None and time.monotonic() - when < _CORE_LATE_S


def _remember(there: OrderedDict[Any, Any], name: Any, value: Any) -> None:
    there.pop(name, None)
    there[name] = value
    if len(there) > _MOST:
        there.popitem(last=False)


def _say(error: CodecError, task: _Task, attempt: int) -> None:
    facts = {
        "error_code": error.code,
        "key_id": error.facts.get("key_id"),
        "workflow_id": task.workflow_id,
        "run_id": task.run_id,
        "activity_id": task.activity_id,
        "attempt": attempt,
    }
    _log.warning(
        "The %s of run %s waits, attempt %d: %s: %s",
        *(task.kind, task.run_id, attempt, error.code, error.message),
        extra={name: value for name, value in facts.items() if value is not None},
    )


def _codec_error(error: BaseException | None) -> CodecError | None:
    """Return the codec's error in a chain of causes; the SDK wraps that of an activity's input."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        if isinstance(error, CodecError):
            return error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def _workflow_task(record: logging.LogRecord) -> _Task | None:
    """Return what a record of the SDK is about: its only argument is the id of the run."""
    args = record.args if isinstance(record.args, tuple) else ()
    return _Task("workflow task", str(args[0])) if len(args) == 1 else None


def _activity_task(traceback: TracebackType | None) -> _Task | None:
    """Return the activity that the SDK's own frame works on; None once its own code has begun."""
    start: Any = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == _BEGUN:
            return None
        if start is None and frame.f_globals.get("__name__") == _IN_ACTIVITIES:
            start = frame.f_locals.get("start")
        traceback = traceback.tb_next
    if not hasattr(start, "workflow_execution"):
        return None
    execution = start.workflow_execution
    return _Task("activity", execution.run_id, execution.workflow_id, start.activity_id, start.attempt)


def _is_milestone(number: int) -> bool:
    while number and number % 10 == 0:
        number //= 10
    return number == 1


_filter: Final = UndecodedTasks()
_lock: Final = Lock()
_users = 0


def speaks_for_workers() -> bool:
    """Whether waiting tasks have lines of their own in this process."""
    return _users > 0


@contextmanager
def one_line_each() -> Iterator[None]:
    """Filter while a worker runs; the filter goes with the last of several."""
    _use(1)
    try:
        yield
    finally:
        _use(-1)


def _use(change: int) -> None:
    global _users  # noqa: PLW0603 - the loggers are the process's too
    with _lock:
        _users += change
        for name in (_WORKFLOWS, _ACTIVITIES, _CORE):
            logger = logging.getLogger(name)
            logger.removeFilter(_filter)
            if _users:
                logger.filters.insert(0, _filter)
