"""What is known of one worker process. Frozen; the JSON of ``trenova-workers list --json``, only ever added to."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from trenova_workers._fleet._registrations import Registrations

CUSTOM: Final = "Custom"
"""What the SDK calls a supplier that is not its own, as that of resizable slots."""


class WorkerState(StrEnum):
    """What a worker process is doing, by what it does and not by what it said last.

    ``draining`` takes nothing new and finishes what it has. ``stopped`` said good-bye. ``lost`` did not: nothing has
    been heard of it for more than three of its heartbeats, though the server may list it as running for hours.
    """

    RUNNING = "running"
    DRAINING = "draining"
    LOST = "lost"
    STOPPED = "stopped"


class _Status(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SlotUse(_Status):
    """Slots of one kind, by the last heartbeat. ``available`` is what is free; 0 of `CUSTOM` ones: nobody tells."""

    used: int
    available: int
    supplier: str = ""
    """How slots are given, in the SDK's words, e.g. ``Fixed``."""


class PollerCounts(_Status):
    """Polls that are open, by kind."""

    workflows: int = 0
    sticky: int = 0
    activities: int = 0
    nexus: int = 0


class QueueStatus(_Status):
    """One worker of a process: the SDK has one for each task queue.

    Slots, pollers, cache and registrations are None where no heartbeat tells them. Kinds of slots that the worker
    does not have are left out.
    """

    queue: str
    state: WorkerState
    instance_key: str = ""
    """Temporal's key of this worker, as ``temporal worker describe --worker-instance-key`` takes it."""
    seen_s: float
    """Seconds since its last sign of life."""
    heartbeat_s: float | None = None
    """Seconds between its heartbeats; None before the second one."""
    slots: dict[str, SlotUse] = {}
    """By kind: ``workflows``, ``activities``, ``local_activities``, ``nexus``."""
    pollers: PollerCounts | None = None
    cached_workflows: int | None = None
    """Workflows in the sticky cache."""
    cache_hits: int | None = None
    cache_misses: int | None = None
    registrations: Registrations | None = None


class WorkerStatus(_Status):
    """One worker process.

    ``service``, ``instance`` and, without heartbeats, ``pid`` are None for a process that does not identify itself as
    ours do.
    """

    identity: str
    """Under which it polls."""
    state: WorkerState
    """Of the liveliest of its queues."""
    heartbeats: bool
    """False for one that is known by its polls alone: an SDK without heartbeats, or with heartbeats turned off."""
    service: str | None = None
    host: str | None = None
    pid: int | None = None
    instance: str | None = None
    build_id: str | None = None
    """Of its deployment version. A worker that was told none reports the SDK's hash of its code."""
    deployment: str | None = None
    """Name of its deployment version; None for the SDK's hash."""
    sdk: str = ""
    """Name and version, e.g. ``temporal-python 1.35.0``; empty without heartbeats."""
    started: datetime | None = None
    """By the worker's clock."""
    seen_s: float
    """Seconds since the last sign of life of any of its queues."""
    queues: tuple[QueueStatus, ...]
