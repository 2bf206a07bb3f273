import asyncio
import re
import signal
import sqlite3
import sys

import psutil
import pytest
from temporalio.client import Client
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app
from trenova_workers._up._embedded import installed_binary

pytestmark = [
    pytest.mark.integration,  # many processes: once, not on every Python
    pytest.mark.skipif(
        not installed_binary().exists(), reason="needs the extra [embedded], which brings the temporal program"
    ),
]
# Installed as any package is: an entry point in the metadata of a distribution on the path.
ENTRY_POINTS = "[trenova.workers]\ntiny-worker = tiny_worker\n"
COMMAND = "import typer\nfrom trenova_workers._up.command import up\ntyper.run(up)"


@pytest.fixture
def tiny(stage):
    metadata = stage.folder / "tiny_worker-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-worker\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    stage.environ.pop("PYTHONWARNINGS")

    def up(*options):
        always = ["--data-dir", str(stage.data_dir), "--port", "0", "--ui-port", "0", "--only", "tiny-worker"]
        return stage.start([sys.executable, "-c", COMMAND, *always, *options])

    return up


@pytest.mark.slow
async def test_running_workflows_go_on_after_everything_was_killed(tiny, gone):
    up = tiny()
    handle = await _start(up, "patient")
    family = up.family()
    assert len(family) >= 2

    for process in [psutil.Process(up.pid), *family]:
        process.kill()
    up.end()
    gone(family)
    again = tiny()
    handle = (await _client(again)).get_workflow_handle(handle.id)
    await handle.signal("go")

    assert await handle.result() == "hello patient"
    assert again.end(signal.SIGTERM) == 0


async def test_everything_listens_on_loopback_only_and_the_journal_is_wal(tiny, tmp_path):
    up = tiny()
    up.until_ready()

    listening = [
        connection.laddr.ip
        for child in up.family()
        for connection in child.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 4  # gRPC, HTTP, UI, the worker's health
    assert set(listening) == {"127.0.0.1"}
    with sqlite3.connect(tmp_path / "data" / "temporal.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    assert up.end(signal.SIGTERM) == 0


@pytest.mark.slow
async def test_the_demo_does_real_work_and_leaves_nothing(tiny, stage):
    up = tiny("--demo")

    assert up.end() == 0, up.printed

    assert re.search(r"^greeting +hello demo +hello demo +yes", up.printed, re.MULTILINE)
    assert "1 check agrees" in up.printed
    mine = str(stage.data_dir)
    assert not [one.pid for one in psutil.process_iter(["cmdline"]) if mine in " ".join(one.info["cmdline"] or [])]


async def _client(up):
    return await Client.connect(up.until(r"^Temporal server  (127\.0\.0\.1:\d+)")[1])


async def _start(up, name):
    return await (await _client(up)).start_workflow("Patient", name, id=name, task_queue="tiny-queue")


@pytest.mark.slow
async def test_a_pool_manager_runs_the_workers_if_asked_and_drains_them_at_the_end(tiny, stage, gone):
    up = tiny("--pools", "2", "--no-consoles")
    up.until(r"^Ready after", limit=100)
    up.until(r"^tiny-worker +tiny-queue +\S+ +ready \(1 running\)")
    up.until(r"^pool-manager")
    handle = await _start(up, "patient")
    await handle.signal("go")
    assert await handle.result() == "hello patient"
    family = up.family()
    assert any(one.cmdline()[-2:] == ["tiny_worker", "run"] for one in family)
    command = ["pool", "status", "--data-dir", str(stage.data_dir)]
    asked = await asyncio.to_thread(CliRunner().invoke, workers_app(), command)
    assert "has 1 running" in asked.output, asked.output
    assert up.end(signal.SIGTERM) == 0
    gone(family)


def test_pools_of_what_is_not_started_are_refused(tiny, tmp_path):
    (tmp_path / "pools.yaml").write_text("pools: {other: {process: {service: other-worker}}}")
    up = tiny("--pools", str(tmp_path / "pools.yaml"))
    assert up.end() == 1
    up.until("the pool 'other' is not of a worker that is started here; there are tiny-worker")
