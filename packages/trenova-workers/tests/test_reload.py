import asyncio
import os
import pty
import signal
import subprocess
import sys
import uuid

import pytest
from sample_worker._jobs import Sample
from sample_worker._settings import Settings
from sample_worker.waiting import eventually
from temporalio.api.enums.v1 import PendingActivityState

from trenova_workers import WorkerOptions
from trenova_workers._reload import needs_restart

STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
RESIZABLE = "{kind: resizable, ceiling: 50}"


def write(sample, activities, more=""):
    file = sample.folder / "more.yaml"
    file.write_text(
        f"worker:\n  tuner: {RESIZABLE}\n  max_activities: {activities}\n"
        f"  activity_pollers: {{kind: fixed, count: 1}}\n  eager_activities: false\n{more}"
    )
    return str(file)


async def logged(child, event):
    return await asyncio.to_thread(
        eventually, lambda: next((line for line in child.logged() if line["event"] == event), None)
    )


async def begun(handles):
    described = await asyncio.gather(*(handle.describe() for handle in handles))
    return sum(activity.state == STARTED for one in described for activity in one.raw_description.pending_activities)


async def until_begun(handles, number):
    for _ in range(150):
        if await begun(handles) >= number:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{await begun(handles)} activities run, not {number}")


async def test_sighup_gives_a_running_worker_more_slots_and_names_what_needs_a_restart(sample, client):
    child = sample.start("run", "--config", write(sample, 2))
    child.until_ready()
    handles = [
        await client.start_workflow(
            Sample.run, args=["sample.nap", 60.0], id=f"sample/{uuid.uuid4()}", task_queue=sample.queue
        )
        for _ in range(6)
    ]
    await until_begun(handles, 2)
    await asyncio.sleep(0.5)
    assert await begun(handles) == 2

    write(sample, 5, "log: {level: debug}\nstore: {password: another}\n")
    child.signal(signal.SIGHUP)
    line = await logged(child, "settings read again")

    await until_begun(handles, 5)
    await asyncio.sleep(0.5)
    assert await begun(handles) == 5
    assert line["resized"] == {"activities": 5}
    assert line["needs_restart"] == ["log.level", "store.password"]
    await asyncio.gather(*(handle.terminate() for handle in handles))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("worker: {max_activites: 3}", "unknown key 'worker.max_activites'. Did you mean 'worker.max_activities'?"),
        (f"worker: {{tuner: {RESIZABLE}, max_activities: 51}}", "is above tuner.ceiling (50), got 51"),
        (
            "worker: {tuner: {kind: resizable, ceiling: 90}, max_activities: 70}",
            "is above worker.tuner.ceiling (50) with which this process started",
        ),
        (f"store: {{pool_size: 1}}\nworker: {{tuner: {RESIZABLE}, max_activities: 9}}", "the pool has 1, got 9"),
    ],
)
async def test_settings_that_do_not_hold_leave_a_running_worker_as_it_is(sample, file, reason):
    child = sample.start("run", "--config", write(sample, 1))
    child.until_ready()

    (sample.folder / "more.yaml").write_text(file)
    child.signal(signal.SIGHUP)
    line = await logged(child, "settings not applied")

    assert reason in line["reason"]
    assert child.readyz().status_code == 200


async def test_a_worker_whose_resizable_slots_are_all_taken_drains(sample, client):
    child = sample.start("run", "--config", write(sample, 1))
    child.until_ready()
    handles = [
        await client.start_workflow(
            Sample.run, args=["sample.nap", 2.0], id=f"sample/{uuid.uuid4()}", task_queue=sample.queue
        )
        for _ in range(3)
    ]
    await until_begun(handles, 1)

    child.signal(signal.SIGTERM)

    assert await asyncio.to_thread(child.end) == 0
    assert await begun(handles) == 0
    waiting = [(await handle.describe()).raw_description.pending_activities for handle in handles]
    assert sorted(len(activities) for activities in waiting) == [0, 1, 1]
    await asyncio.gather(*(handle.terminate() for handle in handles))


async def test_a_closed_terminal_drains_instead(sample):
    controller, terminal = pty.openpty()
    log = sample.folder / "log"
    program = (
        "import os, sys; os.setsid(); os.close(os.open(sys.argv[1], os.O_RDWR)); os.execvp(sys.argv[2], sys.argv[2:])"
    )
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", program, os.ttyname(terminal), sys.executable, "-m", "sample_worker", "run"],
            env=sample.environ,
            stderr=stderr,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=sample.folder,
        )
    sample.children.append(process)
    await asyncio.to_thread(eventually, lambda: '"polling"' in log.read_text())

    os.close(terminal)
    os.close(controller)

    assert await asyncio.to_thread(process.wait, 15) == 0
    assert '"reason": "SIGHUP"' in log.read_text()


def test_slots_that_are_not_resizable_need_a_restart():
    before, after = (Settings(worker=WorkerOptions(max_activities=n)) for n in (1, 2))

    assert needs_restart(before, after, set()) == ["worker.max_activities"]
    assert needs_restart(before, after, {"activities"}) == []
