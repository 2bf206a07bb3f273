"""What the server says of workers: heartbeats, page by page, and the pollers of task queues."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerRequest,
    ListWorkersRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError

# 100 workers with the longest registrations stay below gRPC's 4 MiB.
_PAGE: Final = 100
_AT_ONCE: Final = 8
_WITHIN: Final = timedelta(seconds=10)
_KINDS: Final = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
_NOT_FOR_US: Final = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.UNAUTHENTICATED)


@dataclass(frozen=True)
class Poller:
    """Who polls a queue. ``accessed`` is by the server's clock, at the begin of the last poll of any kind."""

    queue: str
    identity: str
    accessed: datetime
    build_id: str = ""
    deployment: str = ""


async def heartbeats(client: Client, queues: Collection[str] = (), *, page: int = _PAGE) -> list[WorkerHeartbeat]:
    """Return the last heartbeat of every worker that the server remembers, of these queues or of all.

    Raises:
        ConfigurationError: The server does not list workers, or not for us.
        RPCError: The server cannot be asked.
    """
    return [beat async for beat in _heartbeats(client, queues, page) if not queues or beat.task_queue in queues]


async def _heartbeats(client: Client, queues: Collection[str], size: int) -> AsyncIterator[WorkerHeartbeat]:
    token = b""
    while True:
        request = ListWorkersRequest(
            namespace=client.namespace, page_size=size, next_page_token=token, query=_query(queues)
        )
        try:
            page = await client.workflow_service.list_workers(request, timeout=_WITHIN)
        except RPCError as error:
            raise as_refusal(error, "list workers", client.namespace) from None
        told = {info.worker_heartbeat.worker_instance_key for info in page.workers_info}
        for info in page.workers_info:
            yield info.worker_heartbeat
        for row in page.workers:  # a server may list workers and leave their heartbeats out
            key = row.worker_instance_key
            if key not in told and (beat := await _heartbeat(client, key)) is not None:
                yield beat
        token = page.next_page_token
        if not token:
            return


def _query(queues: Collection[str]) -> str:
    """Return what keeps other queues' workers on the server; nothing for a name that would need escaping."""
    if any("'" in queue or "\\" in queue for queue in queues):
        return ""
    return " OR ".join(f"TaskQueue = '{queue}'" for queue in sorted(queues))


async def _heartbeat(client: Client, key: str) -> WorkerHeartbeat | None:
    request = DescribeWorkerRequest(namespace=client.namespace, worker_instance_key=key)
    try:
        answer = await client.workflow_service.describe_worker(request, timeout=_WITHIN)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:  # forgotten meanwhile
            return None
        raise as_refusal(error, "describe workers", client.namespace) from None
    return answer.worker_info.worker_heartbeat


async def pollers(client: Client, queues: Iterable[str]) -> list[Poller]:
    """Return who polls these queues for workflows or activities, each identity once for each queue.

    The usual answer names the pollers of the first partition of a queue alone, and is fresh. The other one names those
    of all partitions, and may be some seconds old. So both are asked for.

    Raises:
        ConfigurationError: The server does not describe task queues for us.
        RPCError: The server cannot be asked.
    """
    limit = asyncio.Semaphore(_AT_ONCE)
    asked = [
        _polled(client, request, limit)
        for queue in dict.fromkeys(queues)
        for request in (*_of_first_partition(client, queue), of_all_partitions(client.namespace, queue, _KINDS))
    ]
    latest: dict[tuple[str, str], Poller] = {}
    for answer in await asyncio.gather(*asked):
        for poller in answer:
            there = latest.get((poller.queue, poller.identity))
            if there is None or there.accessed < poller.accessed:
                latest[poller.queue, poller.identity] = poller
    return list(latest.values())


def _of_first_partition(client: Client, queue: str) -> list[DescribeTaskQueueRequest]:
    where = TaskQueue(name=queue)
    return [
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=where, task_queue_type=kind) for kind in _KINDS
    ]


def of_all_partitions(namespace: str, queue: str, kinds: Sequence[TaskQueueType.ValueType]) -> DescribeTaskQueueRequest:
    """Return the question who polls any partition of a queue; `pollers_in` reads the answer."""
    return DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
        task_queue_types=kinds,
        report_pollers=True,
    )


def pollers_in(answer: DescribeTaskQueueResponse) -> list[PollerInfo]:
    """Return all pollers that an answer names, whichever way it was asked for."""
    kinds = [info for version in answer.versions_info.values() for info in version.types_info.values()]
    return [*answer.pollers, *(poller for info in kinds for poller in info.pollers)]


async def _polled(client: Client, request: DescribeTaskQueueRequest, limit: asyncio.Semaphore) -> Sequence[Poller]:
    async with limit:
        try:
            answer = await client.workflow_service.describe_task_queue(request, timeout=_WITHIN)
        except RPCError as error:
            raise as_refusal(error, "describe task queues", client.namespace) from None
    return [
        Poller(
            request.task_queue.name,
            poller.identity,
            poller.last_access_time.ToDatetime(tzinfo=UTC),
            poller.deployment_options.build_id or poller.worker_version_capabilities.build_id,
            poller.deployment_options.deployment_name,
        )
        for poller in pollers_in(answer)
    ]


def as_refusal(error: RPCError, what: str, namespace: str) -> RPCError | ConfigurationError:
    """Return what to raise for an error of the server: our own where it will not tell us, else the error."""
    if error.status == RPCStatusCode.NOT_FOUND:
        return ConfigurationError(
            f"The Temporal server has no namespace {namespace!r}. Correct TEMPORAL_NAMESPACE or --namespace.",
            namespace=namespace,
        )
    if error.status not in _NOT_FOR_US:
        return error
    return ConfigurationError(
        f"The Temporal server does not {what} for us in namespace {namespace!r}: {error.message.rstrip('.')}. "
        "It needs a server that has worker heartbeats, and credentials that may read the namespace.",
        namespace=namespace,
    )
