"""Options of the runtime. Frozen, and unknown keys are errors."""

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from trenova_errors.structlog import LoggingOptions


class WorkerArguments(TypedDict):
    """The arguments of ``temporalio.worker.Worker`` that `WorkerOptions` decides."""

    max_concurrent_activities: int
    max_concurrent_workflow_tasks: int
    max_cached_workflows: int
    max_activities_per_second: float | None
    sticky_queue_schedule_to_start_timeout: timedelta
    graceful_shutdown_timeout: timedelta


class WorkerOptions(BaseModel):
    """How one worker process works. Each queue of the process has these for itself.

    The defaults are the SDK's own, except for the grace on shutdown (the SDK gives none) and the
    heartbeat (the SDK's is 60 s, too rare to tell a lost worker from a busy one).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_activities: int = Field(default=100, ge=1)
    """Activities that run at once."""
    max_workflow_tasks: int = Field(default=100, ge=2)
    """Workflow tasks that are worked on at once; the SDK needs two when workflows are cached."""
    max_cached_workflows: int = Field(default=1000, ge=0)
    """Workflows kept in memory between their tasks; 0 replays the whole history on every task."""
    activities_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Activities that this process starts per second and queue; none is no limit."""
    sticky_schedule_to_start_timeout_s: float = Field(default=10, gt=0, allow_inf_nan=False)
    """Seconds that a workflow task waits for the worker that has the workflow in its cache."""
    graceful_shutdown_s: float = Field(default=30, gt=0, allow_inf_nan=False)
    """Seconds that running activities get to finish after SIGTERM before they are cancelled.
    Keep it below the time after which the container is killed."""
    heartbeat_interval_s: float = Field(default=5, ge=1, le=60)
    """Seconds between two reports of this worker to the server; the server allows 1 to 60."""

    def worker_arguments(self) -> WorkerArguments:
        """Return these options as arguments of ``temporalio.worker.Worker``."""
        return WorkerArguments(
            max_concurrent_activities=self.max_activities,
            max_concurrent_workflow_tasks=self.max_workflow_tasks,
            max_cached_workflows=self.max_cached_workflows,
            max_activities_per_second=self.activities_per_second,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=self.sticky_schedule_to_start_timeout_s),
            graceful_shutdown_timeout=timedelta(seconds=self.graceful_shutdown_s),
        )


class HealthOptions(BaseModel):
    """Where liveness and readiness are answered over HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Loopback unless told otherwise; the answers name queues and the identity, never data."""
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes any free port and logs it."""


Level = Literal["debug", "info", "warning", "error"]


class LogOptions(BaseModel):
    """What is logged, always to stderr: stdout is for results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level = "info"
    loggers: dict[str, Level] = Field(default_factory=dict)
    """Other levels for some loggers and those below them, by name, e.g. ``alembic: warning``."""
    format: Literal["auto", "console", "json"] = "auto"
    """``auto`` is console in ``dev`` and one JSON object a line elsewhere."""

    def logging(self, *, env: str, service: str) -> "LoggingOptions":
        """Return what ``trenova_errors.structlog.configure_logging`` takes.

        Args:
            env: ``dev`` makes ``auto`` mean console, anything else JSON.
            service: Added to every line of JSON.
        """
        form = ("console" if env == "dev" else "json") if self.format == "auto" else self.format
        from trenova_errors.structlog import LoggingOptions  # structlog is for processes, not for settings

        return LoggingOptions(
            level=self.level,
            loggers={"aiohttp.access": "warning", **self.loggers},  # probes come every second
            format=form,
            context={"service": service},
        )
