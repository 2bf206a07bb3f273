"""Reads a worker deployment from the server: routing, versions, their workers, backlogs and open runs."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError
from temporalio.api.deployment.v1 import VersionMetadata, WorkerDeploymentInfo, WorkerDeploymentVersion
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    DescribeWorkerDeploymentVersionRequest,
    DescribeWorkerDeploymentVersionResponse,
    ListWorkerDeploymentsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_workers._fleet._fleet import Fleet
from trenova_workers._fleet._status import WorkerState, WorkerStatus
from trenova_workers.deploy._errors import UnknownDeploymentError, refusal
from trenova_workers.deploy._status import DeploymentStatus, VersionChange, VersionStatus
from trenova_workers.scaling import VersionState

CHANGE_KEY: Final = "trenova.change"
"""Under which a version's metadata hold a `VersionChange` as JSON."""

# The server bears few requests a second for one deployment, and refuses the rest for a moment: reads are tried again.
WITHIN: Final = timedelta(seconds=20)
_STATES: Final[Mapping[int, VersionState]] = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CREATED: "created",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE: "inactive",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "ramping",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
}


class DeploymentReader:
    """Reads one deployment, again and again.

    Args:
        client: Of its namespace.
        name: Of the deployment.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client, self.name = client, name
        self._fleets: dict[frozenset[str], Fleet] = {}

    async def read(self) -> DeploymentStatus:
        """Return what there is now.

        Raises:
            ConfigurationError: There is no such deployment, or the server does not tell us.
            RPCError: The server cannot be asked.
        """
        return (await self.read_with_token())[0]

    async def read_with_token(self) -> tuple[DeploymentStatus, bytes]:
        """Return what there is, and the token with which a change is refused if somebody has made another since."""
        answer = await self._describe()
        info = answer.worker_deployment_info
        builds = [one.deployment_version.build_id for one in info.version_summaries]
        described = dict(zip(builds, await asyncio.gather(*map(self._version, builds)), strict=True))
        queues = {queue.name for one in described.values() if one for queue in one.version_task_queues}
        workers = await self._workers(queues)
        versions = [
            _version_of(summary, described[summary.deployment_version.build_id], workers, self.name)
            for summary in info.version_summaries
        ]
        runs = await asyncio.gather(*(self.count(one.build_id, "ExecutionStatus = 'Running'") for one in versions))
        counted = [one.model_copy(update={"open_runs": n}) for one, n in zip(versions, runs, strict=True)]
        status = _status_of(info, counted).model_copy(update={"unversioned": _unversioned(queues, workers)})
        return status, answer.conflict_token

    async def read_load(self) -> DeploymentStatus:
        """Return what there is now, for as few questions as that takes; empty where there is no such deployment yet.

        Workers are not told, nor the load of versions on which nothing is to do any more.

        Raises:
            ConfigurationError: The server does not tell us.
            RPCError: The server cannot be asked.
        """
        try:
            info = (await self._describe()).worker_deployment_info
        except UnknownDeploymentError:
            return DeploymentStatus(name=self.name)
        builds = [one.deployment_version.build_id for one in info.version_summaries]
        runs = await asyncio.gather(*(self.count(one, "ExecutionStatus = 'Running'") for one in builds))
        idle = {
            one.deployment_version.build_id
            for one, count in zip(info.version_summaries, runs, strict=True)
            if one.status == WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED and not count
        }
        asked = [one for one in builds if one not in idle]
        described = dict(zip(asked, await asyncio.gather(*map(self._version, asked)), strict=True))
        versions = [
            _version_of(summary, described.get(build), (), self.name).model_copy(update={"open_runs": count})
            for summary, build, count in zip(info.version_summaries, builds, runs, strict=True)
        ]
        return _status_of(info, versions)

    async def count(self, build_id: str, condition: str) -> int:
        """Return how many runs on a version fulfil a condition of a visibility query."""
        return (await self._client.count_workflows(f"{on_version(self.name, build_id)} AND {condition}")).count

    async def _describe(self) -> DescribeWorkerDeploymentResponse:
        request = DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=self.name)
        try:
            return await self._client.workflow_service.describe_worker_deployment(request, retry=True, timeout=WITHIN)
        except RPCError as error:
            raise refusal(error, self.name, f"read the deployment {self.name!r}") from None

    async def _version(self, build_id: str) -> DescribeWorkerDeploymentVersionResponse | None:
        request = DescribeWorkerDeploymentVersionRequest(
            namespace=self._client.namespace,
            deployment_version=WorkerDeploymentVersion(deployment_name=self.name, build_id=build_id),
            report_task_queue_stats=True,
        )
        try:
            return await self._client.workflow_service.describe_worker_deployment_version(
                request, retry=True, timeout=WITHIN
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:  # the server has forgotten it meanwhile
                return None
            raise refusal(error, self.name, f"read its version {build_id!r}") from None

    async def _workers(self, queues: Iterable[str]) -> Sequence[WorkerStatus]:
        wanted = frozenset(queues)
        if not wanted:
            return ()
        return await self._fleets.setdefault(wanted, Fleet(self._client, queues=wanted)).look()


def on_version(deployment: str, build_id: str) -> str:
    """Return the condition of a visibility query for runs whose last ended task was on a version."""
    return f"TemporalWorkerDeploymentVersion = '{deployment}:{build_id}'"


async def deployment_names(client: Client) -> list[str]:
    """Return the deployments of the namespace.

    Raises:
        ConfigurationError: The server does not tell us.
        RPCError: The server cannot be asked.
    """
    names: list[str] = []
    token = b""
    while True:
        request = ListWorkerDeploymentsRequest(namespace=client.namespace, page_size=100, next_page_token=token)
        try:
            page = await client.workflow_service.list_worker_deployments(request, retry=True, timeout=WITHIN)
        except RPCError as error:
            raise refusal(error, "", "list worker deployments") from None
        names += [one.name for one in page.worker_deployments]
        token = page.next_page_token
        if not token:
            return sorted(names)


async def only_deployment(client: Client) -> str:
    """Return the name of the deployment of a namespace that has just one.

    Raises:
        ConfigurationError: It has none, or several; they are named.
    """
    names = await deployment_names(client)
    if not names:
        raise ConfigurationError(
            f"The namespace {client.namespace!r} has no worker deployment. Start a worker with "
            "worker.deployment.versioned: true."
        )
    if len(names) > 1:
        raise ConfigurationError(
            f"The namespace {client.namespace!r} has the deployments {', '.join(names)}. Say which: --deployment NAME."
        )
    return names[0]


def _status_of(info: WorkerDeploymentInfo, versions: Sequence[VersionStatus]) -> DeploymentStatus:
    routing = info.routing_config
    ramping = routing.ramping_deployment_version.build_id or None
    percent = routing.ramping_version_percentage if ramping else 0.0
    share = {ramping: percent, (routing.current_deployment_version.build_id or None): 100 - percent}
    return DeploymentStatus(
        name=info.name,
        current=routing.current_deployment_version.build_id or None,
        ramping=ramping,
        percent=percent,
        revision=routing.revision_number,
        last_change_by=info.last_modifier_identity,
        versions=tuple(one.model_copy(update={"percent": share.get(one.build_id, 0.0)}) for one in versions),
    )


def _version_of(
    summary: WorkerDeploymentInfo.WorkerDeploymentVersionSummary,
    described: DescribeWorkerDeploymentVersionResponse | None,
    workers: Sequence[WorkerStatus],
    deployment: str,
) -> VersionStatus:
    build_id = summary.deployment_version.build_id
    queues = [] if described is None else list(described.version_task_queues)
    own = [one for one in workers if (one.deployment, one.build_id) == (deployment, build_id)]
    running = [queue.queue for one in own for queue in one.queues if queue.state == WorkerState.RUNNING]
    ages = [queue.stats.approximate_backlog_age.ToTimedelta().total_seconds() for queue in queues]
    return VersionStatus(
        build_id=build_id,
        state=_STATES.get(summary.status, "inactive"),
        workers={queue.name: running.count(queue.name) for queue in queues},
        backlog=None if described is None else sum(queue.stats.approximate_backlog_count for queue in queues),
        backlog_age_s=max(ages, default=None),
        arrival_rate=None if described is None else sum(queue.stats.tasks_add_rate for queue in queues),
        dispatch_rate=None if described is None else sum(queue.stats.tasks_dispatch_rate for queue in queues),
        rate_limited=any(queue.stats.rate_limiting_active for queue in queues),
        created=_at(summary.create_time),
        last_current=_at(summary.last_current_time),
        change=None if described is None else _change_in(described.worker_deployment_version_info.metadata),
    )


def _unversioned(queues: Iterable[str], workers: Sequence[WorkerStatus]) -> dict[str, int]:
    running = [
        queue.queue
        for one in workers
        if one.deployment is None
        for queue in one.queues
        if queue.state == WorkerState.RUNNING
    ]
    return {queue: running.count(queue) for queue in sorted(queues)}


def _at(time: Timestamp) -> datetime | None:
    return time.ToDatetime(tzinfo=UTC) if time.seconds else None


def _change_in(metadata: VersionMetadata) -> VersionChange | None:
    """Read what anybody may have written; None for what is none."""
    if CHANGE_KEY not in metadata.entries:
        return None
    try:
        return VersionChange.model_validate_json(metadata.entries[CHANGE_KEY].data)
    except ValidationError:
        return None
