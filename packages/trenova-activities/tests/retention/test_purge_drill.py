"""A purge of a fleet's log, while its worker, the Temporal server and the database are killed again and again.

The long one takes about a quarter of an hour and 8 GB of disk, and tells how it goes with ``--log-cli-level=INFO``::

    pytest -m slow --log-cli-level=INFO packages/trenova-activities/tests/retention/test_purge_drill.py

``PURGE_DRILL`` changes its size, e.g. ``PURGE_DRILL="rows=500000 kills=10 outages=1"``; see :class:`Drill`.
"""

import asyncio
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from drill_log import Expected, fill, log_agrees, manifest_agrees, purged
from drill_processes import TemporalServer, Worker, crash_postgres, kill_postgres
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from trenova_activities import DeleteAuditEntriesPayload, start_purge
from trenova_activities._timeouts import NIGHTLY
from trenova_activities.database import Database, DatabaseOptions, allow_retention, migrate
from trenova_activities.testing import PostgresServer, install_current_tms
from trenova_errors import ErrorsPlugin

pytestmark = pytest.mark.integration

QUEUE = "purge-drill"
_LOOK_S = 0.1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drill:
    """How much there is, and how often what is killed.

    Attributes:
        rows: Entries of the log, of which about two thirds go.
        organizations: Whose.
        kills: Of the worker.
        outages: Of the Temporal server.
        crashes: Of the database; every other one is ``kill -9`` of the postmaster, the others are immediate shutdowns.
        batch_size: As the request says; 0 leaves it to the job.
        call_s: How long one call of the activity works before it reports.
        patience_s: How long anything may take to go on.
    """

    rows: int
    organizations: int
    kills: int
    outages: int
    crashes: int
    batch_size: int = 0
    call_s: float = 0.5
    patience_s: int = 300


SHORT = Drill(rows=30_000, organizations=10, kills=1, outages=1, crashes=1, batch_size=100)
LONG = Drill(rows=5_000_000, organizations=200, kills=50, outages=5, crashes=2)


@dataclass
class Scene:
    """Everything that runs during a drill."""

    drill: Drill
    url: str
    database: PostgresServer
    temporal: TemporalServer
    worker: Worker
    expected: Expected
    chance: random.Random
    crashes: int = 0
    begun: float = field(default_factory=time.monotonic)

    async def beyond(self, rows: int) -> int:
        """Wait until more rows than these are gone."""
        async with asyncio.timeout(self.drill.patience_s):
            while (now := await purged(self.url)) <= rows:  # noqa: ASYNC110 - what is waited for is another process
                await asyncio.sleep(_LOOK_S)
        return now

    async def life(self, number: int) -> None:
        """Let a worker work; the kill comes somewhere in the life's own part of the work, or soon after it."""
        await asyncio.to_thread(self.worker.start)
        done = await self.beyond(await purged(self.url))
        await self._strikes(number)
        part = (number - 1 + self.chance.random()) / (self.drill.kills + 1)
        now = await self.beyond(max(done, int(self.expected.eligible * part)))
        self.worker.kill()
        self._tell(f"life {number} of {self.drill.kills} ended at {now:,} of {self.expected.eligible:,}")

    async def _strikes(self, number: int) -> None:
        if number in _moments(self.drill.outages, self.drill.kills):
            self.temporal.kill()
            await asyncio.sleep(self.chance.uniform(0, 2))
            await asyncio.to_thread(self.temporal.start)
            self._tell("the Temporal server is back")
        if number in _moments(self.drill.crashes, self.drill.kills):
            strike: Callable[[PostgresServer], None] = (kill_postgres, crash_postgres)[self.crashes % 2]
            await asyncio.to_thread(strike, self.database)
            self.crashes += 1
            await self.beyond(await purged(self.url))
            self._tell(f"the database is back after {strike.__name__}")

    def _tell(self, what: str) -> None:
        _log.info("%4.0f s: %s", time.monotonic() - self.begun, what)


def _moments(count: int, lives: int) -> set[int]:
    return {1 + lives * (2 * number + 1) // (2 * count) for number in range(count)} if count else set()


@asynccontextmanager
async def scene(drill: Drill, folder: Path) -> AsyncIterator[Scene]:
    # A commit that was told is kept; nothing here takes away what the operating system has been given.
    settings = ["synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB", "maintenance_work_mem=256MB"]
    temporal = TemporalServer(folder)
    with PostgresServer(settings=settings) as server:
        url = server.create_database()
        install_current_tms(url)
        async with Database.open(DatabaseOptions(url=url)) as database:
            await migrate(database)
            await allow_retention(database)
        expected = await fill(url, rows=drill.rows, organizations=drill.organizations)
        worker: Worker | None = None
        try:
            await asyncio.to_thread(temporal.start)
            worker = Worker((temporal.address, QUEUE, url, str(drill.call_s)))
            yield Scene(drill, url, server, temporal, worker, expected, random.Random(drill.rows))
        finally:
            if worker is not None:
                worker.kill()
            temporal.kill()


async def survive(drill: Drill, folder: Path) -> None:
    async with scene(drill, folder) as found:
        client = await Client.connect(found.temporal.address, plugins=[ErrorsPlugin()])
        payload = DeleteAuditEntriesPayload(batch_size=drill.batch_size or None)
        handle = await start_purge(client, payload, task_queue=QUEUE)
        for number in range(1, drill.kills + 1):
            await found.life(number)
        assert await purged(found.url) < found.expected.eligible, "the purge was over before the last kill"
        await asyncio.to_thread(found.worker.start)
        result = await asyncio.wait_for(handle.result(), drill.patience_s)

        assert (found.worker.kills, found.temporal.kills, found.crashes) == (drill.kills, drill.outages, drill.crashes)
        assert result.total_deleted == found.expected.eligible
        assert not result.partial_failures
        assert handle.first_execution_run_id is not None
        await log_agrees(found.url, found.expected)
        seal = result.data["manifest"]
        await manifest_agrees(found.url, found.expected, handle.first_execution_run_id, seal)
        executions = await one_chain(client, handle)
        _log.info("%s rows, %s workflow executions", f"{result.total_deleted:,}", executions)


async def one_chain(client: Client, handle: WorkflowHandle) -> int:
    """Every execution of the workflow belongs to one chain, of which the last is completed and no other; count them."""
    described = await handle.describe()
    assert described.status == WorkflowExecutionStatus.COMPLETED
    async with asyncio.timeout(60):
        while True:  # what is closed becomes visible a moment later
            found = [one async for one in client.list_workflows(f"WorkflowId = '{handle.id}'")]
            if all(one.status != WorkflowExecutionStatus.RUNNING for one in found) and found:
                break
            await asyncio.sleep(_LOOK_S)
    *before, last = [one.status for one in sorted(found, key=lambda one: one.start_time)]
    assert last == WorkflowExecutionStatus.COMPLETED
    assert set(before) <= {WorkflowExecutionStatus.CONTINUED_AS_NEW}
    whole = [await client.get_workflow_handle(one.id, run_id=one.run_id).describe() for one in found]
    assert {one.raw_info.first_run_id for one in whole} == {handle.first_execution_run_id}
    return len(found)


def asked() -> Drill:
    """The long drill, with what ``PURGE_DRILL`` says otherwise."""
    words = dict(word.split("=") for word in os.environ.get("PURGE_DRILL", "").split())
    kinds = {"call_s": float}
    return replace(LONG, **{name: kinds.get(name, int)(value) for name, value in words.items()})


def test_a_dead_worker_is_found_within_ten_seconds():
    assert NIGHTLY["heartbeat_timeout"] == timedelta(seconds=10)


@pytest.mark.timeout(300)
async def test_30_000_entries_one_dead_worker_and_one_crash_of_each_server(tmp_path: Path):
    await survive(SHORT, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_5_000_000_entries_fifty_dead_workers_and_seven_dead_servers(tmp_path: Path):
    await survive(asked(), tmp_path)
