"""``trenova-activities status`` of runs whose key lacks, is revoked or is gone, and the way to end such a run."""

import asyncio
import base64
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from service_processes import TEMPORAL, TemporalServer, clean_environ, codec
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from trenova_activities import DuplicateShipmentWorkflow
from trenova_errors import ErrorsPlugin

PAYLOAD = {
    "organizationId": "org_1",
    "businessUnitId": "bu_1",
    "userId": "usr_1",
    "shipmentId": "shp_1",
    "count": 1,
    "idempotencyKey": "reorder",
}
SECRETS = {key_id: base64.b64encode(os.urandom(32)).decode() for key_id in ("k1", "k2")}


def keys(active: str, *others: str, revoked: str = "") -> dict[str, str]:
    held = {f"TEMPORAL_ENCRYPTION_KEY_{key_id}": SECRETS[key_id] for key_id in (active, *others)}
    return {**held, "TEMPORAL_ENCRYPTION_ACTIVE_KEY": active, "TEMPORAL_ENCRYPTION_REVOKED_KEYS": revoked}


@activity.defn(name="DuplicateShipmentActivity")
async def never(_: dict[str, object]) -> None:
    """Stand where the activity would be; its input cannot be decoded."""


class Stage:
    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder, self.queue = address, folder, f"waits-{uuid.uuid4()}"

    def environ(self, told: dict[str, str]) -> dict[str, str]:
        return clean_environ(TEMPORAL_ADDRESS=self.address, TRENOVA_DATA_DIR=str(self.folder), COLUMNS="400", **told)

    async def client(self, told: dict[str, str]) -> Client:
        return await Client.connect(self.address, plugins=[ErrorsPlugin(), codec(self.environ(told))])

    async def started(self) -> WorkflowHandle:
        client = await self.client(keys("k1"))
        return await client.start_workflow(
            "DuplicateShipmentWorkflow",
            PAYLOAD,
            id=self.queue,
            task_queue=self.queue,
            task_timeout=timedelta(seconds=1),
            static_summary="a copy",
        )

    @asynccontextmanager
    async def deciding(self, told: dict[str, str]) -> AsyncIterator[None]:
        client = await self.client(told)
        async with Worker(client, task_queue=self.queue, workflows=[DuplicateShipmentWorkflow], max_cached_workflows=0):
            yield

    @asynccontextmanager
    async def acting(self, told: dict[str, str]) -> AsyncIterator[None]:
        async with Worker(await self.client(told), task_queue=self.queue, activities=[never]):
            yield

    async def said(self, *command: str, told: dict[str, str]) -> tuple[int, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            env=self.environ(told),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout

    async def status(self, told: dict[str, str]) -> tuple[int, str]:
        code = "from trenova_activities.cli import main; main()"
        return await self.said(sys.executable, "-c", code, "status", self.queue, told=told)


async def until_a_task_is_tried_again(handle: WorkflowHandle) -> None:
    async with asyncio.timeout(30):
        while (await handle.describe()).raw_description.pending_workflow_task.attempt < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def until_the_activity_failed(handle: WorkflowHandle) -> None:
    async with asyncio.timeout(30):
        while True:
            pending = (await handle.describe()).raw_description.pending_activities
            if pending and pending[0].HasField("last_failure"):
                return
            await asyncio.sleep(0.1)


async def test_a_run_that_waits_for_a_key_says_so_and_can_be_ended_without_it(temporal: TemporalServer, tmp_path: Path):
    stage = Stage(temporal.address, tmp_path)
    handle = await stage.started()
    async with stage.deciding(keys("k2")):
        await until_a_task_is_tried_again(handle)
        code, said = await stage.status(keys("k2"))
        [helps] = [line for line in said.splitlines() if "temporal workflow terminate" in line]
        arguments = helps.partition("--workflow-id ")[2].split()[0]
        ended, _ = await stage.said(
            *(str(TEMPORAL), "workflow", "terminate", "--workflow-id", arguments, "--reason", "its key is gone"),
            told=keys("k2"),
        )
        after = await stage.status(keys("k2"))

    assert code == 0, said
    assert "state     running\n" in said
    assert "Payload needs key 'k1'; this process holds k2" in said
    assert "waits     for key 'k1', which the worker does not hold" in said
    assert "trenova-codecs keys restore k1" in said
    assert ended == 0
    assert (after[0], "state     terminated\n" in after[1]) == (1, True)


async def test_a_revoked_key_leaves_the_state_in_sight(temporal: TemporalServer, tmp_path: Path):
    stage = Stage(temporal.address, tmp_path)
    handle = await stage.started()
    revoked = keys("k2", revoked="k1")
    async with stage.deciding(revoked):
        await until_a_task_is_tried_again(handle)
        code, said = await stage.status(revoked)
    await handle.terminate()

    assert code == 0, said
    assert "state     running\n" in said
    assert "asked     cannot be read here: Payload needs key 'k1', which is revoked" in said
    assert "waits     for key 'k1', which is revoked; if it may be read again: trenova-codecs keys restore k1" in said


async def test_an_activity_that_waits_for_a_key_says_so_and_keys_that_cannot_be_used_hide_no_state(
    temporal: TemporalServer, tmp_path: Path
):
    stage = Stage(temporal.address, tmp_path)
    handle = await stage.started()
    async with stage.deciding(keys("k1")), stage.acting(keys("k2")):
        await until_the_activity_failed(handle)
        code, said = await stage.status(keys("k1", "k2"))
        without = await stage.status({"TRENOVA_CODECS_RING": str(tmp_path / "none.json")})
    await handle.terminate()

    assert code == 0, said
    assert "doing     waiting for a worker, attempt 2 after: Payload needs key 'k1'; this process holds k2" in said
    assert "waits     for key 'k1', which the worker does not hold" in said
    assert without[0] == 0, without[1]
    assert "state     running\n" in without[1]
    assert "keys      " in without[1]
