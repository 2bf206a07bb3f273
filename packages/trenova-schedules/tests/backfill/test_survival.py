import asyncio
import socket
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from backfill_site import SCHEDULED_AT, Site
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import preview_backfill


class Processes:
    """A server whose database is kept, and a worker; both can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self._port}"
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def server(self) -> subprocess.Popen[bytes]:
        binary = str(Path(sysconfig.get_path("scripts")) / "temporal")
        pragmas = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1")
        port = ("--headless", "--ip", "127.0.0.1", "--port", str(self._port), "--log-level", "never")
        return self._run(binary, "server", "start-dev", "--db-filename", str(self._folder / "t.db"), *port, *pragmas)

    def worker(self, queue: str) -> subprocess.Popen[bytes]:
        return self._run(sys.executable, str(Path(__file__).parent / "backfill_worker.py"), self.address, queue)

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.wait(10)

    async def client(self) -> Client:
        async with asyncio.timeout(20):
            while True:
                try:
                    return await Client.connect(self.address, plugins=[ErrorsPlugin()], identity="tests")
                except RuntimeError:
                    await asyncio.sleep(0.2)


@pytest.fixture
def processes(tmp_path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.end()


async def count(site, schedule) -> int:
    try:
        return (await site.client.count_workflows(f"TemporalScheduledById = '{schedule.id}'")).count
    except RPCError:
        return 0


async def until_started(site, schedule, many: int) -> None:
    async with asyncio.timeout(60):
        while await count(site, schedule) < many:  # noqa: ASYNC110 (by another process)
            await asyncio.sleep(0.1)


@pytest.mark.integration
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("ticks", "policy"),
    [
        (120, "missing"),
        pytest.param(1_000, "missing", marks=pytest.mark.slow),
        pytest.param(1_000, "all", marks=pytest.mark.slow),
    ],
)
async def test_ticks_run_once_each_though_worker_and_server_are_killed(processes, ticks, policy):
    server = processes.server()
    site = Site(await processes.client())
    schedule = await site.make()
    request = {"start_at": site.hours_ago(20), "end_at": site.hours_ago(20) + timedelta(minutes=ticks)}
    preview = await preview_backfill(site.client, site.ask(schedule, **request), show=ticks)
    worker = processes.worker(site.queue)
    handle = await site.start(schedule, policy=policy, rate_per_second=80.0, **request)

    await until_started(site, schedule, ticks * 3 // 20)
    worker.kill()
    worker = processes.worker(site.queue)
    await until_started(site, schedule, ticks * 2 // 5)
    server.kill()
    server.wait(10)
    await asyncio.sleep(1)
    server = processes.server()
    await processes.client()
    await until_started(site, schedule, ticks * 7 // 10)
    worker.kill()
    processes.worker(site.queue)
    result = await handle.result()
    await asyncio.sleep(1)
    runs = Counter()
    async for run in site.client.list_workflows(f"TemporalScheduledById = '{schedule.id}'"):
        runs[run.typed_search_attributes.get(SCHEDULED_AT)] += 1

    assert sorted(runs) == preview.times
    assert max(runs.values()) == 1
    assert (result.planned, result.started.started, result.started.had_run) == (ticks, ticks, 0)
    assert (result.done, result.digest) == (True, preview.digest)
