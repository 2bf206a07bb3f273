"""Pools and workers as the dashboard shows them; None is what nobody knows."""

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Seen(BaseModel):
    """Frozen; what a source says beyond this is ignored, so that its own documents may be given as they are."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ManagerSeen(_Seen):
    """Who acts on pools.

    Attributes:
        scope: On which.
        holder: Identity of the manager that has the lease, or had it last; empty if none ever did.
        fence: Number of the lease.
        acting: Whether the lease holds now.
    """

    scope: str
    holder: str = ""
    fence: int = 0
    acting: bool = False


class PoolOverride(_Seen):
    """A number of workers that somebody wants until a moment."""

    count: int
    until: AwareDatetime
    by: str
    reason: str


class PoolPause(_Seen):
    """Who wants a pool left alone, since when and why."""

    by: str
    reason: str
    since: AwareDatetime


class PoolDecision(_Seen):
    """One decision about a pool.

    Attributes:
        number: Grows with every decision.
        at: When it was made.
        action: ``up``, ``down`` or ``hold``.
        before: Workers that there should have been before.
        desired: And after.
        why: One sentence.
        trigger: What asked for it, in the control law's word; empty where it does not say.
        held_because: Why nothing changed although it might have, likewise.
        clamp: What kept the number from being what was asked for, likewise.
        backlog: Tasks that waited.
        backlog_age_s: Seconds that the oldest had waited.
        arrival_rate: Tasks per second that came.
        dispatch_rate: Tasks per second that were taken.
        slots_used: Tasks that the workers worked on.
        slots: Tasks that they could work on at once.
        inputs: All that went into it, by name; may be nested.
    """

    number: int
    at: AwareDatetime
    action: str
    before: int
    desired: int
    why: str
    trigger: str = ""
    held_because: str = ""
    clamp: str = ""
    backlog: float | None = None
    backlog_age_s: float | None = None
    arrival_rate: float | None = None
    dispatch_rate: float | None = None
    slots_used: float | None = None
    slots: float | None = None
    inputs: Mapping[str, Any] = Field(default_factory=dict)


class PoolSeen(_Seen):
    """One pool.

    Attributes:
        name: Its name.
        phase: ``steady``, ``changing``, ``paused``, ``contended``, ``crashing``, ``blind``; empty before a manager has
            seen it.
        why: That in one sentence.
        desired: Workers that there should be.
        running: Workers that take work.
        starting: Those that do not yet.
        draining: Those that only finish what they have.
        lost: Those that do not answer.
        foreign: Workers on its queues that are not its own.
        min_workers: The least that its policy allows.
        max_workers: The most.
        wait_target_s: Seconds that 95 of 100 tasks should not wait longer than.
        build: What new workers run.
        managed: Whether a manager looks after it now; if not, the rest is as of ``seen_at``.
        seen_at: When its manager last said so.
        pause: None unless it is paused.
        override: None unless one holds.
        latest: The last decision; None before the first.
    """

    name: str
    phase: str = ""
    why: str = ""
    desired: int = 0
    running: int = 0
    starting: int = 0
    draining: int = 0
    lost: int = 0
    foreign: int = 0
    min_workers: int | None = None
    max_workers: int | None = None
    wait_target_s: float | None = None
    build: str = ""
    managed: bool = False
    seen_at: AwareDatetime | None = None
    pause: PoolPause | None = None
    override: PoolOverride | None = None
    latest: PoolDecision | None = None


class PoolsSeen(_Seen):
    """All pools, and who acts on them."""

    manager: ManagerSeen
    pools: tuple[PoolSeen, ...] = ()


class SlotsInUse(_Seen):
    """Slots of one kind of task; ``total`` is None where nobody tells."""

    used: int
    total: int | None = None


class WorkerSeen(_Seen):
    """One worker process.

    Attributes:
        id: Its name within the pool manager.
        phase: ``starting``, ``running``, ``draining`` or ``lost``.
        started_at: When it was started.
        build: What it runs.
        version: Its deployment version and SDK.
        identity: Under which it polls.
        host: Its machine or pod.
        pid: Its process id there.
        heard_at: When its last heartbeat came.
        heartbeat_s: Seconds between two of them.
        memory_mib: Memory that it uses.
        slots_used: Tasks that it works on.
        slots: Tasks that it could work on at once.
        slots_by_kind: The same by kind of task.
        why: Why it is in that phase.
        worn: Why it should be replaced.
        ordered: Why somebody wants it drained.
    """

    id: str
    phase: str
    started_at: AwareDatetime
    build: str = ""
    version: str = ""
    identity: str | None = None
    host: str | None = None
    pid: int | None = None
    heard_at: AwareDatetime | None = None
    heartbeat_s: float | None = None
    memory_mib: float | None = None
    slots_used: int | None = None
    slots: int | None = None
    slots_by_kind: Mapping[str, SlotsInUse] = Field(default_factory=dict)
    why: str = ""
    worn: str = ""
    ordered: str = ""


class PoolPoint(_Seen):
    """A pool in one part of a time that is past: when that began, its workers, and the most tasks that waited."""

    at: AwareDatetime
    workers: int | None = None
    desired: int
    backlog: float | None = None


class PoolDetail(_Seen):
    """One pool with its workers and its past.

    Attributes:
        manager: Who acts on it.
        pool: The pool.
        workers: Its workers.
        points: Its last hours in equal parts, oldest first; parts of which nothing is known are left out.
        part_s: Seconds of one part.
    """

    manager: ManagerSeen
    pool: PoolSeen
    workers: tuple[WorkerSeen, ...] = ()
    points: tuple[PoolPoint, ...] = ()
    part_s: float = 0


class PoolDecisions(_Seen):
    """Decisions, newest first, and what to ask with for those before; None at the end."""

    decisions: tuple[PoolDecision, ...]
    next_cursor: int | None = None
