"""How long the histories of workflows become, per type, and a word in time where one nears the server's limits.

Nothing here adds a command: a condition that never holds is looked at once per workflow task, and it looks at what the
server says of the history with each task. What is measured while a history is replayed, or evicted, is not told again.
"""

import asyncio
import logging
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field
from temporalio import workflow
from temporalio.common import MetricGauge, MetricHistogram
from temporalio.exceptions import is_cancelled_exception
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

_log = logging.getLogger(__name__)

_MIB: Final = 1024 * 1024
EVENTS_AT_THE_END: Final = "trenova_workers_workflow_history_events"
BYTES_AT_THE_END: Final = "trenova_workers_workflow_history_bytes"
LARGEST_EVENTS: Final = "trenova_workers_workflow_history_largest_events"
LARGEST_BYTES: Final = "trenova_workers_workflow_history_largest_bytes"

HISTORY_BUCKETS: Final[dict[str, tuple[float, ...]]] = {
    EVENTS_AT_THE_END: (10, 25, 50, 100, 250, 500, 1_000, 2_500, 4_096, 10_240, 25_000, 51_200),
    BYTES_AT_THE_END: (
        *(4_096, 16_384, 65_536, 262_144, _MIB, 2 * _MIB),
        *(4 * _MIB, 10 * _MIB, 25 * _MIB, 50 * _MIB),
    ),
}
"""Upper bounds by metric. Among them is where the server suggests to continue as new (4,096 events, 4 MiB), where it
warns in its own log (10,240 events, 10 MiB) and where it terminates the run (51,200 events, 50 MiB)."""


class HistoryOptions(BaseModel):
    """Which size of a history is worth a warning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: bool = True
    """Whether histories are measured at all."""
    warn_share: float | None = Field(default=0.6, gt=0, le=1, allow_inf_nan=False)
    """Share of either limit from which on a run has one warning in the log; none never warns."""
    max_events: int = Field(default=51_200, ge=1)
    """Events at which the server terminates a run: its setting ``limit.historyCount.error``."""
    max_bytes: int = Field(default=50 * _MIB, ge=1)
    """Bytes at which the server terminates a run: its setting ``limit.historySize.error``."""

    def share(self, events: int, size: int) -> float:
        """Return how much of the nearer limit is used up."""
        return max(events / self.max_events, size / self.max_bytes)


_DEFAULTS: Final = HistoryOptions()


class HistoryMonitor(Interceptor):
    """Measures the histories of all workflows of a worker; give it to the worker, or to a plugin, as an interceptor.

    At the end of a run, also where it continues as new, its size goes into the histograms
    ``trenova_workers_workflow_history_events`` and ``..._bytes``, by ``workflow_type`` and ``outcome``
    (``completed``, ``failed``, ``canceled``, ``continued_as_new``). It is the size at the beginning of the last
    workflow task: a few events less than in the end. The gauges ``..._largest_events`` and ``..._largest_bytes`` are
    the largest history among the runs that this worker has in its cache, by ``workflow_type``. All are metrics of the
    worker's own runtime, beside those of the SDK.

    Args:
        options: What to warn of.
    """

    def __init__(self, options: HistoryOptions = _DEFAULTS) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._types: dict[tuple[str, str], _OfType] = {}

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        return type("WatchedHistory", (_Watched,), {"monitor": self})

    def grown(self, info: workflow.Info, events: int, size: int) -> None:
        """Note how large an open run has become."""
        with self._lock:
            self._of(info).grown(info.run_id, events, size)

    def left(self, info: workflow.Info, outcome: str | None) -> None:
        """Forget a run; one that ended, rather than being evicted, has an outcome and is recorded."""
        with self._lock:
            of_type = self._of(info)
            of_type.left(info.run_id)
            if outcome is not None:
                of_type.events.record(info.get_current_history_length(), {"outcome": outcome})
                of_type.bytes.record(info.get_current_history_size(), {"outcome": outcome})

    def warn(self, info: workflow.Info, events: int, size: int) -> bool:
        """Return whether a run is beyond the share; say so in the log, unless its history is replayed."""
        share = self._options.share(events, size)
        if self._options.warn_share is None or share < self._options.warn_share:
            return False
        if not workflow.unsafe.is_replaying():
            _log.warning(
                "the history of a workflow nears the size at which the server terminates it: "
                "continue as new sooner, or pass less data",
                extra={
                    "workflow_type": info.workflow_type,
                    "workflow_id": info.workflow_id,
                    "run_id": info.run_id,
                    "task_queue": info.task_queue,
                    "history_events": events,
                    "history_bytes": size,
                    "share": round(share, 3),
                },
            )
        return True

    def _of(self, info: workflow.Info) -> "_OfType":
        key = (info.task_queue, info.workflow_type)
        if key not in self._types:
            meter = workflow.metric_meter()  # of the worker, and silent in replays, whichever run asks
            self._types[key] = _OfType(
                meter.create_histogram(EVENTS_AT_THE_END, "Events of the history of a run at its end."),
                meter.create_histogram(BYTES_AT_THE_END, "Bytes of the history of a run at its end."),
                meter.create_gauge(LARGEST_EVENTS, "Events of the largest history among the cached runs."),
                meter.create_gauge(LARGEST_BYTES, "Bytes of the largest history among the cached runs."),
            )
        return self._types[key]


@dataclass
class _OfType:
    """The instruments of one workflow type, and its open runs with the events and bytes of each."""

    events: MetricHistogram
    bytes: MetricHistogram
    largest_events: MetricGauge
    largest_bytes: MetricGauge
    open: dict[str, tuple[int, int]] = field(default_factory=dict)
    largest: tuple[int, int] = (0, 0)

    def grown(self, run_id: str, events: int, size: int) -> None:
        self.open[run_id] = (events, size)
        self._tell(max(self.largest[0], events), max(self.largest[1], size))

    def left(self, run_id: str) -> None:
        events, size = self.open.pop(run_id, (0, 0))
        if events >= self.largest[0] or size >= self.largest[1]:  # who else is the largest is worth a look only then
            self._tell(
                max((events for events, _ in self.open.values()), default=0),
                max((size for _, size in self.open.values()), default=0),
            )

    def _tell(self, events: int, size: int) -> None:
        self.largest = (events, size)
        self.largest_events.set(events)
        self.largest_bytes.set(size)


class _Watched(WorkflowInboundInterceptor):
    """Looks at the history of one run with every workflow task."""

    monitor: ClassVar[HistoryMonitor]

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 (the SDK's name)
        self._seen = 0
        self._warned = False
        looking = asyncio.create_task(workflow.wait_condition(self._look))
        outcome: str | None = None
        try:
            result = await super().execute_workflow(input)
        except workflow.ContinueAsNewError:
            outcome = "continued_as_new"
            raise
        except BaseException as error:
            outcome = _outcome_of(error)
            raise
        else:
            outcome = "completed"
            return result
        finally:
            looking.cancel()
            if workflow.in_workflow():  # it is not where the interpreter clears a run away at its own end
                self.monitor.left(workflow.info(), outcome)

    def _look(self) -> bool:
        """Look, and never be satisfied; the SDK asks once more with every workflow task."""
        info = workflow.info()
        events = info.get_current_history_length()
        if events == self._seen:
            return False
        self._seen = events
        size = info.get_current_history_size()
        self.monitor.grown(info, events, size)
        self._warned = self._warned or self.monitor.warn(info, events, size)
        return False


def _outcome_of(error: BaseException) -> str | None:
    if is_cancelled_exception(error):
        return "canceled"
    # Any other exception fails the workflow task, and the run goes on.
    return "failed" if isinstance(error, Exception) and workflow.is_failure_exception(error) else None
