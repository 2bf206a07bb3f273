"""How much a workflow task is going to send, as far as this process knows.

Local activities run in the process of their workflow, and their results become part of its task; so both add to
the same count, the workflow in its own thread and the activities in the worker's loop.
"""

from threading import Lock
from typing import Final
from weakref import WeakValueDictionary

# The rest of a command: ids, types, queues, timeouts, the retry policy with its list of kinds.
COMMAND: Final = 768


class TaskBytes:
    """The bytes of one run's current workflow task."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._task = -1
        self._sent = 0

    def at(self, task: int) -> None:
        """Begin to count again if the workflow task, known by the length of the history before it, is a new one."""
        with self._lock:
            if task != self._task:
                self._task, self._sent = task, 0

    def add(self, size: int, limit: int) -> int | None:
        """Count one command; return what the total would be where that is above the limit, and count nothing."""
        with self._lock:
            total = self._sent + size + COMMAND
            if total > limit:
                return total
            self._sent = total
            return None


_open: Final[WeakValueDictionary[str, TaskBytes]] = WeakValueDictionary()


def opened(run_id: str) -> TaskBytes:
    """Return a count for a run of this process; it is known to local activities as long as the run is cached."""
    count = _open[run_id] = TaskBytes()
    return count


def of_run(run_id: str | None) -> TaskBytes | None:
    """Return the count of a run, None where this process has no workflow of it in its cache."""
    return None if run_id is None else _open.get(run_id)
