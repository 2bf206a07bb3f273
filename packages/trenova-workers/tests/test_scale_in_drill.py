"""Workers are taken away under load, one after the other, and no attempt of an activity notices."""

import asyncio
import itertools
import json
import logging
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sample_worker._drill import STEPS, Drill
from sample_worker.waiting import eventually
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

WORKERS = 3
AT_ONCE = 15
BUSY_S = 0.7
ENDS_S = 120  # a workflow task that a stop delays holds its workflow up for ten seconds, and that may happen repeatedly
KINDS = [("nap", 0.4), ("steps", 0.0), ("block", 0.6), ("nap", 3.0), ("flaky", 0.2), ("nap", 0.8), ("block", 2.0)]
ATTEMPTS = {"flaky": 2}

LOST = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
}
# The SDK may drop a workflow task that arrives within some 50 ms of the stop; it holds its workflow up for ten seconds.
LATE = EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT

_log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def server(closing_server: Any) -> Any:
    """Processes of the sample service and the client are here with the server that ends polls."""
    return closing_server


@dataclass
class Load:
    """Keeps a number of workflows running, of each kind in turn."""

    client: Client
    queue: str
    handles: list[WorkflowHandle[Drill, None]] = field(default_factory=list)
    kinds: Iterator[tuple[str, float]] = field(default_factory=lambda: itertools.cycle(KINDS))
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        while not self.over.is_set():
            kind, seconds = next(self.kinds)
            handle = await self.client.start_workflow(
                Drill.run, args=[kind, seconds], id=f"{kind}/{uuid.uuid4()}", task_queue=self.queue
            )
            self.handles.append(handle)
            await asyncio.wait_for(handle.result(), ENDS_S)


async def scale_in(sample: Any, times: int) -> list[dict[str, Any]]:
    """Take the oldest of three workers away, start another; what each drain logged at its end."""
    drains = []
    workers = [sample.start("run") for _ in range(WORKERS)]
    for worker in workers:
        await polling(worker)
    for _ in range(times):
        await asyncio.sleep(BUSY_S)
        leaving = workers.pop(0)
        leaving.signal(signal.SIGTERM)
        workers.append(sample.start("run"))
        assert await asyncio.to_thread(leaving.end, seconds=40) == 0, leaving.log.read_text()
        drains += [line for line in leaving.logged() if line["event"] == "drained"]
        await polling(workers[-1])
    return drains


async def polling(worker: Any) -> None:
    def look() -> bool:
        assert worker.process.poll() is None, worker.log.read_text()
        return any(line["event"] == "polling" for line in worker.logged())

    await asyncio.to_thread(eventually, look, seconds=60)


async def drill(sample: Any, client: Client, times: int) -> None:
    ledger = sample.folder / "ledger"
    sample.environ |= {"SAMPLE_WORKER_LEDGER": str(ledger), "SAMPLE_WORKER_WORKER__MAX_CACHED_WORKFLOWS": "100"}
    load = Load(client, sample.queue)
    begun = time.monotonic()
    loading = asyncio.create_task(load.run())
    try:
        drains = await scale_in(sample, times)
        load.over.set()
        await loading
    finally:
        loading.cancel()
    told = totals(drains)
    late: list[str] = []
    disturbed = [found for handle in load.handles if (found := await disturbances(handle, late))]
    _log.info(
        "%d scale-ins in %.0f s under %d workflows, of which %d disturbed, %d late; in drains: %s, the longest %.1f s",
        times,
        time.monotonic() - begun,
        len(load.handles),
        len(disturbed),
        len(late),
        dict(told),
        max(drain["seconds"] for drain in drains),
    )
    _log.info("%d attempts, none twice", nothing_twice(ledger))
    assert disturbed == []
    assert len(drains) == times
    assert (told["cancelled"], told["cut"]) == (0, 0)
    assert told["finished"] >= times  # or it was not under load


def totals(drains: list[dict[str, Any]]) -> Counter[str]:
    names = ("finished", "checkpointed", "cancelled", "failed", "cut")
    return Counter({name: sum(drain[name] for drain in drains) for name in names})


def nothing_twice(ledger: Path) -> int:
    """Every attempt that started has ended, once, and in the way that it should; every step was done once."""
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    started = Counter(attempt_of(line) for line in lines if line["event"] == "started")
    ended = Counter(attempt_of(line) for line in lines if line["event"] == "ended")
    assert started == ended
    assert set(started.values()) == {1}
    assert [attempt for attempt in started if attempt[2] > ATTEMPTS.get(attempt[1], 1)] == []
    ways = {(line["how"], line["attempt"] < ATTEMPTS.get(line["activity"], 1)) for line in lines if "how" in line}
    assert ways <= {("result", False), ("ApplicationError", True)}
    steps = Counter((line["workflow"], line["step"]) for line in lines if line["event"] == "step")
    assert set(steps.values()) <= {1}
    assert set(Counter(workflow for workflow, _ in steps).values()) <= {STEPS}
    return len(started)


def attempt_of(line: dict[str, Any]) -> tuple[str, str, int]:
    return line["workflow"], line["activity"], line["attempt"]


async def disturbances(handle: WorkflowHandle[Drill, None], late: list[str]) -> list[str]:
    """What timed out or failed in a workflow's history that should not have; workflow tasks go to ``late``."""
    assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    names: dict[int, str] = {}
    found: list[str] = []
    events = [event async for event in handle.fetch_history_events()]
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            name = names[started.scheduled_event_id]
            if started.attempt != ATTEMPTS.get(name, 1):
                found.append(f"{handle.id}: {name} took {started.attempt} attempts")
        elif event.event_type == LATE:
            late.append(handle.id)
        elif event.event_type in LOST:
            found.append(f"{handle.id}: {' '.join(str(one) for one in events[event.event_id - 4 : event.event_id])}")
    return found


@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_no_attempt_is_lost_or_repeated_when_workers_leave_under_load(sample, client):
    await drill(sample, client, 3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_no_attempt_is_lost_or_repeated_in_a_hundred_scale_ins(sample, client):
    await drill(sample, client, 100)
