"""What ``temporalio.worker.Worker`` is given."""

from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

from temporalio.worker import PollerBehavior

if TYPE_CHECKING:
    from trenova_workers._options import WorkerOptions

# What the SDK takes where nothing is told; its signature has no name for them.
_MAX_HEARTBEAT_THROTTLE_S = 60.0
_DEFAULT_HEARTBEAT_THROTTLE_S = 30.0


class WorkerArguments(TypedDict):
    """The arguments of ``temporalio.worker.Worker`` that `WorkerOptions` decides, beside tuner and build."""

    max_cached_workflows: int
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    sticky_queue_schedule_to_start_timeout: timedelta
    nonsticky_to_sticky_poll_ratio: float
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    graceful_shutdown_timeout: timedelta
    disable_eager_activity_execution: bool
    max_eager_activity_reservations_per_workflow_task: int


def worker_arguments(options: "WorkerOptions", grace_s: float) -> WorkerArguments:
    """Return ``options`` as the SDK takes them, with ``grace_s`` seconds for running activities."""
    return WorkerArguments(
        max_cached_workflows=options.max_cached_workflows,
        max_activities_per_second=options.activities_per_second,
        max_task_queue_activities_per_second=options.queue_activities_per_second,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=options.sticky_schedule_to_start_timeout_s),
        nonsticky_to_sticky_poll_ratio=options.nonsticky_poll_ratio,
        workflow_task_poller_behavior=options.workflow_pollers.behavior(),
        activity_task_poller_behavior=options.activity_pollers.behavior(),
        max_heartbeat_throttle_interval=timedelta(
            seconds=options.max_heartbeat_throttle_s or _MAX_HEARTBEAT_THROTTLE_S
        ),
        default_heartbeat_throttle_interval=timedelta(
            seconds=options.default_heartbeat_throttle_s or _DEFAULT_HEARTBEAT_THROTTLE_S
        ),
        graceful_shutdown_timeout=timedelta(seconds=grace_s),
        disable_eager_activity_execution=not options.eager_activities,
        max_eager_activity_reservations_per_workflow_task=options.eager_activities_per_task,
    )
