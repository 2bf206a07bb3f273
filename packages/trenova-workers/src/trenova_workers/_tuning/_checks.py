"""What the options of a worker ask for, against what its work, its database and its machine allow."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trenova_workers._limits import WorkLimits
from trenova_workers._tuning._pollers import FixedPollers
from trenova_workers._tuning._slots import SlotKind
from trenova_workers._tuning._tuner import most_slots, slot_key, slots_of

if TYPE_CHECKING:
    from trenova_workers._options import WorkerOptions

AFTER_GRACE_S = 10.0
"""After the grace the SDK cancels activities; seconds until one that ignores this no longer keeps the process."""

LEAST_GRACE_S = 30.0
"""Seconds of grace where the work asks for less or cannot say."""

IDLE_PROCESS_MIB = 160
"""Memory of a worker that does nothing: a shipment worker on Python 3.11 had 136 MiB resident; rounded up."""

_HEARTBEAT_SHARE = 0.8  # of the timeout, after which the SDK sends a heartbeat (sdk-core, worker/activities.rs)
_PROCESSES_PER_CORE = 4


@dataclass(frozen=True)
class EnvironmentFacts:
    """What surrounds one worker process."""

    queues: int
    """Task queues that it polls; each has slots of its own."""
    cores: int
    memory_mib: int | None
    """Memory that it may use; ``None`` where nothing limits it."""


@dataclass(frozen=True)
class Problem:
    """One option that does not fit.

    Attributes:
        key: Of the option, as settings write it: ``worker.max_activities``.
        value: What it is.
        said: What is wrong, as the rest of a sentence that begins with the key.
        fix: What to do, a sentence without its full stop.
        fatal: Whether the worker must not start; otherwise it works, and worse than it could.
    """

    key: str
    value: Any
    said: str
    fix: str
    fatal: bool = True


def check_options(options: "WorkerOptions", limits: WorkLimits, facts: EnvironmentFacts) -> list[Problem]:
    """Return every option that the work or the machine cannot bear, fatal ones first. Looks at nothing else."""
    found = [
        *_grace(options, limits),
        *_connections(options, limits, facts),
        *_memory(options, facts),
        *_heartbeats(options, limits),
        *_pollers(options),
        *_processes(options, facts),
        *_rates(options),
    ]
    return sorted(found, key=lambda problem: not problem.fatal)


def grace_of(options: "WorkerOptions", limits: WorkLimits) -> float:
    """Return the seconds that running activities get after SIGTERM, told or derived."""
    if options.graceful_shutdown_s is not None:
        return options.graceful_shutdown_s
    wanted = max(LEAST_GRACE_S, limits.longest_start_to_close_s or 0)
    return wanted if options.container_grace_s is None else min(wanted, options.container_grace_s - AFTER_GRACE_S)


def _grace(options: "WorkerOptions", limits: WorkLimits) -> Iterator[Problem]:
    container, told = options.container_grace_s, options.graceful_shutdown_s
    if told is not None and container is not None and told + AFTER_GRACE_S > container:
        most = container - AFTER_GRACE_S
        yield Problem(
            "worker.graceful_shutdown_s",
            told,
            f"{told:g} s, and {AFTER_GRACE_S:g} s for what ignores cancellation, are more than "
            f"worker.container_grace_s ({container:g} s), after which the container is killed",
            f"Set it to at most {most:g}, or stop the container later and set worker.container_grace_s to "
            f"{told + AFTER_GRACE_S:g} or more",
        )
    grace, longest = grace_of(options, limits), limits.longest_start_to_close_s
    if longest is not None and grace < longest:
        key = "graceful_shutdown_s" if told is not None else "container_grace_s"
        yield Problem(
            f"worker.{key}",
            getattr(options, key),
            f"leaves running activities {grace:g} s after SIGTERM, and one may run {longest:g} s: what is not done by "
            "then is cancelled and tried again elsewhere",
            f"Give {longest:g} s or more where that costs too much"
            + ("" if told is not None else f" (worker.container_grace_s of {longest + AFTER_GRACE_S:g})"),
            fatal=False,
        )


def _connections(options: "WorkerOptions", limits: WorkLimits, facts: EnvironmentFacts) -> Iterator[Problem]:
    if limits.database_connections is None or not limits.connections_per_activity:
        return
    slots = most_slots(slots_of(options)["activities"])
    needed = slots * facts.queues * limits.connections_per_activity
    if needed > limits.database_connections:
        most = limits.database_connections // (facts.queues * limits.connections_per_activity)
        lower = f"Set it to at most {most}" if most else "Poll fewer queues"
        yield Problem(
            f"worker.{slot_key(options, 'activities')}",
            slots,
            f"so many activities x {_queues(facts)} x {limits.connections_per_activity} per activity can hold "
            f"{needed} database connections at once, and the pool has {limits.database_connections}",
            f"{lower}, or raise the pool (database.pool_size) to {needed}",
        )


def _memory(options: "WorkerOptions", facts: EnvironmentFacts) -> Iterator[Problem]:
    limit = options.memory_limit_mib or facts.memory_mib
    each = options.memory_per_activity_mib
    if limit is None or each is None:
        return
    slots = most_slots(slots_of(options)["activities"])
    needed = IDLE_PROCESS_MIB + slots * facts.queues * each
    if needed > limit:
        most = max(0, limit - IDLE_PROCESS_MIB) // (facts.queues * each)
        lower = f"Set it to at most {most}" if most else "Give the process more memory"
        whose = "worker.memory_limit_mib" if options.memory_limit_mib else "the limit of the control group"
        yield Problem(
            f"worker.{slot_key(options, 'activities')}",
            slots,
            f"so many activities x {_queues(facts)} x {each} MiB (worker.memory_per_activity_mib), and "
            f"{IDLE_PROCESS_MIB} MiB for the process itself, can come to {needed} MiB, above {whose} ({limit} MiB)",
            f"{lower}, or raise the limit to {needed} MiB",
        )


def _heartbeats(options: "WorkerOptions", limits: WorkLimits) -> Iterator[Problem]:
    shortest, told = limits.shortest_heartbeat_timeout_s, options.max_heartbeat_throttle_s
    if shortest is not None and told is not None and told >= shortest:
        effective = shortest * _HEARTBEAT_SHARE
        yield Problem(
            "worker.max_heartbeat_throttle_s",
            told,
            f"is not below the shortest heartbeat timeout of the work ({shortest:g} s): a heartbeat held back so long "
            f"would come too late, so the SDK sends one every {effective:g} s ({_HEARTBEAT_SHARE:g} x timeout) instead",
            f"Set it to at most {effective:g}, or leave it out",
        )


def _pollers(options: "WorkerOptions") -> Iterator[Problem]:
    polled: dict[SlotKind, str] = {"activities": "activity_pollers", "workflow_tasks": "workflow_pollers"}
    for kind, name in polled.items():
        pollers = getattr(options, name)
        slots = most_slots(slots_of(options)[kind])
        polls = pollers.count if isinstance(pollers, FixedPollers) else pollers.minimum
        if polls > slots:
            last = "count" if isinstance(pollers, FixedPollers) else "minimum"
            yield Problem(
                f"worker.{name}.{last}",
                polls,
                f"polls need as many slots, and worker.{slot_key(options, kind)} is {slots}",
                f"Set it to at most {slots}",
                fatal=False,
            )


def _processes(options: "WorkerOptions", facts: EnvironmentFacts) -> Iterator[Problem]:
    slots = most_slots(slots_of(options)["activities"])
    if options.activity_executor == "processes" and slots * facts.queues > _PROCESSES_PER_CORE * facts.cores:
        yield Problem(
            f"worker.{slot_key(options, 'activities')}",
            slots,
            f"so many activities x {_queues(facts)} may start as many processes on {facts.cores} cores "
            "(worker.activity_executor is 'processes')",
            f"Set it to about {max(1, (facts.cores + 1) // facts.queues)}",
            fatal=False,
        )


def _rates(options: "WorkerOptions") -> Iterator[Problem]:
    one, all_ = options.activities_per_second, options.queue_activities_per_second
    if one is not None and all_ is not None and one > all_:
        yield Problem(
            "worker.activities_per_second",
            one,
            f"is never reached: the server gives out {all_:g} per second (worker.queue_activities_per_second)",
            f"Set it to at most {all_:g}, or leave it out",
            fatal=False,
        )


def _queues(facts: EnvironmentFacts) -> str:
    return f"{facts.queues} queue{'' if facts.queues == 1 else 's'}"
