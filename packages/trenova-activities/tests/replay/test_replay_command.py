"""``trenova-activities replay`` as a person types it: kept histories, and open runs of a real server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker
from typer.testing import CliRunner

from trenova_activities.cli import app

HERE = Path(__file__).parent
CHANGED, CODEC = HERE / "changed", HERE / "codec"
RELEASED = HERE.parent / "histories" / "0.1.0"
OWN = ("--workflows", "changed_workflows")
_SLEEPS = 5
"""Events of a run whose first task was done and set a timer."""


async def replay(*arguments: str, client: Client | None = None, key: str = "") -> tuple[int, str]:
    code = "import sys; from trenova_activities.cli import main; sys.argv[0] = 'trenova-activities'; main()"
    address = "127.0.0.1:1" if client is None else client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "replay", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=CHANGED,
        env={
            **os.environ,
            "PYTHONPATH": os.fspath(CODEC),
            "TEMPORAL_ADDRESS": address,
            "TRENOVA_CODECS_PLAIN": "1",  # where trenova-codecs is installed, it would want keys
            "REPLAY_TEST_KEY": key,
            "COLUMNS": "200",
        },
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


@workflow.defn(name="ReplayKept", sandboxed=False)
class KeptBefore:
    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.sleep(3600)


@workflow.defn(name="ReplayBroken", sandboxed=False)
class BrokenBefore:
    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.sleep(3600)


@workflow.defn(name="ReplayRaises", sandboxed=False)
class RaisesBefore:
    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.sleep(3600)


@workflow.defn(name="ReplayNeighbour", sandboxed=False)
class NeighbourBefore:
    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.sleep(3600)


BEFORE = (KeptBefore, BrokenBefore, RaisesBefore, NeighbourBefore)
"""Workflows as open runs have begun them."""


@dataclass
class Runs:
    """Open runs of one queue."""

    client: Client
    queue: str

    @property
    def query(self) -> tuple[str, str]:
        return "--query", f"TaskQueue = '{self.queue}'"

    async def begin(self, *types: str) -> dict[str, WorkflowHandle]:
        """Start a run of each type and wait until the server lists them, each begun by a worker."""
        async with Worker(self.client, task_queue=self.queue, workflows=BEFORE):
            begun = {name: await self.wait(name) for name in types}
            for handle in begun.values():
                while (await handle.describe()).history_length < _SLEEPS:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.05)
        await self.listed(len(types))
        return begun

    async def wait(self, name: str, delay: timedelta | None = None) -> WorkflowHandle:
        """Start a run, which waits for a worker; with a delay it has no task yet."""
        return await self.client.start_workflow(
            name, "said", id=f"{self.queue}/{name}", task_queue=self.queue, start_delay=delay
        )

    async def listed(self, count: int) -> None:
        query = f"{self.query[1]} AND ExecutionStatus = 'Running'"
        while (await self.client.count_workflows(query)).count != count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


@pytest.fixture
async def runs(client: Client, queue: str) -> AsyncIterator[Runs]:
    opened = Runs(client, queue)
    yield opened
    async for run in client.list_workflows(f"{opened.query[1]} AND ExecutionStatus = 'Running'"):
        await client.get_workflow_handle(run.id).terminate()


async def test_an_extra_activity_in_a_released_workflow_stops_the_gate():
    status, said = await replay(str(RELEASED), *OWN)

    assert status == 1, said
    [differs] = [line for line in said.splitlines() if line.startswith("DIFFERS")]
    assert "CheckDatabaseWorkflow.ready.json (CheckDatabaseWorkflow): " in differs
    assert "[TMPRL1100]" in differs
    assert "activity id of activity command 'count'" in differs
    assert said.count("replays ") == len(list(RELEASED.glob("*.json"))) - 1
    assert "workflow.patched" in said
    assert "docs/changing-workflows.md" in said


@pytest.mark.integration
async def test_workflows_that_another_installed_package_names_need_no_module(runs):
    await runs.begin("ReplayNeighbour")
    status, said = await replay("--from-server", *runs.query, client=runs.client)

    assert status == 0, said
    assert "1 histories: 1 replay" in said


@pytest.mark.integration
async def test_open_runs_that_the_code_would_stop_at_are_named(runs):
    begun = await runs.begin("ReplayKept", "ReplayBroken", "ReplayRaises")
    status, said = await replay("--from-server", *runs.query, *OWN, client=runs.client)

    assert status == 1, said
    lines = {line.partition("(")[2].partition(")")[0]: line for line in said.splitlines() if "(Replay" in line}
    where = {name: f"{handle.id} run {handle.result_run_id} ({name})" for name, handle in begun.items()}
    assert lines["ReplayKept"].split(None, 1) == ["replays", where["ReplayKept"]]
    assert lines["ReplayBroken"].startswith(f"DIFFERS    {where['ReplayBroken']}: [TMPRL1100]")
    assert lines["ReplayRaises"] == f"DIFFERS    {where['ReplayRaises']}: nobody thought of this"
    assert "3 histories: 1 replay, 2 differ, 0 unreadable." in said


@pytest.mark.integration
async def test_a_run_of_a_type_that_the_code_lacks_stops_the_gate_and_one_that_waits_does_not(runs):
    await runs.wait("ReplayKept", timedelta(hours=1))
    await runs.wait("ReplayBroken")
    await runs.listed(2)
    waits, replayed = await replay("--from-server", *runs.query, *OWN, client=runs.client)
    lacks, said = await replay("--from-server", *runs.query, "--limit", "1", client=runs.client)

    assert (waits, lacks) == (0, 1), said
    assert "(ReplayKept): no worker has run it yet" in replayed
    assert "(ReplayBroken): no worker has run it yet" in replayed
    assert "1 histories: 0 replay, 1 differ" in said
    assert "There is no workflow of this type" in said


@pytest.mark.integration
async def test_runs_that_ended_lately_are_looked_at_where_that_is_asked(runs):
    begun = await runs.begin("ReplayBroken")
    await begun["ReplayBroken"].terminate()
    await runs.listed(0)
    asked = ("--from-server", *runs.query, *OWN)
    open_, none = await replay(*asked, client=runs.client)
    closed, said = await replay(*asked, "--closed-hours", "1", client=runs.client)

    assert (open_, closed) == (0, 1), said
    assert "0 histories" in none
    assert "[TMPRL1100]" in said


@pytest.mark.integration
async def test_what_cannot_be_decoded_is_told_apart_and_the_key_of_the_client_plugins_reads_it(
    runs, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(CODEC)
    from replay_test_codec import with_key

    config = runs.client.config()
    converter = replace(config["data_converter"], payload_codec=with_key(b"right").payload_codec)
    sealed = Runs(Client(**{**config, "data_converter": converter, "plugins": []}), runs.queue)
    begun = await sealed.begin("ReplayKept")
    kept = tmp_path / "ReplayKept.json"
    kept.write_text((await begun["ReplayKept"].fetch_history()).to_json())

    asked = ("--from-server", *runs.query, *OWN)
    found = {key: await replay(*asked, client=runs.client, key=key) for key in ("right", "wrong", "")}
    file, said = await replay(str(tmp_path), *OWN, key="right")

    assert {key: status for key, (status, _) in found.items()} == {"right": 0, "wrong": 2, "": 2}, found
    assert "(ReplayKept): This payload needs another key." in found["wrong"][1]
    assert "(ReplayKept): Unknown payload encoding binary/replay-test" in found[""][1]
    assert "0 differ, 1 unreadable." in found["wrong"][1]
    assert file == 0, said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--from-server",), "No Temporal server at '127.0.0.1:1' lets us in: Connection refused"),
        ((), "Name folders of histories, or --from-server"),
        (("nowhere",), "'nowhere' holds no history"),
        (("changed_workflows.py",), "unreadable changed_workflows.py: It is no history in JSON"),
        ((str(RELEASED), "--workflows", "no_such_module"), "The module 'no_such_module' cannot be imported"),
    ],
    ids=["no server", "nothing named", "no folder", "no history", "no module"],
)
def test_who_cannot_look_says_so_with_a_status_of_its_own(arguments, why, monkeypatch):
    monkeypatch.chdir(CHANGED)
    monkeypatch.setattr(sys, "path", [*sys.path])
    environment = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "TRENOVA_CODECS_PLAIN": "1", "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["replay", *arguments], env=environment)

    assert done.exit_code == 2, done.output
    assert why in done.output


@pytest.mark.integration
async def test_a_query_that_the_server_does_not_understand_is_no_verdict(client):
    status, said = await replay("--from-server", "--query", "Nonsense = 1", client=client)

    assert status == 2, said
    assert "The Temporal server does not tell: " in said
