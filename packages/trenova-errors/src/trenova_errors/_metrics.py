"""Counting failures, with labels that cannot grow without bound."""

from threading import Lock
from typing import Final

from temporalio.common import MetricMeter

from trenova_errors._kinds import ErrorKind

_MAX_NAMES: Final = 100
_OTHER: Final = "other"
_KINDS: Final = frozenset(kind.value for kind in ErrorKind)


class Names:
    """The first hundred different values of a label; all later ones are ``other``."""

    def __init__(self, most: int = _MAX_NAMES) -> None:
        self._most = most
        self._lock = Lock()
        self._known: set[str] = set()

    def bounded(self, name: str) -> str:
        """Return the name, or ``other`` where there are too many already."""
        with self._lock:
            if name in self._known:
                return name
            if len(self._known) >= self._most:
                return _OTHER
            self._known.add(name)
            return name


class FailureCounters:
    """``trenova_errors_failures`` and ``trenova_errors_unclassified`` on a worker's runtime.

    A runtime that writes for Prometheus appends ``_total`` (``counters_total_suffix``).

    Labels: ``activity_type`` (the first hundred), and ``error_kind`` and ``final``, or ``exception``: the name of
    its class (the first hundred).
    """

    def __init__(self, meter: MetricMeter | None) -> None:
        meter = meter or MetricMeter.noop
        self._exceptions, self._activities = Names(), Names()
        self._failures = meter.create_counter(
            "trenova_errors_failures", "Failed attempts of activities, by kind and by whether it was the last."
        )
        self._signals = meter.create_counter("trenova_errors_dropped_signals", "Signals whose arguments were refused.")
        self._unclassified = meter.create_counter(
            "trenova_errors_unclassified", "Exceptions that escaped from activities and that no rule knows."
        )

    def dropped_signal(self, namespace: str, task_queue: str, workflow_type: str) -> None:
        """Count one signal whose arguments were refused."""
        self._signals.add(1, {"namespace": namespace, "task_queue": task_queue, "workflow_type": workflow_type})

    def failed(self, activity_type: str, kind: str, *, final: bool) -> None:
        """Count one failed attempt."""
        kind = kind if kind in _KINDS else _OTHER
        activity_type = self._activities.bounded(activity_type)
        self._failures.add(1, {"activity_type": activity_type, "error_kind": kind, "final": final})

    def unclassified(self, activity_type: str, exception: str) -> None:
        """Count one exception that nobody has decided about."""
        labels = {
            "activity_type": self._activities.bounded(activity_type),
            "exception": self._exceptions.bounded(exception),
        }
        self._unclassified.add(1, labels)
