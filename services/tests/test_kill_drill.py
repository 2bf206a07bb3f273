"""A worker is killed again and again in the middle of a duplication; the copies are made once all the same."""

import asyncio
import logging
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from service_processes import KEYS, Running, Services, TemporalServer, clean_environ, end
from slow_wire import SlowWire
from sqlalchemy import make_url
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from tms_rows import Tms, enlarge, opened, sqlite_url

from trenova_activities import (
    SHIPMENT_QUEUE,
    DuplicateShipmentPayload,
    DuplicateShipmentResult,
    DuplicateShipmentWorkflow,
    start_duplicate,
)
from trenova_errors import ConflictError

COPIES = 100
WIRE_DELAY_S = 0.02
LONGEST_ATTEMPT_S = 40
POLL_S = 0.01

_log = logging.getLogger(__name__)

Moment = Callable[["Drill"], Awaitable[str]]


@dataclass
class Drill:
    """One database, its two workers, and the duplications during which one of them is killed."""

    name: str
    services: Services
    tms: Tms
    client: Client
    chance: random.Random
    wire: SlowWire
    worker: Running
    shipment_environ: dict[str, str]
    hasten: bool
    span_s: float = 0.0
    runs: dict[str, DuplicateShipmentPayload] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        hits = ", ".join(self.hits)
        return f"{self.name}: {len(self.runs)} duplications of {self.span_s:.2f} s, {len(self.hits)} kills: {hits}"

    def request(self, key: str) -> DuplicateShipmentPayload:
        return self.tms.request(idempotency_key=key, count=COPIES)

    async def undisturbed(self) -> None:
        """Learn how long an attempt takes here."""
        handle = await start_duplicate(self.client, self.request("undisturbed"))
        await asyncio.wait_for(handle.result(), LONGEST_ATTEMPT_S)
        times = {
            event.WhichOneof("attributes"): event.event_time.ToDatetime()
            for event in (await handle.fetch_history()).events
        }
        took = times["activity_task_completed_event_attributes"] - times["activity_task_started_event_attributes"]
        self.span_s = took.total_seconds()
        self.runs[handle.id] = self.request("undisturbed")

    async def kill_at(self, moments: list[Moment]) -> None:
        """Kill the worker at each moment; a kill that came after the attempt's end does not count."""
        waiting = list(moments)
        while waiting:
            request = self.request(f"drill-{len(self.runs)}")
            handle = await start_duplicate(self.client, request)
            self.runs[handle.id] = request
            attempt: datetime | None = None
            while waiting and (attempt := await self._started(handle, attempt)):
                where = await waiting[0](self)
                if await self._kill(handle, attempt):
                    self.hits.append(where)
                    waiting.pop(0)
        for workflow_id in self.runs:
            await asyncio.wait_for(self.client.get_workflow_handle(workflow_id).result(), 2 * LONGEST_ATTEMPT_S)

    async def _kill(self, handle: WorkflowHandle, attempt: datetime) -> bool:
        self.worker.kill()
        self.wire.withhold = False
        self.wire.committed.clear()
        pending = await self._pending(handle)
        hit = pending is not None and pending.last_started_time.ToDatetime() == attempt
        self.worker = self.services.run("shipment_worker", **self.shipment_environ)
        return hit

    async def _started(self, handle: WorkflowHandle, before: datetime | None) -> datetime | None:
        """Wait for the next attempt; None if the run ended without one."""
        end_at = time.monotonic() + LONGEST_ATTEMPT_S + 60
        while time.monotonic() < end_at:
            pending = await self._pending(handle)
            if pending is None:
                if (await handle.describe()).status != WorkflowExecutionStatus.RUNNING:
                    return None
            elif pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
                started = pending.last_started_time.ToDatetime()
                if started != before:
                    return started
            elif before is not None and self.hasten:
                await self._reset(handle)
            await asyncio.sleep(POLL_S)
        raise TimeoutError(f"no further attempt of {handle.id}")

    async def _pending(self, handle: WorkflowHandle) -> PendingActivityInfo | None:
        pending = (await handle.describe()).raw_description.pending_activities
        return pending[0] if pending else None

    async def _reset(self, handle: WorkflowHandle) -> None:
        """Do what an operator does who will not wait for a back-off that grows to a minute."""
        await self.client.workflow_service.reset_activity(
            ResetActivityRequest(
                namespace=self.client.namespace,
                execution=WorkflowExecution(workflow_id=handle.id),
                id="duplicate",
            )
        )
        await asyncio.sleep(0.2)


async def somewhere(drill: Drill) -> str:
    """Wait for a random part of what an attempt takes."""
    part = drill.chance.uniform(0, 0.95)
    await asyncio.sleep(part * drill.span_s)
    return f"{part:4.0%} {drill.wire.last}"


async def between_commit_and_answer(drill: Drill) -> str:
    """Wait until the copies are there and the server of Temporal has not heard of them."""
    if not drill.tms.database.options.is_sqlite:
        drill.wire.withhold = True
        await asyncio.wait_for(drill.wire.committed.wait(), LONGEST_ATTEMPT_S)
        return "committed"
    key = list(drill.runs.values())[-1].idempotency_key
    end_at = time.monotonic() + LONGEST_ATTEMPT_S
    while time.monotonic() < end_at and not await drill.tms.keys(str(key)):  # noqa: ASYNC110 (a row wakes nobody)
        await asyncio.sleep(POLL_S)
    return "committed"


@asynccontextmanager
async def drilled(folder: Path, url: str, *, seed: int, hasten: bool = False) -> AsyncIterator[Drill]:
    """Start both workers on a database with a large shipment.

    The shipment worker has a slow wire to PostgreSQL, or with SQLite to the server of Temporal, so that there is
    time to hit it.
    """
    folder.mkdir(exist_ok=True)
    temporal = await asyncio.to_thread(TemporalServer)
    services = Services(folder, clean_environ(TEMPORAL_ADDRESS=temporal.address, TRENOVA_DATABASE__URL=url, **KEYS))
    sqlite = url.startswith("sqlite")
    target = int(temporal.address.rpartition(":")[2]) if sqlite else make_url(url).port
    try:
        await enlarge(url, **({"moves": 10, "stops": 10} if sqlite else {"moves": 4, "stops": 4}), goods=10, charges=10)
        async with opened(url) as tms, SlowWire.open(int(target or 0), WIRE_DELAY_S) as wire:
            behind = make_url(url).set(port=wire.port).render_as_string(hide_password=False)
            environ = (
                {"TEMPORAL_ADDRESS": f"127.0.0.1:{wire.port}"} if sqlite else {"SHIPMENT_WORKER_DATABASE__URL": behind}
            )
            await asyncio.to_thread(services.prepare, "shipment_worker", "notification_worker")
            others = services.run("notification_worker")
            worker = services.run("shipment_worker", **environ)
            for one in (others, worker):
                await asyncio.to_thread(one.until_ready)
            drill = Drill(
                name="SQLite" if sqlite else "PostgreSQL",
                services=services,
                tms=tms,
                client=await services.client(),
                chance=random.Random(seed),
                wire=wire,
                worker=worker,
                shipment_environ=environ,
                hasten=hasten,
            )
            yield drill
    finally:
        services.close()
        end(temporal.process)


async def made_once(drill: Drill, before: dict[str, int]) -> None:
    """Compare every table with what was asked for, and every run with its own copies."""
    expected: Counter[str] = Counter()
    for workflow_id, request in drill.runs.items():
        result = await drill.client.get_workflow_handle_for(DuplicateShipmentWorkflow.run, workflow_id).result()
        await asyncio.wait_for(drill.client.get_workflow_handle(f"{workflow_id}/notify").result(), 30)
        asked = await drill.tms.asked(request)
        expected.update(asked, notifications=1, deliveries=1, idempotency_keys=1)
        assert (result.count, len(set(result.shipment_ids)), len(set(result.pro_numbers))) == (COPIES,) * 3
        assert await drill.tms.found(request, result.shipment_ids) == asked
        assert await drill.tms.audited(result.shipment_ids) == sorted(result.shipment_ids)
        assert [row.delivery_status for row in await drill.tms.notifications(workflow_id)] == ["delivered"]
        assert [row.workflow_id for row in await drill.tms.keys(str(request.idempotency_key))] == [workflow_id]
    assert _added(before, await drill.tms.counts()) == expected


async def asked_again(drill: Drill) -> None:
    """The same key gives the same copies, whoever asks; another request under it is a conflict."""
    workflow_id, request = list(drill.runs.items())[-1]
    made: DuplicateShipmentResult = await drill.client.get_workflow_handle_for(
        DuplicateShipmentWorkflow.run, workflow_id
    ).result()
    before = await drill.tms.counts()

    again = await (await start_duplicate(drill.client, request)).result()
    other_id = await drill.client.execute_workflow(
        DuplicateShipmentWorkflow.run, request, id=f"{workflow_id}/other", task_queue=SHIPMENT_QUEUE
    )

    assert again == made
    assert other_id.shipment_ids == made.shipment_ids
    assert other_id.pro_numbers == made.pro_numbers
    for changes in ({"count": COPIES - 1}, {"override_dates": True}, {"include_commodities": False}):
        other = request.model_copy(update=changes)
        with pytest.raises(ConflictError):
            await start_duplicate(drill.client, other)
        handle = await drill.client.start_workflow(
            DuplicateShipmentWorkflow.run, other, id=f"{workflow_id}/{next(iter(changes))}", task_queue=SHIPMENT_QUEUE
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 30)
        failure = failed.value.cause.cause
        assert (failure.type, failure.non_retryable) == ("conflict", True)
        assert str(request.idempotency_key) in failure.message
        await drill.client.get_workflow_handle(f"{handle.id}/notify").result()
    await drill.client.get_workflow_handle(f"{workflow_id}/other/notify").result()
    # Each run under an id of its own tells of itself; nothing else is new.
    assert _added(before, await drill.tms.counts()) == {"notifications": 4, "deliveries": 4}


async def whole(folder: Path, url: str, moments: list[Moment], *, seed: int, hasten: bool = False) -> Drill:
    async with drilled(folder, url, seed=seed, hasten=hasten) as drill:
        before = await drill.tms.counts()
        await drill.undisturbed()
        await drill.kill_at(moments)
        _log.info("%s", drill)
        await made_once(drill, before)
        await asked_again(drill)
    return drill


def _added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    added = {table.rpartition(".")[2].removeprefix("trenova_jobs_"): n - before[table] for table, n in after.items()}
    return {table: rows for table, rows in added.items() if rows and table != "sequences"}


@pytest.fixture
def urls(tmp_path, seeded_sqlite, seeded_postgres, postgres_server) -> dict[str, str]:
    for name in ("sqlite", "postgresql"):
        (tmp_path / name).mkdir()
    shutil.copyfile(seeded_sqlite, tmp_path / "sqlite" / "tms.db")
    return {
        "sqlite": sqlite_url(tmp_path / "sqlite"),
        "postgresql": postgres_server.create_database(template=seeded_postgres),
    }


@pytest.mark.timeout(300)
async def test_a_worker_killed_twice_makes_every_copy_once(tmp_path, urls):
    moments = [somewhere, between_commit_and_answer]

    drills = await asyncio.gather(*(whole(tmp_path / name, url, moments, seed=3) for name, url in urls.items()))

    assert [len(drill.hits) for drill in drills] == [2, 2]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_worker_killed_twenty_times_makes_every_copy_once(tmp_path, urls, database):
    moments = [*[somewhere] * 9, between_commit_and_answer] * 2

    drill = await whole(tmp_path / database, urls[database], moments, seed=20, hasten=True)

    assert len(drill.hits) == 20
