"""How long tasks waited for a worker, from the histories of the runs."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

_AT_ONCE = 10


@dataclass(frozen=True)
class Wait:
    """One task.

    Attributes:
        kind: ``a workflow task`` or ``an activity``.
        at: When it was due, unix seconds.
        took_s: Until a worker had it, seconds.
    """

    kind: str
    at: float
    took_s: float


@dataclass(frozen=True)
class Waits:
    """All tasks of some runs.

    Attributes:
        seen: Those that a worker took at the first attempt.
        again: Activities that were tried again; the history does not have when each attempt was due.
    """

    seen: list[Wait]
    again: int

    @property
    def kinds(self) -> list[str]:
        return sorted({one.kind for one in self.seen}, reverse=True)

    def of(self, kind: str) -> list[Wait]:
        return [one for one in self.seen if one.kind == kind]


async def waits(client: Client, workflow_ids: Iterable[str]) -> Waits:
    """Read the histories of runs that have ended."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(workflow_id: str) -> Waits:
        async with turn:
            history = await client.get_workflow_handle(workflow_id).fetch_history()
        return of_history(history.events)

    found = await asyncio.gather(*map(one, workflow_ids))
    return Waits([wait for one_ in found for wait in one_.seen], sum(one_.again for one_ in found))


def of_history(events: Sequence[HistoryEvent]) -> Waits:
    """Return what waited in one run.

    A workflow task that no worker took in time (one of a worker that is gone: it keeps its own for ten seconds) is
    scheduled anew, and counts from when it was due first.
    """
    seen: list[Wait] = []
    due: float | None = None
    scheduled: dict[int, float] = {}
    again = 0
    for event in events:
        at = event.event_time.ToNanoseconds() / 1e9
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                due = at if due is None else due
            case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                seen.append(Wait("a workflow task", due or at, at - (due or at)))
                due = None
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = at
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                started = event.activity_task_started_event_attributes
                if started.attempt > 1:
                    again += 1
                else:
                    since = scheduled[started.scheduled_event_id]
                    seen.append(Wait("an activity", since, at - since))
    return Waits(seen, again)


def summary(seconds: Sequence[float]) -> str:
    """Return median, p95, p99 and the most, for a table."""
    if len(seconds) < 2:
        return f"{len(seconds)} only"
    cuts = quantiles(seconds, n=100, method="inclusive")
    return (
        f"median {cuts[49]:.3f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}, most {max(seconds):.1f} (of {len(seconds):,})"
    )
