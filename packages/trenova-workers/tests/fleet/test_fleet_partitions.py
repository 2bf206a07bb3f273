"""Workers that poll only in partitions which the usual answer of the server leaves out."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

from sample_worker._jobs import nap
from sample_worker.waiting import eventually_awaited
from temporalio.api.enums.v1 import DescribeTaskQueueMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueueTypeInfo, TaskQueueVersionInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker

from trenova_workers._fleet._server import pollers
from trenova_workers.routing._statistics import WORKFLOW_TASKS, ServerStatistics

ENHANCED = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED


def poller(identity, *, s_ago):
    told = PollerInfo(identity=identity)
    told.last_access_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=s_ago))
    return told


class Partitioned:
    """Names one poller of the first partition by itself, and those of all partitions when it is asked for them."""

    def __init__(self, first, *others):
        self.first, self.others, self.asked = first, others, []

    async def describe_task_queue(self, request, **_):
        self.asked.append(request.api_mode)
        if request.api_mode != ENHANCED:
            return DescribeTaskQueueResponse(pollers=[self.first])
        info = TaskQueueTypeInfo(pollers=[self.first, *self.others])
        return DescribeTaskQueueResponse(versions_info={"": TaskQueueVersionInfo(types_info={1: info})})


async def test_those_of_all_partitions_are_told_once_each_by_their_latest_poll():
    server = Partitioned(poller("one", s_ago=1), poller("two", s_ago=2), poller("one", s_ago=50))
    found = await pollers(SimpleNamespace(namespace="default", workflow_service=server), ["orders"])

    assert sorted(one.identity for one in found) == ["one", "two"]
    (one,) = [each for each in found if each.identity == "one"]
    assert datetime.now(UTC) - one.accessed < timedelta(seconds=20)


async def test_a_queue_is_served_by_who_polls_any_partition_and_that_is_asked_only_where_the_first_has_nobody():
    gone, there = poller("gone", s_ago=300), poller("there", s_ago=1)
    for first, others, served, asked in [
        (there, [], True, [0]),
        (gone, [there], True, [0, ENHANCED]),
        (gone, [], False, [0, ENHANCED]),
    ]:
        server = Partitioned(first, *others)
        statistics = ServerStatistics(SimpleNamespace(workflow_service=server), "default", lambda: 0.0)
        answer = await statistics.describe("orders", WORKFLOW_TASKS)
        assert await statistics.is_served("orders", answer) is served
        assert server.asked == asked


async def test_many_workers_of_one_queue_are_all_told_by_a_real_server(server):
    queue, runtime = f"many-{uuid4().hex[:8]}", Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=None)
    names = {f"worker-{number}" for number in range(10)}
    async with AsyncExitStack() as stack:
        for name in sorted(names):
            client = await Client.connect(server.address, identity=name, runtime=runtime)
            worker = Worker(client, task_queue=queue, activities=[nap], max_concurrent_activity_task_polls=1)
            await stack.enter_async_context(worker)

        async def all_told():
            return {one.identity for one in await pollers(client, [queue])} == names

        await eventually_awaited(all_told, seconds=40)
