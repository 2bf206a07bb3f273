"""What a drain leaves behind, on a real server with real processes and real signals."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from sample_worker._jobs import Sample
from sample_worker.waiting import eventually
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

SILENCE_S = 3.0


async def begin(client: Client, queue: str, *arguments: object):
    """Start a workflow and wait until a worker runs its activity."""
    handle = await client.start_workflow(
        Sample.run, args=list(arguments), id=f"sample/{uuid.uuid4()}", task_queue=queue
    )
    begun = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED

    async def runs() -> bool:
        return any(one.state == begun for one in (await handle.describe()).raw_description.pending_activities)

    for _ in range(600):
        if await runs():
            return handle
        await asyncio.sleep(0.05)
    pytest.fail("the activity did not begin")


def event(child, name):
    return next((line for line in child.logged() if line["event"] == name), None)


async def seen(look):
    return await asyncio.to_thread(eventually, look, seconds=60)


async def polling(child):
    await seen(lambda: event(child, "polling"))


async def test_a_cancelled_activity_cleans_up_beyond_its_heartbeat_timeout_and_leaves_its_last_words(sample, client):
    child = sample.start("run", "--set", "worker.graceful_shutdown_s=0.5")
    running = await begin(client, sample.queue, "sample.hold", 1.5 * SILENCE_S, SILENCE_S)

    child.signal(signal.SIGTERM)
    assert await asyncio.to_thread(child.end, seconds=30) == 0

    assert event(child, "drained")["cancelled"] == 1
    await polling(sample.start("run"))
    attempt, word, beats = await running.result()
    assert (attempt, word) == (2, "cleaned")
    assert beats > SILENCE_S / 0.1


async def test_a_drain_says_what_runs_how_long_it_may_and_how_it_ended(sample, client):
    child = sample.start("run", "--set", "worker.graceful_shutdown_s=40")
    await begin(client, sample.queue, "sample.nap", 11.5)
    await begin(client, sample.queue, "sample.block", 3.0)

    child.signal(signal.SIGTERM)
    report = await seen(lambda: (r := child.readyz().json())["state"] == "draining" and r)

    assert report["drain"]["activities"] == 2
    assert 20 < report["drain"]["seconds_left"] <= 40
    assert await asyncio.to_thread(child.end, seconds=30) == 0
    begun, still, ended = (event(child, name) for name in ("draining", "still draining", "drained"))
    assert (begun["reason"], begun["activities"], begun["grace_s"]) == ("SIGTERM", 2, 40)
    assert (still["activities"], still["finished"]) == (1, 1)
    assert 20 < still["seconds_left"] <= 30
    counts = {name: ended[name] for name in ("finished", "checkpointed", "cancelled", "failed", "cut")}
    assert counts == {"finished": 2, "checkpointed": 0, "cancelled": 0, "failed": 0, "cut": 0}


async def test_one_request_that_arrives_twice_is_one(sample, client):
    child = sample.start("run")
    running = await begin(client, sample.queue, "sample.nap", 2.0)

    child.signal(signal.SIGTERM)
    await asyncio.sleep(0.01)
    child.signal(signal.SIGTERM)

    assert await asyncio.to_thread(child.end, seconds=30) == 0
    assert event(child, "drained")["finished"] == 1
    await polling(sample.start("run"))
    assert await running.result() == 1


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGKILL, id="gone"), pytest.param(signal.SIGSTOP, id="silent", marks=pytest.mark.slow)],
)
async def test_a_drain_does_not_wait_for_a_server_that_is_away(sample, own_server, number):
    child = sample.start("run", "--set", "worker.graceful_shutdown_s=60")
    client = await Client.connect(own_server[0].address)
    await begin(client, sample.queue, "sample.nap", 1.0)
    own_server[0].process.send_signal(number)

    begun = time.monotonic()
    child.signal(signal.SIGTERM)

    code = await asyncio.to_thread(child.end, seconds=50)
    assert time.monotonic() - begun < 45, "the grace was waited for"
    assert event(child, "drained")["finished"] == 1
    # The SDK ends its last polls by itself at times where connections are refused, never where nothing answers.
    assert code == 1 or (code == 0 and number == signal.SIGKILL)
    assert ("Ended without the server, which did not answer" in child.log.read_text()) == (code == 1)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
async def test_processes_of_activities_ignore_a_signal_to_the_whole_group(sample, client, number):
    child = sample.start(
        "run", "--set", "worker.activity_executor=processes", "--set", "worker.max_activities=2", group=True
    )
    running = await begin(client, sample.queue, "sample.crunch", 2.0)
    members = pids_of_group(child.process.pid)
    assert len(members) >= 3  # the worker, what shares state, and one that computes

    for pid in members:  # the worker last, so that it has no part in the end of the others
        if pid != child.process.pid:
            os.kill(pid, number)
    os.kill(child.process.pid, number)

    assert await asyncio.to_thread(child.end, seconds=30) == 0
    assert event(child, "drained")["finished"] == 1
    eventually(lambda: not pids_of_group(child.process.pid))
    await polling(sample.start("run"))
    assert await running.result() == 1


def pids_of_group(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, its = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its) == group and state != "Z":
            found.append(int(entry.name))
    return found


def needs_namespaces() -> None:
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    probe = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"PID namespaces cannot be made here: {probe.stderr.decode().strip()}")


FIRST = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


async def test_process_1_drains_on_sigterm(sample, client):
    needs_namespaces()
    child = sample.start("run", wrapper=FIRST)
    running = await begin(client, sample.queue, "sample.nap", 1.5)
    assert ":1#" in event(child, "starting")["identity"]

    os.kill(first_of(child.process.pid), signal.SIGTERM)

    assert await asyncio.to_thread(child.end, seconds=30) == 0
    assert event(child, "drained")["finished"] == 1
    await polling(sample.start("run"))
    assert await running.result() == 1


def first_of(unshare: int) -> int:
    """The process that is 1 in the namespace that ``unshare`` made, by its id out here."""
    return int(eventually(lambda: Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split())[0])


def in_namespace(program: str) -> "subprocess.Popen[str]":
    needs_namespaces()
    return subprocess.Popen([*FIRST, sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def test_process_1_ends_on_sigterm_before_it_serves():
    process = in_namespace(
        "import time\n"
        "from trenova_workers._first_process import end_when_told\n"
        "end_when_told()\n"
        "print('begun', flush=True)\n"
        "time.sleep(60)\n"
    )
    assert process.stdout
    assert process.stdout.readline() == "begun\n"

    os.kill(first_of(process.pid), signal.SIGTERM)

    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_process_1_collects_orphans_and_leaves_its_own_children_alone():
    process = in_namespace(
        "import asyncio, subprocess, sys\n"
        "from pathlib import Path\n"
        "from trenova_workers._first_process import orphans_reaped\n"
        "async def main():\n"
        "    with orphans_reaped(after_s=1.0, every_s=0.1):\n"
        "        said = subprocess.run(['sh', '-c', 'sleep 0.3 >/dev/null & echo $!'], capture_output=True).stdout\n"
        "        orphan = Path('/proc') / said.decode().strip()\n"
        "        assert orphan.exists()\n"
        "        own = await asyncio.create_subprocess_exec('sh', '-c', 'sleep 0.3; exit 7')\n"
        "        status = await own.wait()\n"
        "        async with asyncio.timeout(20):\n"
        "            while orphan.exists():\n"
        "                await asyncio.sleep(0.1)\n"
        "        print(status, flush=True)\n"
        "asyncio.run(main())\n"
    )
    output, _ = process.communicate(timeout=30)

    assert (process.returncode, output) == (0, "7\n")
