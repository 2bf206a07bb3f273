"""Which worker processes a namespace has, by what they report with every heartbeat."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerListInfo
from temporalio.api.workflowservice.v1 import DescribeWorkerRequest, ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_codecs._attestation import QUEUE_PREFIX, instance_of
from trenova_errors import ConfigurationError

DEFAULT_HEARTBEAT: Final = timedelta(seconds=60)
"""The SDK's own interval between heartbeats."""
LOST_AFTER: Final = 3
"""Heartbeats for which an answer is waited for."""

_PAGE: Final = 200


@dataclass
class WorkerProcess:
    """One process, or one ring in it, that polls task queues.

    Attributes:
        name: The identity under which it polls, as ``--ignore-worker`` takes it.
        keys: Its instance keys in ListWorkers, one per task queue; ``--ignore-worker`` takes them too.
        instance: Where it can be asked; None for one without the codec plugin.
        task_queues: What it polls.
        sdk: Name and version of its SDK.
        heartbeat: Between its heartbeats.
        seen: Its latest heartbeat, by its own clock; None where the server does not tell.
        listed: When the server told all this.
    """

    name: str
    instance: str | None
    sdk: str
    keys: list[str] = field(default_factory=list)
    task_queues: list[str] = field(default_factory=list)
    heartbeat: timedelta = DEFAULT_HEARTBEAT
    seen: datetime | None = None
    listed: datetime = field(default_factory=lambda: datetime.now(UTC))

    def is_named(self, names: Iterable[str]) -> bool:
        """Whether one of the names is this process's identity or one of its instance keys."""
        return not {self.name, *self.keys}.isdisjoint(names)

    @property
    def patience(self) -> timedelta:
        """How long to wait for its answer."""
        return self.heartbeat * LOST_AFTER


async def live_workers(client: Client) -> list[WorkerProcess]:
    """List the processes that have not said good-bye; one that was killed stays until the server forgets it.

    Raises:
        ConfigurationError: The server cannot list workers.
    """
    processes: dict[str, WorkerProcess] = {}
    async for info, heartbeat in _rows(client):
        gone = info.status in {WorkerStatus.WORKER_STATUS_SHUTTING_DOWN, WorkerStatus.WORKER_STATUS_SHUTDOWN}
        if gone or info.task_queue.startswith(QUEUE_PREFIX):
            continue
        _add(processes, info, heartbeat or await _heartbeat(client, info.worker_instance_key))
    return sorted(processes.values(), key=lambda process: process.name)


def _add(processes: dict[str, WorkerProcess], info: WorkerListInfo, heartbeat: WorkerHeartbeat | None) -> None:
    instance = instance_of(plugin.name for plugin in info.plugins)
    process = processes.setdefault(
        instance or info.worker_grouping_key or info.worker_instance_key,
        WorkerProcess(info.worker_identity, instance, f"{info.sdk_name} {info.sdk_version}"),
    )
    process.keys.append(info.worker_instance_key)
    process.task_queues.append(info.task_queue)
    if heartbeat is None:
        return
    interval = heartbeat.elapsed_since_last_heartbeat.ToTimedelta()
    if interval > timedelta(0):
        process.heartbeat = max(interval, timedelta(seconds=1))
    seen = heartbeat.heartbeat_time.ToDatetime(tzinfo=UTC)
    process.seen = max(process.seen or seen, seen)


async def _rows(client: Client) -> AsyncIterator[tuple[WorkerListInfo, WorkerHeartbeat | None]]:
    token = b""
    while True:
        page = await _page(client, token)
        beats: Mapping[str, Any] = {
            info.worker_heartbeat.worker_instance_key: info.worker_heartbeat for info in page.workers_info
        }
        for info in page.workers:
            yield info, beats.get(info.worker_instance_key)
        token = page.next_page_token
        if not token:
            return


async def _page(client: Client, token: bytes) -> Any:
    request = ListWorkersRequest(namespace=client.namespace, page_size=_PAGE, next_page_token=token)
    try:
        return await client.workflow_service.list_workers(request)
    except RPCError as error:
        if error.status not in {RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED}:
            raise
        raise ConfigurationError(
            f"This Temporal server does not list workers for us: {error.message.rstrip('.')}. Make sure by other means "
            "that every worker holds the key, and say so with --skip-workers.",
            namespace=client.namespace,
        ) from None


async def _heartbeat(client: Client, instance_key: str) -> WorkerHeartbeat | None:
    """Ask for one worker, on a server whose list has no heartbeats."""
    request = DescribeWorkerRequest(namespace=client.namespace, worker_instance_key=instance_key)
    try:
        answer = await client.workflow_service.describe_worker(request)
    except RPCError:
        return None
    return answer.worker_info.worker_heartbeat
