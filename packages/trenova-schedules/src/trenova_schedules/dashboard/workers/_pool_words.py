"""Pools, decisions and workers in shapes and words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from trenova_schedules.dashboard._looks import Look
from trenova_schedules.dashboard._words import duration_in_words
from trenova_schedules.worker_pools import PoolSeen, WorkerSeen

_PHASES: Final = {
    "steady": Look("dot", "steady", "good"),
    "changing": Look("play", "changing", "busy"),
    "paused": Look("pause", "paused", "calm"),
    "contended": Look("triangle", "contended: another writer", "warn"),
    "crashing": Look("cross", "crash loop", "bad"),
    "blind": Look("question", "blind", "unknown"),
    "": Look("ring", "not seen yet", "unknown"),
}
_WORKERS: Final = {
    "running": Look("dot", "running", "good"),
    "starting": Look("ring", "starting", "busy"),
    "draining": Look("skip", "draining", "calm"),
    "lost": Look("cross", "lost", "bad"),
}
STALE: Final = Look("question", "stale", "warn")
_ACTIONS: Final = {"up": "more workers", "down": "fewer workers", "hold": "no change"}
_HELD: Final = {
    "missing-data": "figures are missing",
    "stale-data": "figures are old",
    "nonsense-data": "figures make no sense",
    "clock": "the clocks disagree",
    "gap": "nothing was observed for too long",
    "rate-limited": "the queue is held to its rate limit",
    "dependency-down": "what the tasks need is down",
    "cool-down": "the last change was not long ago",
    "not-quiet": "work waited lately",
    "starting": "workers that start are awaited",
    "regretted": "so few proved too few not long ago",
    "not-idle": "something forbids zero",
    "settled": "the number fits",
}
_CLAMPS: Final = {
    "minimum": "no fewer than its minimum",
    "maximum": "no more than its maximum",
    "step-up": "no more at once",
    "step-down": "no fewer at once",
    "version": "its version must not be without workers",
}
_MISSED: Final = 3
"""Heartbeats that a worker may miss before it is called stale, as Temporal counts them."""
_LONGEST_INTERVAL: Final = 60.0
_LEFT_OUT: Final = frozenset({"state", "pool", "why", "before", "desired", "action", "at"})


def phase_look(pool: PoolSeen) -> Look:
    """Return how the phase of a pool looks; one that is not known here looks like what is not known."""
    return _PHASES.get(pool.phase, Look("question", pool.phase, "unknown"))


def worker_look(worker: WorkerSeen) -> Look:
    """Return how the phase of a worker looks."""
    return _WORKERS.get(worker.phase, Look("question", worker.phase, "unknown"))


def action_words(action: str) -> str:
    """Return what a decision comes to."""
    return _ACTIONS.get(action, action)


def held_words(held: str) -> str:
    """Return why a decision changed nothing."""
    return _HELD.get(held, held)


def clamp_words(clamp: str) -> str:
    """Return what kept a decision from what was asked for."""
    return _CLAMPS.get(clamp, clamp)


def stale_after(worker: WorkerSeen) -> timedelta:
    """Return the age of a last heartbeat after which nobody can rely on what it said."""
    return timedelta(seconds=_MISSED * (worker.heartbeat_s or _LONGEST_INTERVAL))


def is_stale(worker: WorkerSeen, now: datetime) -> bool:
    """Whether a worker that should be heard has not been for too long."""
    return worker.heard_at is not None and now - worker.heard_at > stale_after(worker)


def inputs_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return all that went into a decision, a line each, names joined with dots; what is not known is left out."""
    return list(_flat(document, ""))


def _flat(document: Mapping[str, Any], lead: str) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if value is None or (not lead and name in _LEFT_OUT):
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{lead}{name}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if value:
                yield f"{lead}{name}", "; ".join(_plain(one) for one in value[:20])
        else:
            yield f"{lead}{name}", _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return str(value)


def override_words(pool: PoolSeen, count: int, minutes: int) -> list[str]:
    """Return what an override would do now, a sentence each; nothing is done by it.

    Args:
        pool: As it is.
        count: Workers.
        minutes: For how long.
    """
    there, low, high = pool.running + pool.starting, pool.min_workers, pool.max_workers
    heeded = count
    said = []
    if low is not None and count < low:
        heeded = low
        said.append(f"Its policy allows no fewer than {low}, so it would have {low}.")
    if high is not None and count > high:
        heeded = high
        said.append(f"Its policy allows no more than {high}, so it would have {high}.")
    change = heeded - there
    if change > 0:
        act = f"{change} more would be started"
    elif change < 0:
        act = f"{-change} would be drained: they finish what they have and take nothing new"
    else:
        act = "nothing would be started or drained"
    said.insert(0, f"It has {there} now, so {act}, and it would stay so for {duration_in_words(_minutes(minutes))}.")
    if pool.pause is not None:
        said.append("It is paused, and a pause wins: nothing happens until it is resumed.")
    if pool.override is not None:
        said.append(f"It takes the place of the override to {pool.override.count} by {pool.override.by}.")
    if heeded == 0:
        said.append("Nobody would take its tasks meanwhile.")
    said.append("The budget of all pools may allow fewer.")
    return said


def _minutes(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)
