"""Every option of a worker, seen to have an effect: read back from the SDK, from the server, or from behaviour."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sample_worker.__main__ import SERVICE
from sample_worker._jobs import Sample, block, nap
from sample_worker._settings import Settings
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkersRequest
from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_workers import Work, WorkerOptions, WorkLimits, run
from trenova_workers._preflight import settled
from trenova_workers._tuning._checks import EnvironmentFacts, check_options
from trenova_workers._workers import Workers
from trenova_workers.deploy import DeploymentRefusedError, Operator


@dataclass
class Probe:
    """Runs workers of one queue and looks at them from outside."""

    client: Client
    address: str
    queue: str
    caplog: pytest.LogCaptureFixture

    @asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator[None]:
        settings = Settings(queue=self.queue, worker=WorkerOptions(**{"heartbeat_interval_s": 1, **options}))
        stop = asyncio.Event()
        connection = {"target_host": self.address, "namespace": "default"}
        running = asyncio.create_task(run(SERVICE, settings, connection=connection, stop=stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, 20)

    async def heard(self, until: Callable[[WorkerHeartbeat], object]) -> WorkerHeartbeat:
        """Return the first report of the worker that fulfils ``until``."""
        request = ListWorkersRequest(namespace="default", query=f"TaskQueue='{self.queue}'")
        async with asyncio.timeout(15):
            while True:
                answer = await self.client.workflow_service.list_workers(request)
                for worker in answer.workers_info:
                    if until(worker.worker_heartbeat):
                        return worker.worker_heartbeat
                await asyncio.sleep(0.1)

    async def run_activity(self, activity: str, argument: float = 0.0) -> Any:
        return await self.client.execute_workflow(
            Sample.run, args=[activity, argument], id=f"sample/{uuid.uuid4()}", task_queue=self.queue
        )

    def sdk_config(self, **options: Any) -> Any:
        """Return what the SDK's worker was made with."""
        made = settled(WorkerOptions(**options), WorkLimits(longest_start_to_close_s=100), "1.2.3")
        (worker,) = Workers([(self.queue, self.client)], Work([Sample], [nap, block]), made).workers
        return worker.config(active_config=True)


Proof = Callable[[Probe], Awaitable[None]]


def configured(options: dict[str, Any], **expected: Any) -> Proof:
    async def proof(probe: Probe) -> None:
        config = probe.sdk_config(**options)
        assert {name: config[name] for name in expected} == expected

    return proof


def reported(options: dict[str, Any], seen: Callable[[WorkerHeartbeat], object]) -> Proof:
    async def proof(probe: Probe) -> None:
        async with probe.serving(**options):
            await probe.heard(seen)

    return proof


def refused(key: str, facts: EnvironmentFacts, **options: Any) -> Proof:
    async def proof(_: Probe) -> None:
        told = {problem.key for problem in check_options(WorkerOptions(**options), WorkLimits(), facts)}
        assert key in told

    return proof


async def versioned(probe: Probe) -> None:
    """Runs start on the version that is promoted, and the server has it from the heartbeat which it is."""
    deployment = {"versioned": True, "name": probe.queue}
    async with probe.serving(deployment=deployment, build_id="7.2"):
        told = (await probe.heard(lambda told: told.deployment_version.build_id)).deployment_version
        assert (told.deployment_name, told.build_id) == (probe.queue, "7.2")
        handle = await probe.client.start_workflow(
            Sample.run, args=["sample.nap", 0.0], id=f"sample/{uuid.uuid4()}", task_queue=probe.queue
        )
        async with asyncio.timeout(20):
            await promoted(Operator(probe.client, probe.queue, by="test"), "7.2")
            await handle.result()
    info = (await handle.describe()).raw_description.workflow_execution_info.versioning_info
    assert info.deployment_version.build_id == "7.2"


async def promoted(operator: Operator, build: str) -> None:
    while True:
        try:
            await operator.promote(build)
        except (ConfigurationError, DeploymentRefusedError):  # the server learns of it a moment after the first poll
            await asyncio.sleep(0.5)
        else:
            return


async def rate_of_one_worker(probe: Probe) -> None:
    async with probe.serving(activities_per_second=2, eager_activities=False):
        begun = time.monotonic()
        await asyncio.gather(*(probe.run_activity("sample.nap") for _ in range(5)))
    assert time.monotonic() - begun > 1.5


async def rate_of_the_queue(probe: Probe) -> None:
    request = DescribeTaskQueueRequest(
        namespace="default",
        task_queue=TaskQueue(name=probe.queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        report_config=True,
    )
    async with probe.serving(queue_activities_per_second=7), asyncio.timeout(15):
        while True:
            answer = await probe.client.workflow_service.describe_task_queue(request)
            if answer.effective_rate_limit.requests_per_second == 7:
                return
            await asyncio.sleep(0.1)


async def cached(probe: Probe) -> None:
    async with probe.serving(max_cached_workflows=2):
        naps = [asyncio.create_task(probe.run_activity("sample.nap", 2.5)) for _ in range(4)]
        await probe.heard(lambda told: told.current_sticky_cache_size)
        await asyncio.gather(*naps)
        assert (await probe.heard(lambda told: told.total_sticky_cache_miss)).current_sticky_cache_size <= 2


async def in_processes(probe: Probe) -> None:
    async with probe.serving(activity_executor="processes", max_activities=2, activity_pollers=few()):
        assert await probe.run_activity("sample.process") != os.getpid()
    async with probe.serving():
        assert await probe.run_activity("sample.process") == os.getpid()


async def interval(probe: Probe) -> None:
    async with probe.serving(heartbeat_interval_s=1):
        first = (await probe.heard(lambda told: told.heartbeat_time.seconds)).heartbeat_time.ToDatetime()
        later = await probe.heard(lambda told: told.heartbeat_time.ToDatetime() > first)
    assert later.heartbeat_time.ToDatetime() - first < timedelta(seconds=3)


async def scraped(probe: Probe) -> None:
    metrics = {
        "exporter": "prometheus",
        "prefix": "tms_",
        "tags": {"region": "north"},
        "buckets": {"activity_execution_latency": [0.25, 7.5]},
    }
    with probe.caplog.at_level("INFO"):
        async with probe.serving(metrics=metrics, build_id="9.9"):
            await probe.run_activity("sample.nap")
            url = next(r.metrics for r in probe.caplog.records if r.getMessage() == "starting")
            async with httpx.AsyncClient() as http:
                text = (await http.get(url)).text
    slots = next(line for line in text.splitlines() if line.startswith("tms_worker_task_slots_available{"))
    assert 'service="sample-worker"' in slots
    assert 'build_id="9.9"' in slots
    assert 'region="north"' in slots
    assert 'instance="' in slots
    bounds = [line for line in text.splitlines() if line.startswith("tms_activity_execution_latency_seconds_bucket")]
    assert {line.partition('le="')[2].partition('"')[0] for line in bounds} == {"0.25", "7.5", "+Inf"}


async def warned_of(probe: Probe) -> None:
    with probe.caplog.at_level("WARNING"):
        async with probe.serving(history={"max_events": 4}):
            await probe.run_activity("sample.nap")
    said = [record for record in probe.caplog.records if "the history of a workflow nears" in record.getMessage()]
    assert [record.workflow_type for record in said] == ["Sample"]


async def tuned(probe: Probe) -> None:
    composite = {
        "kind": "composite",
        "activities": {"kind": "resizable", "slots": 3},
        "workflow_tasks": {"kind": "fixed", "slots": 4},
        "local_activities": {"kind": "resource", "maximum": 9},
    }
    kinds: dict[str, tuple[str, str, str]] = {}
    for tuner in (composite, {"kind": "resizable"}, {"kind": "resource"}, {"kind": "fixed"}):
        each = replace(probe, queue=f"{probe.queue}-{tuner['kind']}")
        async with each.serving(tuner=tuner):
            kinds[tuner["kind"]] = slot_kinds(await each.heard(lambda told: slot_kinds(told)[0]))
    assert kinds["composite"] == ("Custom", "Fixed", "ResourceBased")
    assert kinds["resizable"] == ("Custom", "Custom", "Custom")
    assert kinds["resource"] == ("ResourceBased", "ResourceBased", "ResourceBased")
    assert kinds["fixed"] == ("Fixed", "Fixed", "Fixed")


def slot_kinds(told: WorkerHeartbeat) -> tuple[str, str, str]:
    slots = (told.activity_task_slots_info, told.workflow_task_slots_info, told.local_activity_slots_info)
    return tuple(info.slot_supplier_kind for info in slots)


def few() -> dict[str, Any]:
    return {"kind": "fixed", "count": 2}


HOST = EnvironmentFacts(queues=1, cores=2, memory_mib=None)
SCALING = {"kind": "autoscaling", "maximum": 8}

PROOFS: dict[str, Proof] = {
    "profile": reported({"profile": "dev"}, lambda t: t.activity_task_slots_info.current_available_slots == 10),
    "build_id": reported({"build_id": "7.1"}, lambda t: t.deployment_version.build_id == "7.1"),
    "deployment": versioned,
    "max_activities": reported(
        {"max_activities": 13}, lambda t: t.activity_task_slots_info.current_available_slots == 13
    ),
    "max_workflow_tasks": reported(
        {"max_workflow_tasks": 17}, lambda t: t.workflow_task_slots_info.current_available_slots == 17
    ),
    "max_local_activities": reported(
        {"max_local_activities": 19}, lambda t: t.local_activity_slots_info.current_available_slots == 19
    ),
    "tuner": tuned,
    "activities_per_second": rate_of_one_worker,
    "queue_activities_per_second": rate_of_the_queue,
    "max_cached_workflows": cached,
    "sticky_schedule_to_start_timeout_s": configured(
        {"sticky_schedule_to_start_timeout_s": 4}, sticky_queue_schedule_to_start_timeout=timedelta(seconds=4)
    ),
    "nonsticky_poll_ratio": configured({"nonsticky_poll_ratio": 0.4}, nonsticky_to_sticky_poll_ratio=0.4),
    "workflow_pollers": reported(
        {"workflow_pollers": SCALING},
        lambda t: t.workflow_poller_info.is_autoscaling and not t.activity_poller_info.is_autoscaling,
    ),
    "activity_pollers": reported(
        {"activity_pollers": {"kind": "fixed", "count": 3}}, lambda t: t.activity_poller_info.current_pollers == 3
    ),
    "max_heartbeat_throttle_s": configured(
        {"max_heartbeat_throttle_s": 3}, max_heartbeat_throttle_interval=timedelta(seconds=3)
    ),
    "default_heartbeat_throttle_s": configured(
        {"default_heartbeat_throttle_s": 2}, default_heartbeat_throttle_interval=timedelta(seconds=2)
    ),
    "graceful_shutdown_s": configured({"graceful_shutdown_s": 1.5}, graceful_shutdown_timeout=timedelta(seconds=1.5)),
    "container_grace_s": configured({"container_grace_s": 70}, graceful_shutdown_timeout=timedelta(seconds=60)),
    "memory_limit_mib": refused(
        "worker.max_activities", HOST, memory_limit_mib=200, memory_per_activity_mib=4, max_activities=50
    ),
    "memory_per_activity_mib": refused(
        "worker.max_activities",
        EnvironmentFacts(queues=1, cores=2, memory_mib=1000),
        memory_per_activity_mib=100,
        max_activities=50,
    ),
    "eager_activities": configured({"eager_activities": False}, disable_eager_activity_execution=True),
    "eager_activities_per_task": configured(
        {"eager_activities_per_task": 8}, max_eager_activity_reservations_per_workflow_task=8
    ),
    "activity_executor": in_processes,
    "heartbeat_interval_s": interval,
    "metrics": scraped,
    "history": warned_of,
}


def test_every_option_has_a_proof():
    assert set(PROOFS) == set(WorkerOptions.model_fields)


@pytest.mark.parametrize("option", PROOFS)
async def test_the_option_takes_effect(option, client, server, caplog):
    await PROOFS[option](Probe(client, server.address, f"proof-{uuid.uuid4().hex[:8]}", caplog))
