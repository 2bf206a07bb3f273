"""Options of the runtime. Frozen, and unknown keys are errors."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from trenova_workers._deployment import DeploymentOptions
from trenova_workers._history import HistoryOptions
from trenova_workers._tuning._combinations import contradictions
from trenova_workers._tuning._metrics import MetricsOptions
from trenova_workers._tuning._pollers import FixedPollers, Pollers
from trenova_workers._tuning._profiles import Profile, profile_defaults
from trenova_workers._tuning._slots import MOST_SLOTS, FixedTuner, Tuner

if TYPE_CHECKING:
    from trenova_errors.structlog import LoggingOptions


class WorkerOptions(BaseModel):
    """How one worker process works. Each queue of the process has these for itself.

    The defaults are the SDK's own, except for the grace on shutdown (the SDK gives none) and the
    heartbeat (the SDK's is 60 s, too rare to tell a lost worker from a busy one). A ``profile`` brings
    others; what is told wins over it, key by key of this model. ``model_fields_set`` is what was told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Profile | None = None
    """Defaults for a kind of work: ``io``, ``cpu``, ``mixed``, ``bulk`` or ``dev``."""
    build_id: str | None = Field(default=None, min_length=1, max_length=200)
    """What was built, as the server and the metrics show it; the version of the service's distribution if absent."""
    deployment: DeploymentOptions = DeploymentOptions()
    """The worker deployment of which this build is a version, and whether work is routed by versions."""

    max_activities: int = Field(default=100, ge=1, le=MOST_SLOTS)
    """Activities that run at once."""
    max_workflow_tasks: int = Field(default=100, ge=2, le=MOST_SLOTS)
    """Workflow tasks that are worked on at once; the SDK needs two when workflows are cached."""
    max_local_activities: int = Field(default=100, ge=1, le=MOST_SLOTS)
    """Local activities that run at once."""
    tuner: Tuner = FixedTuner()
    """How slots are given: the three numbers above (``fixed``, ``resizable``), or otherwise in their place."""

    activities_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Activities that this process starts per second and queue; none is no limit."""
    queue_activities_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Activities that the server gives out per second and queue, to all workers together. The last worker
    that polls decides, so give all of a queue the same."""

    max_cached_workflows: int = Field(default=1000, ge=0)
    """Workflows kept in memory between their tasks; 0 replays the whole history on every task."""
    sticky_schedule_to_start_timeout_s: float = Field(default=10, gt=0, allow_inf_nan=False)
    """Seconds that a workflow task waits for the worker that has the workflow in its cache."""
    nonsticky_poll_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Share of a fixed number of workflow pollers that ask for workflows which nobody has cached."""
    workflow_pollers: Pollers = FixedPollers()
    """Polls for workflow tasks."""
    activity_pollers: Pollers = FixedPollers()
    """Polls for activities."""

    max_heartbeat_throttle_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The most seconds between two heartbeats of an activity that reach the server; the SDK sends one per
    0.8 x heartbeat timeout, and this caps it. None is the SDK's 60."""
    default_heartbeat_throttle_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The same for activities without a heartbeat timeout. None is the SDK's 30."""

    graceful_shutdown_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds that running activities get to finish after SIGTERM before they are cancelled. None takes the
    longest start-to-close of the service, at least 30, and at most ``container_grace_s`` less 10."""
    container_grace_s: float | None = Field(default=None, gt=10, allow_inf_nan=False)
    """Seconds after which a stopping container is killed, e.g. ``terminationGracePeriodSeconds``; none is not known."""

    memory_limit_mib: int | None = Field(default=None, ge=1)
    """Memory that the process may use, in MiB; none reads the limit of its control group."""
    memory_per_activity_mib: int | None = Field(default=None, ge=1)
    """Memory that one running activity may come to use, in MiB; none does not check slots against memory."""

    eager_activities: bool = True
    """Whether a workflow's own worker may take its activities without asking the queue."""
    eager_activities_per_task: int = Field(default=3, ge=1)
    """Activities that one workflow task may so take."""
    activity_executor: Literal["threads", "processes"] = "threads"
    """Where plain (not ``async``) activities run. ``processes`` uses all cores for work in Python itself;
    activities and their arguments must then be picklable, so functions of a module rather than methods."""

    heartbeat_interval_s: float = Field(default=5, ge=1, le=60)
    """Seconds between two reports of this worker to the server; the server allows 1 to 60."""
    metrics: MetricsOptions = Field(default_factory=MetricsOptions)
    """Where the SDK's metrics go."""
    history: HistoryOptions = HistoryOptions()
    """How the histories of workflows are measured, and what the log warns of."""

    @model_validator(mode="wrap")
    @classmethod
    def _with_profile(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        filled: dict[str, Any] = {}
        if isinstance(data, Mapping) and data.get("profile") in get_args(Profile):
            filled = {key: value for key, value in profile_defaults(data["profile"]).items() if key not in data}
        options = handler({**data, **filled} if filled else data)
        options.model_fields_set.difference_update(filled)
        for error in contradictions(options):
            raise error
        return options


class HealthOptions(BaseModel):
    """Where liveness and readiness are answered over HTTP, and when a held-up event loop is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Loopback unless told otherwise; the answers name queues and the identity, never data."""
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes any free port and logs it."""
    event_loop_warning_s: float | None = Field(default=1.0, ge=0.1, allow_inf_nan=False)
    """Seconds that something may hold up the event loop before the log has a warning with the stack of what does, at
    most one a minute; none is never. The lag itself is measured and answered always."""


Level = Literal["debug", "info", "warning", "error"]


class LogOptions(BaseModel):
    """What is logged, always to stderr: stdout is for results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level = "info"
    """The least that is logged, of everything that has no level of its own."""
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


class RoutingOptions(BaseModel):
    """How starts are routed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Path | None = None
    """YAML or JSON file of routing rules, relative to the working directory; without it starts go as callers say."""
