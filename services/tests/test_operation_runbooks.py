"""The runbooks of work on the system: their form, and their commands, as printed, on real parts."""

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from runbook import PAGES as RUNBOOKS
from runbook import Page as Runbook
from service_processes import (
    TEMPORAL,
    Services,
    TemporalServer,
    clean_environ,
    end,
    eventually,
    free_port,
)

from trenova_activities.testing import PostgresServer

HEADINGS = ["Meaning", "Impact", "First five minutes", "Diagnosis", "Mitigations", "Verify", "Prevent"]
PAGES = sorted(path.stem for path in RUNBOOKS.glob("*.md") if not path.stem.startswith(("Trenova", "index")))
SCHEDULE = "delete-audit-entries-schedule"
slow = pytest.mark.slow


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_headings_of_an_alerts_page_and_commands(name: str):
    assert re.findall(r"^## (.+)$", Runbook(name).path.read_text(), re.MULTILINE) == HEADINGS
    assert Runbook(name).commands("First five minutes")


def test_each_page_is_found_by_a_symptom():
    listed = set(re.findall(r"\]\(([\w-]+)\.md\)", (RUNBOOKS / "index.md").read_text()))
    assert listed == {path.stem for path in RUNBOOKS.glob("*.md")} - {"index"}


class Shell:
    """Runs commands of a page in the environment of the services."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.environ = services.environ
        self.environ["PATH"] = f"{TEMPORAL.parent}{os.pathsep}{self.environ['PATH']}"

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", command],
            env=self.environ,
            cwd=self.services.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def page(self, name: str, *headings: str) -> str:
        """Run a page's commands, all of which must succeed, and return what they said."""
        said = ""
        for command in (command for heading in headings for command in Runbook(name).commands(heading)):
            done = self.run(command)
            assert done.returncode == 0, f"{name}: {command}\n{done.stdout}{done.stderr}"
            said += done.stdout + done.stderr
        return said


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A Temporal server, services with a key ring in a file, and nothing started yet."""
    server = TemporalServer()
    ring = tmp_path / "keyring.json"
    services = Services(
        tmp_path,
        clean_environ(
            TEMPORAL_ADDRESS=server.address,
            TRENOVA_DATA_DIR=str(tmp_path),
            TRENOVA_CODECS_RING=str(ring),
            TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE="file",
            TRENOVA_CODEC__ENCRYPTION__KEYS__PATH=str(ring),
        ),
    )
    shell = Shell(services)
    assert shell.run("trenova-codecs keys init").returncode == 0
    yield shell
    services.close()
    end(server.process)


@slow
@pytest.mark.timeout(300)
def test_a_key_is_rotated_by_its_page(shell: Shell):
    shell.services.start("shipment_worker")
    shell.environ["KEY_ID"] = "k2"

    shell.page("key-rotation", "First five minutes", "Mitigations")
    shell.page("worker-without-a-key", "First five minutes")


@slow
@pytest.mark.timeout(300)
def test_a_worker_is_drained_by_its_page(shell: Shell):
    (worker,) = shell.services.start("shipment_worker")
    shell.environ["PID"] = str(worker.process.pid)

    assert "shipment" in shell.page("drain", "First five minutes", "Mitigations")
    assert worker.process.wait(60) == 0


@slow
@pytest.mark.timeout(300)
def test_a_failed_deploy_is_rolled_back_by_its_page(shell: Shell):
    shell.environ["TRENOVA_WORKER__DEPLOYMENT__VERSIONED"] = "true"
    shell.services.prepare("shipment_worker")
    for build in ("1.0.0", "2.0.0"):
        shell.services.run("shipment_worker", TRENOVA_WORKER__BUILD_ID=build).until_ready()
        eventually(lambda build=build: shell.run(f"trenova-workers deploy promote {build}").returncode == 0, seconds=90)

    shell.page("failed-deploy", "First five minutes", "Mitigations")

    current = shell.run("temporal worker deployment describe --name shipment-worker").stdout
    assert re.search(r"CurrentVersionBuildID\s+1\.0\.0", current), current


@slow
@pytest.mark.timeout(300)
def test_a_stuck_backfill_is_looked_after_by_its_page(shell: Shell):
    shell.services.start("system_worker")
    made = shell.run(
        "temporal schedule create --schedule-id nightly --interval 1h --type CheckDatabaseWorkflow"
        " --workflow-id nightly --task-queue system-queue --input '{}' --paused"
    )
    assert made.returncode == 0, made.stderr
    started = shell.run(
        "trenova-schedules backfill start nightly --yes --from 2026-11-01 --to 2026-11-20 --reason try --key stuck"
        " --rate 0.1 --policy all --older run"
    )
    assert started.returncode == 0, started.stdout + started.stderr
    shell.environ["BACKFILL_ID"] = "backfill/nightly/stuck"
    shell.page("stuck-backfill", "First five minutes", "Mitigations")


@slow
@pytest.mark.timeout(300)
def test_a_purge_that_is_behind_is_looked_after_by_its_page(shell: Shell):
    shell.services.start("system_worker")
    assert shell.run(f"trenova-schedules trigger {SCHEDULE}").returncode == 0
    listed = shell.run(
        "temporal workflow list --output json --query 'WorkflowType=\"DeleteAuditEntriesWorkflow\"'"
    ).stdout
    shell.environ["WORKFLOW_ID"] = re.findall(r'"workflowId":\s*"([^"]+)"', listed)[0]
    shell.page("purge-behind", "First five minutes", "Mitigations")


@slow
@pytest.mark.timeout(300)
def test_a_database_that_went_away_is_seen_and_its_return_too(shell: Shell):
    with PostgresServer() as database:
        shell.environ["TRENOVA_DATABASE__URL"] = database.create_database()
        (worker,) = shell.services.start("shipment_worker")
        shell.page("database-failover", "First five minutes")
        database.halt()
        commands = Runbook("database-failover").commands("First five minutes")
        assert [shell.run(command).returncode for command in commands] == [1, 1]
        database.start()
        shell.page("database-failover", "First five minutes")
        assert worker.until_ready()


@slow
@pytest.mark.timeout(300)
def test_the_append_only_log_is_looked_at_by_its_page(shell: Shell):
    with PostgresServer() as database:
        shell.environ["TRENOVA_DATABASE__URL"] = database.create_database()
        shell.services.prepare("system_worker")

        assert "trenova" in shell.page("append-only-log", "First five minutes", "Mitigations")


@slow
@pytest.mark.timeout(300)
def test_a_run_under_way_outlives_the_exchange_of_the_server(shell: Shell):
    address = f"127.0.0.1:{free_port()}"
    command = [TEMPORAL, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "never"]
    command += ["--port", address.rpartition(":")[2], "--db-filename", str(shell.services.folder / "temporal.db")]
    shell.environ["TEMPORAL_ADDRESS"] = address
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: shell.run("temporal operator cluster health").returncode == 0, seconds=60)
        (worker,) = shell.services.start("system_worker")
        shell.page("server-upgrade", "First five minutes", "Mitigations")
        assert (shell.services.folder / "schedules.json").stat().st_size
        assert worker.drain() == 0
        asyncio.run(_start_waiting(shell))  # nobody serves it until the server is back
        server.terminate()
        server.wait(60)
        assert shell.run("temporal operator cluster health").returncode != 0
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(lambda: shell.run("temporal operator cluster health").returncode == 0, seconds=60)
        shell.page("server-upgrade", "First five minutes")
        shell.services.run("system_worker")
        asyncio.run(_ended(shell))
    finally:
        end(server)


async def _start_waiting(shell: Shell) -> None:
    client = await shell.services.client()
    await client.start_workflow("CheckDatabaseWorkflow", {}, id="under-way", task_queue="system-queue")


async def _ended(shell: Shell) -> None:
    client = await shell.services.client()
    await asyncio.wait_for(client.get_workflow_handle("under-way").result(), 90)
