"""The runs that this process has in memory, by their ids, for what happens where no interceptor is asked."""

from collections import OrderedDict
from threading import Lock
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

_MAX_RUNS: Final = 1024


class Run(Protocol):
    """The interceptor of a run."""

    def signal_undecoded(self, signal: str, error: BaseException) -> None:
        """Log and count a signal that the SDK has dropped."""


_runs: Final[WeakValueDictionary[str, Any]] = WeakValueDictionary()
_dropped: Final[OrderedDict[str, int]] = OrderedDict()
_lock: Final = Lock()


def remember(run_id: str, run: Run) -> None:
    """Find ``run`` under this id for as long as it lives."""
    with _lock:
        _runs[run_id] = run


def run_of(run_id: str) -> Run | None:
    """Return the interceptor of the run."""
    with _lock:
        found: Run | None = _runs.get(run_id)
        return found


def first_time(run_id: str, number: int) -> bool:
    """Whether the dropped signal of this number is new, and not met again as its workflow task is tried again."""
    with _lock:
        before = _dropped.pop(run_id, 0)
        _dropped[run_id] = max(before, number)
        if len(_dropped) > _MAX_RUNS:
            _dropped.popitem(last=False)
        return number > before
