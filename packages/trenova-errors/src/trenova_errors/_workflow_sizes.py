"""Measuring in workflow code, and keeping the decision the same at every replay.

Whether something is too large depends on options, on the converter and on what else the workflow task sends,
and all of these may change while a run is open. So the decision is written into the history, as a patch marker
under a name of this package, and a replay follows the marker and measures nothing. Histories from before this
check have no marker and replay as they are.
"""

from collections.abc import Sequence
from typing import Any, Final

from temporalio import workflow

from trenova_errors._sizes import WorkflowLimits, size_of, task_full, too_large
from trenova_errors._task_bytes import opened
from trenova_errors._types import PayloadTooLargeError

_MARKER: Final = "trenova_errors.payload_too_large"


class TaskSizes:
    """What one run has sent in its current workflow task."""

    def __init__(self, limits: WorkflowLimits | None, run_id: str) -> None:
        self._limits = limits
        self._checks = 0
        self._bytes = opened(run_id)

    def admit(self, what: str, values: Sequence[Any], *, single: bool = True) -> None:
        """Count values that are about to be sent.

        Args:
            what: What they are, for the message.
            values: As the SDK will encode them.
            single: Whether the limit for one payload applies, beside that for the workflow task.

        Raises:
            PayloadTooLargeError: They would fail every workflow task, or have the run terminated.
        """
        self._checks += 1
        marker = f"{_MARKER}.{self._checks}"
        if workflow.unsafe.is_replaying():
            if workflow.patched(marker):
                raise self._problem(what, values, single=single) or _as_recorded(what)
            return
        problem = self._problem(what, values, single=single)
        if problem is not None:
            workflow.patched(marker)
            raise problem

    def look(self) -> None:
        """Notice that a new workflow task has begun, for local activities that are still running."""
        self._bytes.at(workflow.info().get_current_history_length())

    def _problem(self, what: str, values: Sequence[Any], *, single: bool) -> PayloadTooLargeError | None:
        if self._limits is None:
            return None
        payloads = workflow.payload_converter().to_payloads(values)
        if single and self._limits.payload is not None and (size := size_of(payloads)) > self._limits.payload:
            return too_large(what, size, self._limits.payload)
        self.look()
        total = self._bytes.add(self._limits.counted(payloads), self._limits.task)
        return None if total is None else task_full(what, total, self._limits.task)


def _as_recorded(what: str) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"{what} was too large when it was sent. Pass a reference to stored data.")
