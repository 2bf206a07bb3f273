"""A worker with heartbeats is judged by them, whatever the server stamps its polls with."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse, ListWorkersResponse

from trenova_workers import Fleet, WorkerState

QUEUE, IDENTITY = "frozen-queue", "rest-worker@pod-1:11#aaaaaa"


class FakeServer:
    """Remembers one worker, and when it began its last poll."""

    def __init__(self, *, heard_s_ago):
        self.beat = WorkerHeartbeat(worker_instance_key="one", worker_identity=IDENTITY, task_queue=QUEUE)
        self.beat.elapsed_since_last_heartbeat.FromTimedelta(timedelta(seconds=1))
        self.beat.heartbeat_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=heard_s_ago))
        self.polled_s_ago = heard_s_ago

    async def list_workers(self, _request, **_):
        return ListWorkersResponse(workers_info=[WorkerInfo(worker_heartbeat=self.beat)])

    async def describe_task_queue(self, _request, **_):
        poller = PollerInfo(identity=IDENTITY)
        poller.last_access_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=self.polled_s_ago))
        return DescribeTaskQueueResponse(pollers=[poller])


async def state(fleet):
    [worker] = await fleet.look()
    assert worker.heartbeats
    return worker.state


async def test_a_lost_worker_stays_lost_when_the_server_ends_the_poll_that_it_had_left_open():
    server = FakeServer(heard_s_ago=20)
    fleet = Fleet(SimpleNamespace(namespace="default", workflow_service=server))
    assert await state(fleet) == WorkerState.LOST

    server.polled_s_ago = 0  # as the server stamps it when an open poll runs out
    assert await state(fleet) == WorkerState.LOST

    server.beat.heartbeat_time.FromDatetime(datetime.now(UTC))
    assert await state(fleet) == WorkerState.RUNNING
