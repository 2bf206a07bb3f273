"""What the ledger says that attempts did, and what histories say that they should have done."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

_AT_ONCE = 16


@dataclass
class Told:
    """The lines of one workflow: ``(attempt, pid)`` of starts, and how those attempts ended that came to an end."""

    started: list[tuple[int, int]] = field(default_factory=list)
    ended: dict[tuple[int, int], str] = field(default_factory=dict)
    made: int = 0


def read_ledger(ledger: Path) -> dict[str, Told]:
    """Return what every workflow's attempts told."""
    told: defaultdict[str, Told] = defaultdict(Told)
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    for line in map(json.loads, lines):
        one, who = told[line["workflow"]], (line["attempt"], line["pid"])
        if line["event"] == "started":
            one.started.append(who)
        else:
            one.ended[who] = line["how"]
            one.made += line.get("made", False)
    return dict(told)


def effects(ledger: Path) -> set[str]:
    """Return the keys of what was delivered; a key is delivered once or not at all."""
    folder = ledger.with_name("effects")
    return {one.name for one in folder.iterdir()} if folder.exists() else set()


@dataclass(frozen=True)
class History:
    """What the server has of one workflow: the waits of its tasks, and how it went.

    Attributes:
        workflow: Its id.
        completed: Whether it ended well.
        scheduled: When its activity was scheduled, in seconds since the epoch.
        wait_s: From there to the start of the last attempt.
        first_task_s: The same of its first workflow task.
        attempt: The number of the last attempt.
    """

    workflow: str
    completed: bool
    scheduled: float
    wait_s: float
    first_task_s: float
    attempt: int


async def read_histories(client: Client, workflows: Iterable[str]) -> list[History]:
    """Read the histories of workflows."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(workflow: str) -> History:
        async with limit:
            return await _history(client, workflow)

    return await asyncio.gather(*(one(workflow) for workflow in workflows))


async def _history(client: Client, workflow: str) -> History:
    times: dict[str, float] = {}
    attempt, last = 0, EventType.EVENT_TYPE_UNSPECIFIED
    history = await client.get_workflow_handle(workflow).fetch_history()
    for event in history.events:
        name, at = EventType.Name(event.event_type), event.event_time.ToNanoseconds() / 1e9
        if name.startswith(("EVENT_TYPE_WORKFLOW_TASK", "EVENT_TYPE_ACTIVITY_TASK")):
            times.setdefault(name.removeprefix("EVENT_TYPE_"), at)
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            attempt = event.activity_task_started_event_attributes.attempt
        last = event.event_type
    scheduled = times.get("ACTIVITY_TASK_SCHEDULED", 0.0)
    return History(
        workflow,
        completed=last == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        scheduled=scheduled,
        wait_s=times.get("ACTIVITY_TASK_STARTED", scheduled) - scheduled,
        first_task_s=times.get("WORKFLOW_TASK_STARTED", 0.0) - times.get("WORKFLOW_TASK_SCHEDULED", 0.0),
        attempt=attempt,
    )


async def count_open(client: Client, queue: str) -> int:
    """Return how many workflows of a queue run."""
    status = WorkflowExecutionStatus.RUNNING.name.title()
    return (await client.count_workflows(f"TaskQueue = '{queue}' AND ExecutionStatus = '{status}'")).count


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
