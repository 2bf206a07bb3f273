import asyncio
import re
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError
from sample_worker.__main__ import SERVICE
from sample_worker._jobs import Sample, nap
from sample_worker._settings import Settings
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.plugin import SimplePlugin

from trenova_workers import Work, WorkerOptions, run
from trenova_workers._tuning._arguments import worker_arguments
from trenova_workers._workers import Workers

OPTIONS = WorkerOptions(
    max_activities=7,
    max_workflow_tasks=5,
    max_cached_workflows=11,
    activities_per_second=3.5,
    sticky_schedule_to_start_timeout_s=4,
    graceful_shutdown_s=1.5,
    heartbeat_interval_s=1,
)


async def test_the_defaults_are_the_sdks_except_where_told(client):
    from inspect import signature

    from temporalio.worker import Worker

    theirs = {name: parameter.default for name, parameter in signature(Worker).parameters.items()}
    (worker,) = Workers([("q", client)], Work([Sample], [nap]), WorkerOptions()).workers
    ours = worker.config(active_config=True)
    decided = worker_arguments(WorkerOptions(), 30)

    differing = {name for name in decided if ours[name] != theirs[name]}
    assert differing == {"graceful_shutdown_timeout"}
    assert ours["graceful_shutdown_timeout"] == timedelta(seconds=30)


async def test_fewer_processes_than_slots_are_meant_and_not_warned_of(client):
    options = WorkerOptions(activity_executor="processes", max_activities=200)
    workers = Workers([("many", client)], Work(activities=[nap]), options)  # warnings are errors here
    workers._executors.shutdown(wait=True)

    assert workers.workers[0].config()["activity_executor"]._max_workers < 200


async def test_the_server_hears_of_slots_and_identity_within_seconds(server, client):
    queues = [f"heard-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    stop = asyncio.Event()
    settings = Settings(queue=queues[0], more_queues=tuple(queues[1:]), worker=OPTIONS)
    connection = {"target_host": server.address, "namespace": "default"}
    running = asyncio.create_task(run(SERVICE, settings, connection=connection, stop=stop))

    async with asyncio.timeout(30):
        heard = []
        while len(heard) < 2:  # a first report may come before the slots are counted
            await asyncio.sleep(0.2)
            answer = await client.workflow_service.list_workers(ListWorkersRequest(namespace="default"))
            mine = [w for w in answer.workers_info if w.worker_heartbeat.task_queue in queues]
            heard = [w for w in mine if w.worker_heartbeat.activity_task_slots_info.current_available_slots]
    stop.set()
    await running

    assert {w.worker_heartbeat.task_queue for w in heard} == set(queues)
    assert len({w.worker_heartbeat.worker_instance_key for w in heard}) == 2
    for worker in heard:
        assert re.fullmatch(r"sample-worker@.+:\d+#\w{8}", worker.worker_heartbeat.worker_identity)
        assert worker.worker_heartbeat.activity_task_slots_info.current_available_slots == 7
        assert worker.worker_heartbeat.workflow_task_slots_info.current_available_slots == 5
        assert worker.worker_heartbeat.heartbeat_time.seconds > 0


async def test_a_worker_that_fails_ends_the_run_with_its_error(server):
    opened = []

    @asynccontextmanager
    async def work(_):
        opened.append("open")
        yield Work(activities=[nap])
        opened.append("not closed by the failure")

    @asynccontextmanager
    async def lost():
        raise OSError("the key is gone")
        yield

    plugin = SimplePlugin("lost", run_context=lost)
    service = replace(SERVICE, work=work, plugins=lambda _: [plugin])
    connection = {"target_host": server.address, "namespace": "default"}

    with pytest.raises(OSError, match="the key is gone"):
        await run(service, Settings(queue="failing"), connection=connection, stop=asyncio.Event())
    assert opened == ["open"]


async def test_a_stop_before_the_start_is_over_closes_what_was_opened(server):
    stop, closed = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def work(_):
        try:
            stop.set()
            await asyncio.sleep(60)
            yield Work(activities=[nap])
        finally:
            closed.set()

    connection = {"target_host": server.address, "namespace": "default"}
    await run(replace(SERVICE, work=work), Settings(), connection=connection, stop=stop)

    assert closed.is_set()


async def test_a_cancellation_from_outside_is_not_taken_for_a_stop(server):
    opened = asyncio.Event()

    @asynccontextmanager
    async def work(_):
        opened.set()
        await asyncio.sleep(60)
        yield Work(activities=[nap])

    connection = {"target_host": server.address, "namespace": "default"}
    running = asyncio.create_task(
        run(replace(SERVICE, work=work), Settings(), connection=connection, stop=asyncio.Event())
    )
    await opened.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_activities": 0},
        {"max_workflow_tasks": 1},
        {"max_cached_workflows": -1},
        {"activities_per_second": 0},
        {"graceful_shutdown_s": 0},
        {"graceful_shutdown_s": float("inf")},
        {"heartbeat_interval_s": 0.5},
        {"heartbeat_interval_s": 61},
        {"pollers": 3},
    ],
)
def test_options_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        WorkerOptions(**wrong)
