"""``trenova-workers up`` with the three services, as its user has it."""

import asyncio
import json
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from tms_rows import opened, seeded, sqlite_url
from up_process import Up

from trenova_activities import start_duplicate

QUEUES = {
    "shipment-worker": "shipment-queue",
    "notification-worker": "notification-queue",
    "system-worker": "system-queue",
}


@pytest.fixture
def ups() -> Iterator[list[Up]]:
    """The test's own ups; it appends those that it starts."""
    started: list[Up] = []
    yield started
    for up in started:
        up.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Up]:
    """An ``up`` for those tests that leave it running."""
    up = Up(tmp_path_factory.mktemp("running") / "data")
    try:
        up.until_ready()
        yield up
    finally:
        up.close()


def gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert not [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


async def pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> set[str]:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )
    return {poller.identity.partition("@")[0] for poller in answer.pollers}


async def test_the_table_names_every_worker_and_every_queue_is_polled(running):
    client = await running.client()

    for worker, queue in QUEUES.items():
        pid = int(running.until(rf"^ *{worker} +{queue} +(\d+) +ready ")[1])
        assert running.worker(worker.replace("-", "_")).pid == pid
        for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
            assert worker in await pollers(client, queue, kind)
    assert running.until(r"^Temporal UI +http://127\.0\.0\.1:\d+")


def test_a_second_up_on_the_same_folder_is_refused_with_the_pid_of_the_first(running, ups):
    second = Up(running.folder)
    ups.append(second)

    assert second.process.wait(30) == 1
    second.until(rf"in use by another `trenova-workers up` \(pid {running.process.pid}\)")
    assert running.process.poll() is None


def test_a_port_that_is_taken_is_refused_with_the_option_that_changes_it(tmp_path, ups):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = Up(tmp_path / "data", "--port", str(port))
        ups.append(up)

        assert up.process.wait(30) == 1

    up.until(rf"\b{port}\b(.|\n)*--port")


async def test_a_worker_that_is_killed_is_started_again_and_does_its_work(running):
    await seeded(sqlite_url(running.folder))
    killed = running.worker("shipment_worker")

    killed.kill()
    again = int(await asyncio.to_thread(lambda: running.until(r"shipment-worker is ready again \(pid (\d+)\)")[1]))

    assert again == running.worker("shipment_worker").pid != killed.pid
    async with opened(sqlite_url(running.folder)) as tms:
        request = tms.request()
        result = await asyncio.wait_for((await start_duplicate(await running.client(), request)).result(), 40)
        assert await tms.found(request, result.shipment_ids) == await tms.asked(request)


def test_sigterm_ends_everything_with_status_0(tmp_path, ups):
    up = Up(tmp_path / "data")
    ups.append(up)
    up.until_ready()
    family = up.family()
    assert {up.worker(worker.replace("-", "_")) for worker in QUEUES} < set(family)

    status = up.end(signal.SIGTERM)

    assert status == 0, up.printed
    gone(family)
    mine = str(tmp_path)
    left = [
        one.info["cmdline"] for one in psutil.process_iter(["cmdline"]) if mine in " ".join(one.info["cmdline"] or [])
    ]
    assert not left
    assert "Traceback" not in up.printed


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_what_was_running_when_everything_was_killed_is_done_by_the_next_up(tmp_path, ups):
    folder = tmp_path / "data"
    ups.append(Up(folder))
    await asyncio.to_thread(ups[0].until_ready)
    await seeded(sqlite_url(folder))
    client = await ups[0].client()
    async with opened(sqlite_url(folder)) as tms:
        before = await tms.counts()
        running, pending = tms.request(idempotency_key="running"), tms.request(idempotency_key="pending", count=2)
        with locked(folder):
            handle = await start_duplicate(client, running)
            await until_started(handle)
            ups[0].worker("shipment_worker").suspend()
            waiting = await start_duplicate(client, pending)
            family = ups[0].family()
            for one in [psutil.Process(ups[0].process.pid), *family]:
                with suppress(psutil.NoSuchProcess):  # what it had started and was ending just then
                    one.kill()
            gone(family)
        ups.append(Up(folder))
        await asyncio.to_thread(ups[1].until_ready)
        client = await ups[1].client()

        expected = dict.fromkeys(before, 0)
        for request, workflow_id in ((running, handle.id), (pending, waiting.id)):
            result = await asyncio.wait_for((await start_duplicate(client, request)).result(), 60)
            await asyncio.wait_for(client.get_workflow_handle(f"{workflow_id}/notify").result(), 20)
            assert result.job_id == workflow_id
            asked = await tms.asked(request)
            assert await tms.found(request, result.shipment_ids) == asked
            for table, rows in asked.items():
                expected[table] += rows
        after = await tms.counts()
        assert {table: after[table] - before[table] for table in asked} == {table: expected[table] for table in asked}
        assert after["notifications"] - before["notifications"] == 2
        assert after["trenova_jobs_idempotency_keys"] - before["trenova_jobs_idempotency_keys"] == 2
    assert await asyncio.to_thread(ups[1].end, signal.SIGTERM) == 0


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the write lock of the TMS's file, so that a duplication begins and cannot end."""
    database = sqlite3.connect(folder / "tms.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


async def until_started(handle) -> None:
    end_at = time.monotonic() + 20
    while time.monotonic() < end_at:
        pending = (await handle.describe()).raw_description.pending_activities
        if pending and pending[0].state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{handle.id} was never begun")


async def test_the_codec_server_decodes_for_whoever_reads_its_file_and_for_nobody_else(running):
    """`running` shows how it is found; what it decodes is tried in its own package."""
    link = running.until(r"^ *codec-server +(http://127\.0\.0\.1:\d+)/sign-in#[\w-]+ +\d+ +ready ")[1]
    file = running.folder / "consoles" / "codec-server.json"
    left = json.loads(file.read_text())
    payloads = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}

    assert file.stat().st_mode & 0o777 == 0o600
    assert left["url"] == link
    async with httpx.AsyncClient(base_url=link, headers={"X-Namespace": "default"}, trust_env=False) as client:
        assert (await client.post("/decode", json=payloads)).status_code == 401
        client.headers["Authorization"] = f"Bearer {left['key']}"
        assert (await client.post("/decode", json=payloads)).json() == payloads
        ui = running.until(r"^Temporal UI +(http://127\.0\.0\.1:\d+)")[1]
        settings = (await client.get(f"{ui}/api/v1/settings")).json()
    assert settings["Codec"]["Endpoint"] == link
