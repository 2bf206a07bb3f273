import asyncio
import os
import signal
import socket
import time
import uuid

import httpx
import pytest
from sample_worker._jobs import Sample
from sample_worker.waiting import eventually
from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowHandle

from trenova_workers import parse_identity


async def start(client: Client, queue: str, activity: str, argument: object) -> WorkflowHandle[Sample, object]:
    return await client.start_workflow(
        Sample.run, args=[activity, argument], id=f"sample/{uuid.uuid4()}", task_queue=queue
    )


async def pending(handle: WorkflowHandle[Sample, object]) -> list[PendingActivityInfo]:
    return list((await handle.describe()).raw_description.pending_activities)


async def until_begun(handle: WorkflowHandle[Sample, object]) -> None:
    for _ in range(400):
        if any(
            activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED for activity in await pending(handle)
        ):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the activity did not begin")


async def test_a_ready_worker_polls_every_queue_under_an_identity_of_its_own(sample, client):
    child = sample.start("run", SAMPLE_WORKER_MORE_QUEUES=f'["{sample.queue}-2"]', POD_NAME="sample-6d4-x2k")
    report = child.until_ready()

    identity = parse_identity(report["identity"], build_id="unversioned")
    assert (identity.host, identity.pid) == ("sample-6d4-x2k", child.process.pid)
    assert report == {
        **identity.model_dump(),
        "identity": report["identity"],
        "queues": {sample.queue: "polling", f"{sample.queue}-2": "polling"},
        "state": "ready",
        "reason": "",
        "event_loop_lag_s": report["event_loop_lag_s"],
    }
    for queue in report["queues"]:
        for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
            answer = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=kind)
            )
            assert {poller.identity for poller in answer.pollers} == {report["identity"]}
    for line in child.logged():
        assert {key: str(line[key]) for key in identity.fields()} == identity.fields()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
async def test_a_signal_lets_running_activities_finish_and_takes_no_new_ones(sample, client, number):
    child = sample.start("run")
    child.until_ready()
    running = await start(client, sample.queue, "sample.nap", 2.0)
    await until_begun(running)

    child.signal(number)
    response = await asyncio.to_thread(
        lambda: next(r for _ in range(100) if (r := child.readyz()).json()["state"] == "draining")
    )
    late = await start(client, sample.queue, "sample.nap", 0.0)

    assert response.status_code == 503
    assert response.json()["reason"] == f"Draining: {number.name}."
    assert await asyncio.to_thread(child.end) == 0
    assert await pending(late) == []
    sample.start("run").until_ready()
    assert await running.result() == 1
    assert await late.result() == 1


@pytest.mark.parametrize("activity", ["sample.nap", "sample.block"])
async def test_a_second_signal_ends_at_once_and_the_server_tries_the_activity_again(sample, client, activity):
    child = sample.start("run")
    child.until_ready()
    running = await start(client, sample.queue, activity, 30.0)
    await until_begun(running)

    child.signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    child.signal(signal.SIGTERM)

    assert await asyncio.to_thread(child.end) == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 7
    [told] = [line["event"] for line in child.logged() if line["event"].startswith("Activity ")]
    assert told.startswith("Activity failed: unavailable ")
    (again,) = await pending(running)
    assert again.attempt == 2
    assert again.last_failure.application_failure_info.type == "unavailable"
    await running.terminate()


async def test_an_activity_that_outlasts_the_grace_is_cancelled_and_tried_again(sample, client):
    child = sample.start("run", "--set", "worker.graceful_shutdown_s=0.5")
    child.until_ready()
    running = await start(client, sample.queue, "sample.nap", 30.0)
    await until_begun(running)

    child.signal(signal.SIGTERM)

    assert await asyncio.to_thread(child.end, seconds=5) == 0
    (again,) = await pending(running)
    assert again.attempt == 2
    await running.terminate()


def test_a_signal_while_starting_ends_cleanly(sample):
    child = sample.start("run", SAMPLE_WORKER_OPENING_S="60")
    assert child.readyz().json()["state"] == "starting"
    assert child.readyz().status_code == 503
    assert httpx.get(f"{child.url}/livez").status_code == 200

    child.signal(signal.SIGTERM)

    assert child.end(seconds=5) == 0


def test_readiness_follows_the_server_down_and_up_again(sample, own_server):
    child = sample.start("run")
    child.until_ready()

    own_server[0].kill()
    lost = eventually(lambda: (r := child.readyz()).status_code == 503 and r.json())
    assert lost["state"] == "starting"
    assert lost["reason"].startswith("The Temporal server does not answer: ")
    assert lost["queues"] == {sample.queue: "unknown"}
    assert httpx.get(f"{child.url}/livez").status_code == 200

    own_server.append(type(own_server[0]).start(own_server[0].port))
    assert child.until_ready()["queues"] == {sample.queue: "polling"}


def test_a_service_that_refuses_to_start_says_why_and_nothing_else(sample):
    ended = sample.call("run", SAMPLE_WORKER_REFUSE="true")

    assert ended.returncode == 2
    assert "sample-worker: The store lacks the column 'weight'. Migrate it.\n" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_server_that_is_not_there_is_named_with_what_to_do(sample):
    ended = sample.call("run", TEMPORAL_ADDRESS="127.0.0.1:1")

    assert ended.returncode == 2
    assert "No Temporal server at '127.0.0.1:1' lets us in" in ended.stderr
    assert "correct TEMPORAL_ADDRESS" in ended.stderr


def test_rules_that_are_not_there_are_refused_before_anything_is_opened(sample):
    ended = sample.call("run", TRENOVA_ROUTING__RULES="/nowhere/rules.yaml", TEMPORAL_ADDRESS="127.0.0.1:1")

    assert ended.returncode == 2
    assert "/nowhere/rules.yaml" in ended.stderr
    assert '"starting"' not in ended.stderr


def test_a_store_that_is_not_there_at_the_start_is_something_that_is_not_found(sample):
    ended = sample.call("run", SAMPLE_WORKER_AWAY="true")

    assert ended.returncode == 2
    assert "sample-worker: The store at 'store.db' cannot be reached. Start it.\n" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_health_port_in_use_is_named(sample):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = sample.call("run", TRENOVA_HEALTH__PORT=str(port))

    assert ended.returncode == 2
    assert f"Health cannot be answered at 127.0.0.1:{port}" in ended.stderr


def test_one_queue_named_twice_is_refused(sample):
    ended = sample.call("run", SAMPLE_WORKER_MORE_QUEUES=f'["{sample.queue}"]')

    assert ended.returncode == 2
    assert "Name each once" in ended.stderr


async def test_logs_of_a_failing_activity_carry_context_and_no_values(sample, client):
    child = sample.start("run")
    child.until_ready()
    handle = await start(client, sample.queue, "sample.fail", "correct horse battery staple")

    def look():
        return [line for line in child.logged() if line.get("activity_type") == "sample.fail"]

    line = (await asyncio.to_thread(eventually, look))[0]
    assert line["workflow_id"] == handle.id
    assert line["run_id"] == handle.first_execution_run_id
    assert (line["attempt"], line["task_queue"], line["workflow_type"]) == (1, sample.queue, "Sample")
    assert line["service"] == "sample-worker"
    assert "horse" not in child.log.read_text()
    await handle.terminate()


async def test_logs_for_people_carry_no_values_either(sample, client):
    child = sample.start("run", TRENOVA_LOG__FORMAT="console")
    handle = await start(client, sample.queue, "sample.fail", "correct horse battery staple")

    await asyncio.to_thread(eventually, lambda: "Activity failed" in child.log.read_text())

    assert "horse" not in child.log.read_text()
    await handle.terminate()


def test_the_process_is_ready_within_seconds(sample):
    begun = time.monotonic()
    sample.start("run").until_ready()

    assert time.monotonic() - begun < 10, os.getloadavg()
