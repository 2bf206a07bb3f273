import asyncio
import json
import os
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
from sample_worker.waiting import eventually_awaited

from trenova_workers import Fleet, WorkerState, list_workers
from trenova_workers._fleet._server import heartbeats

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

SPOILT = "\x1b[2J14@somewhere"
"""Would clear the screen."""
TRENOVA_WORKERS = Path(sysconfig.get_path("scripts")) / "trenova-workers"


def listed(address, *arguments):
    environ = {**os.environ, "TEMPORAL_ADDRESS": address}
    return subprocess.run(
        [TRENOVA_WORKERS, "list", *arguments], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


async def until(fleet, identity, state, *, seconds=25):
    async def look():
        found = {worker.identity: worker for worker in await fleet.look()}
        return found if identity in found and found[identity].state == state else None

    return await eventually_awaited(look, seconds=seconds)


async def test_a_killed_worker_is_lost_not_running(workers, client, server):
    killed = workers.begin("rest-worker@pod-1:11#aaaaaa")
    frozen = workers.begin("rest-worker@pod-2:12#bbbbbb")
    workers.begin("rest-worker@pod-3:13#cccccc", build="2.0")
    workers.begin(SPOILT, heartbeat_s=None)
    await asyncio.to_thread(workers.until_polling)
    fleet = Fleet(client, queues=[workers.queue])

    async def told():  # the second heartbeat tells the interval
        found = [one.queues[0] for one in await fleet.look()]
        return len(found) == 4 and len([queue for queue in found if queue.heartbeat_s]) == 3

    await eventually_awaited(told)

    killed.kill()
    frozen.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    found = await until(fleet, "rest-worker@pod-1:11#aaaaaa", WorkerState.LOST)
    assert 2 <= time.monotonic() - begun <= 10
    found = await until(fleet, "rest-worker@pod-2:12#bbbbbb", WorkerState.LOST)

    (silent,) = (worker for worker in found.values() if not worker.heartbeats)
    assert (silent.identity, silent.state, silent.service) == (SPOILT, WorkerState.RUNNING, None)
    assert (silent.build_id, silent.queues[0].slots) == ("1.0", {})
    living = found["rest-worker@pod-3:13#cccccc"]
    assert living.state == WorkerState.RUNNING
    assert (living.service, living.host, living.pid, living.instance) == ("rest-worker", "pod-3", 13, "cccccc")
    assert (living.build_id, living.deployment) == ("2.0", "rest-worker")
    (queue,) = living.queues
    assert (queue.slots["activities"].used, queue.slots["activities"].available) == (0, 100)
    assert queue.pollers.activities >= 1
    assert 1 <= queue.heartbeat_s < 2
    assert queue.registrations.activities == ("rest",)
    # What one look says, which knows nothing but the clocks.
    once = {worker.identity: worker.state for worker in await list_workers(client, service="rest-worker")}
    assert once["rest-worker@pod-1:11#aaaaaa"] == WorkerState.LOST
    assert once["rest-worker@pod-3:13#cccccc"] == WorkerState.RUNNING

    beats = await heartbeats(client, page=1)
    assert len([beat for beat in beats if beat.task_queue == workers.queue]) == 3
    for others in (("another",), ("it's another", "and \\ one more")):  # the second cannot be told to the server
        assert len(await heartbeats(client, (workers.queue, *others), page=2)) == 3
    assert await heartbeats(client, ("it's another",)) == []

    frozen.send_signal(signal.SIGCONT)
    await until(fleet, "rest-worker@pod-2:12#bbbbbb", WorkerState.RUNNING)
    shown = await asyncio.to_thread(listed, server.address, "--queue", workers.queue)
    assert (shown.returncode, shown.stderr) == (0, "")
    by_pid = {line.split("pid=")[1].split()[0]: line for line in shown.stdout.splitlines()}
    assert by_pid["11"].startswith("lost service=rest-worker host=pod-1 ")
    assert by_pid["13"].startswith("running service=rest-worker host=pod-3 pid=13 build=2.0 queue=fleet-")
    assert "slots=w:0/100,a:0/100,l:0/100" in by_pid["13"]
    assert by_pid["-"].startswith("running service=14@somewhere ")
    assert by_pid["-"].endswith("sdk=poller_only")
    assert "\x1b" not in shown.stdout


async def test_a_leaving_worker_drains_while_it_has_work_and_is_stopped_then(workers, client, server):
    processes = {name: workers.begin(name) for name in ("rest-worker@pod-4:14#dddddd", "rest-worker@pod-5:15#eeeeee")}
    await asyncio.to_thread(workers.until_polling)
    fleet = Fleet(client, queues=[workers.queue])
    await client.start_workflow("Rest", 3.0, id=f"rest/{workers.queue}", task_queue=workers.queue)

    async def used():
        slots = ((one.identity, one.queues[0].slots.get("activities")) for one in await fleet.look())
        return [identity for identity, activities in slots if activities and activities.used]

    (busy,) = await eventually_awaited(used)
    (idle,) = processes.keys() - {busy}
    for process in processes.values():
        process.send_signal(signal.SIGTERM)

    draining = await until(fleet, busy, WorkerState.DRAINING)
    assert draining[busy].queues[0].slots["activities"].used == 1
    await until(fleet, idle, WorkerState.STOPPED)  # it had nothing to finish
    for process in processes.values():
        assert await asyncio.to_thread(process.wait, 20) == 0
    assert await list_workers(client, queues=[workers.queue, "nobody-polls-this"], service="another") == []
    shown = await asyncio.to_thread(listed, server.address, "--queue", workers.queue, "--all", "--json")
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {row["identity"]: row["state"] for row in rows}[idle] == "stopped"
    assert shown.returncode == 0


def test_a_namespace_that_is_not_there_is_refused(server):
    shown = listed(server.address, "--namespace", "nowhere")

    assert shown.returncode == 2
    assert "no namespace 'nowhere'" in shown.stderr
