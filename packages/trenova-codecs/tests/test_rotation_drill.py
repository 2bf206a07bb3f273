"""A rotation as the runbook has it, on a namespace under load."""

import asyncio
import base64
import json
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleIntervalSpec, ScheduleSpec

sys.path.insert(0, str(Path(__file__).parent))

from drill import PLANTED, QUEUE, DrillWorkflow, Load, keys, plugin, runtime, secrets_of, server, temporal, workers

WORKERS = ("w1", "w2", "w3")


class Machines:
    """The operator's ring, and a copy on each machine that uses it."""

    def __init__(self, folder: Path) -> None:
        self.operator = folder / "operator" / "ring.json"
        self.rings = {name: folder / name / "ring.json" for name in (*WORKERS, "client")}
        for ring in self.rings.values():
            ring.parent.mkdir(mode=0o700)

    def distribute(self, *names: str) -> None:
        for name in names or self.rings:
            new = self.rings[name].with_name("new")
            shutil.copy2(self.operator, new)
            new.replace(self.rings[name])


async def rotate(folder: Path, *, seconds: float, per_second: float) -> None:
    machines = Machines(folder)
    database = folder / "temporal.db"
    log = folder / "workers.log"
    async with server(database) as plain:
        address = plain.service_client.config.target_host
        assert (await keys(address, machines.operator, "init"))[0] == 0
        machines.distribute()
        planted = secrets_of(machines.operator)
        rings = {name: machines.rings[name] for name in WORKERS}
        async with workers(address, rings, log):
            client = await Client.connect(address, runtime=runtime(), plugins=[plugin(machines.rings["client"])])
            await schedule(client)
            load = Load(client, per_second)
            load.start()
            await asyncio.sleep(seconds)

            await distribute_and_promote(address, machines, seconds)
            planted += secrets_of(machines.operator)
            await asyncio.sleep(seconds)

            await retire(address, machines, client, load, seconds)
            await load.stop()
            await load.go_on()
            await load.check()
            assert await load.task_failures() == []
            await nothing_is_readable(address, load)
        assert files_with(PLANTED, folder) == []
        # Without a codec it would have been found.
        await plain.start_workflow("Any", PLANTED[:20], id="control", task_queue="nobody")
        assert files_with(PLANTED[:20], folder) != []
    for secret in planted:
        assert secret not in database.read_bytes() + log.read_bytes()
        assert base64.b64encode(secret) not in log.read_bytes()
    print(f"{len(load.handles)} runs")  # noqa: T201 - the figure of a drill


def files_with(text: str, folder: Path) -> list[str]:
    return [file.name for file in folder.glob("temporal.db*") if text.encode() in file.read_bytes()]


async def schedule(client: Client) -> None:
    action = ScheduleActionStartWorkflow(
        DrillWorkflow.run, args=[PLANTED, 1], id="scheduled", task_queue=QUEUE, memo={"note": PLANTED}
    )
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])
    await client.create_schedule("nightly", Schedule(action=action, spec=spec))


async def distribute_and_promote(address: str, machines: Machines, seconds: float) -> None:
    ring = machines.operator
    assert (await keys(address, ring, "add"))[0] == 0
    machines.distribute("w1", "w2", "client")
    status, said = await keys(address, ring, "promote", "k2", "--i-have-updated")
    assert status == 1
    assert "w3 lacks key 'k2'" in said
    assert "w1 lacks" not in said

    machines.distribute("w3")
    await asyncio.sleep(seconds)
    status, said = await keys(address, ring, "promote", "k2", "--i-have-updated")
    assert status == 0, said
    machines.distribute("w1")  # for a while one encrypts with the new key and two with the old one
    await asyncio.sleep(seconds)
    machines.distribute()
    await asyncio.sleep(1.5)
    status, said = await keys(address, ring, "attest", "k2", "--active")
    assert status == 0, said


async def retire(address: str, machines: Machines, client: Client, load: Load, seconds: float) -> None:
    ring = machines.operator
    status, said = await keys(address, ring, "retire", "k1", "--rate", "500")
    assert status == 1
    assert "to be re-encrypted" in said
    assert (await keys(address, ring, "reencrypt-schedules", "--rate", "100"))[0] == 0
    async with asyncio.timeout(90):
        await let_old_runs_end(address, ring, load)
    status, said = await keys(address, ring, "retire", "k1", "--scan", "--rate", "500")
    assert status == 1
    assert "until the server deletes them" in said  # here nobody waits for the retention to pass
    await load.check(closed_only=True)  # afterwards nobody reads the results of old runs
    status, said = await keys(address, ring, "retire", "k1", "--skip-usage")
    assert status == 0, said
    machines.distribute()
    await asyncio.sleep(1.5)

    handle = client.get_schedule_handle("nightly")
    await handle.trigger()
    await asyncio.sleep(seconds)
    (run,) = [action.action for action in (await handle.describe()).info.recent_actions]
    assert (await client.get_workflow_handle(run.workflow_id).result()).startswith(PLANTED.upper())


async def let_old_runs_end(address: str, ring: Path, load: Load) -> None:
    """Signal whoever waits for it, until the report has no open run for the old key."""
    while True:
        await load.go_on()
        status, said = await keys(address, ring, "report", "--json", "--rate", "500")
        assert status == 0, said
        rows = {row["key"]: row for row in map(json.loads, said.splitlines())}
        assert rows["k1"]["schedules"] == []
        assert rows[None]["open_runs"] == 0  # nothing is stored in clear
        if rows["k1"]["open_runs"] == 0:
            return
        await asyncio.sleep(0.5)


async def nothing_is_readable(address: str, load: Load) -> None:
    shown = [await temporal(address, "schedule", "describe", "--schedule-id", "nightly")]
    for handle in load.handles[:: max(1, len(load.handles) // 4)]:
        shown.append(await temporal(address, "workflow", "show", "-w", handle.id))
        shown.append(await temporal(address, "workflow", "describe", "-w", handle.id))
    for said in shown:
        assert PLANTED not in said
        assert base64.b64encode(PLANTED.encode()).decode()[:24] not in said


@pytest.mark.integration
@pytest.mark.timeout(480)
async def test_a_rotation_under_load_fails_nothing_and_shows_nothing(tmp_path):
    began = time.monotonic()
    await rotate(tmp_path, seconds=2, per_second=4)
    print(f"{time.monotonic() - began:.0f} s")  # noqa: T201


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_a_long_rotation_under_load_fails_nothing_and_shows_nothing(tmp_path):
    await rotate(tmp_path, seconds=30, per_second=12)
