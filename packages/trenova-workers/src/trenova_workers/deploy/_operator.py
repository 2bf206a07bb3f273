"""Changes the routing of a worker deployment, each change with its reason, and none over somebody else's."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.workflowservice.v1 import (
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
    UpdateWorkerDeploymentVersionMetadataRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_workers.deploy._errors import DeploymentConflictError, refusal
from trenova_workers.deploy._plans import Action, Plan, keep_workers, plan_promote, plan_ramp, plan_rollback
from trenova_workers.deploy._reading import CHANGE_KEY, WITHIN, DeploymentReader
from trenova_workers.deploy._status import DeployDocument, DeploymentStatus, VersionChange

_log = logging.getLogger(__name__)

# A ramp of nothing: the server takes an empty build for it.
_NOTHING: Final = ""
_PAUSES_S: Final = (1.0, 2.0, 4.0)


class Changed(DeployDocument):
    """What came of a change."""

    deployment: str
    action: Action
    build_id: str
    """Of the version that was ramped, promoted or taken back."""
    current: str | None
    ramping: str | None
    percent: float
    """Routing as it is now; of a dry run, as it would be."""
    done: bool
    """Whether anything was changed: false for a dry run, and where all was so already."""
    dry_run: bool
    said: str
    reason: str = ""
    warnings: tuple[str, ...] = ()
    revision: int
    """Of the routing, after the change."""


class Operator:
    """Changes one deployment.

    A change is refused if somebody else has made one since the deployment was read for it; asking again for what is so
    already changes nothing.

    Args:
        client: Needs permission to change worker deployments.
        deployment: Its name.
        by: Who changes it, e.g. ``user@host``. The server shows it, in clear.
    """

    def __init__(self, client: Client, deployment: str, *, by: str) -> None:
        self._client, self._name, self._by = client, deployment, by
        self.reader = DeploymentReader(client, deployment)

    async def ramp(
        self, build_id: str, percent: float, *, reason: str = "", dry_run: bool = False, revision: int | None = None
    ) -> Changed:
        """Send a share of new work to a version.

        Args:
            build_id: Its build.
            percent: Above 0, up to 100.
            reason: Why, kept with the version on the server, in clear.
            dry_run: Check all and change nothing.
            revision: That the routing is expected to have; another is somebody else's change.

        Raises:
            ConfigurationError: There is no such deployment or version.
            DeploymentRefusedError: Work would wait for workers that are not there.
            DeploymentConflictError: Somebody else has changed the routing.
            RPCError: The server cannot be asked.
        """
        status, token = await self._read(revision)
        return await self._make(status, token, plan_ramp(status, build_id, percent), reason, dry_run=dry_run)

    async def promote(
        self, build_id: str, *, reason: str = "", dry_run: bool = False, revision: int | None = None
    ) -> Changed:
        """Make a version current; arguments and errors are those of `ramp`."""
        status, token = await self._read(revision)
        return await self._make(status, token, plan_promote(status, build_id), reason, dry_run=dry_run)

    async def rollback(self, *, reason: str = "", dry_run: bool = False, revision: int | None = None) -> Changed:
        """Take back what ramps, else what was promoted last; arguments and errors are those of `ramp`."""
        status, token = await self._read(revision)
        return await self._make(status, token, plan_rollback(status), reason, dry_run=dry_run)

    async def rolled_back(self, build_id: str, *, reason: str, after: int) -> Changed | None:
        """Say what came of a rollback whose answer was lost, and keep its reason.

        Args:
            build_id: Of the version that ramped.
            reason: Why it was taken back.
            after: Revision of the routing before.

        Returns:
            None where the routing is not what that rollback would have made of it, or is so by somebody else.

        Raises:
            ConfigurationError: There is no such deployment.
            RPCError: The server cannot be asked.
        """
        status = await self.reader.read()
        if (status.revision, status.last_change_by, status.ramping) != (after + 1, self._by, None):
            return None
        if status.current == build_id:
            return None
        said = f"No new work goes to {build_id}; it goes to {status.current or 'unversioned workers'}."
        warnings = keep_workers(status, build_id)
        plan = Plan("rollback", build_id, None, None, 0.0, needed=True, said=said, warnings=warnings)
        await self._tell(status.model_copy(update={"ramping": build_id}), plan, reason)
        return Changed(
            deployment=self._name,
            action=plan.action,
            build_id=build_id,
            current=status.current,
            ramping=None,
            percent=0.0,
            done=True,
            dry_run=False,
            said=said,
            reason=reason,
            warnings=warnings,
            revision=status.revision,
        )

    async def _read(self, revision: int | None) -> tuple[DeploymentStatus, bytes]:
        status, token = await self.reader.read_with_token()
        if revision is not None and status.revision != revision:
            raise DeploymentConflictError(
                f"{status.last_change_by or 'Somebody else'} has changed the routing of {self._name!r}: current is "
                f"{status.current or 'nothing'}, ramping {status.ramping or 'nothing'} ({status.percent:g} %). Nothing "
                "was done; look at 'trenova-workers deploy status' and decide again.",
                deployment=self._name,
            )
        return status, token

    async def _make(self, status: DeploymentStatus, token: bytes, plan: Plan, reason: str, *, dry_run: bool) -> Changed:
        revision = status.revision
        if plan.needed and not dry_run:
            await self._route(plan, token)
            revision += 1
            await self._tell(status, plan, reason)
        return Changed(
            deployment=self._name,
            action=plan.action,
            build_id=plan.build_id,
            current=plan.current or status.current,
            ramping=plan.ramping,
            percent=plan.percent,
            done=plan.needed and not dry_run,
            dry_run=dry_run,
            said=plan.said,
            reason=reason,
            warnings=plan.warnings,
            revision=revision,
        )

    async def _route(self, plan: Plan, token: bytes) -> None:
        """Change the routing; what the server refuses because it is asked too much was not done, and is tried again."""
        try:
            for pause_s in _PAUSES_S:
                try:
                    return await self._set(plan, token)
                except RPCError as error:
                    if error.status != RPCStatusCode.RESOURCE_EXHAUSTED:
                        raise
                await asyncio.sleep(pause_s)
            await self._set(plan, token)
        except RPCError as error:
            raise refusal(error, self._name, f"{plan.action} {plan.build_id}") from None

    async def _set(self, plan: Plan, token: bytes) -> None:
        service = self._client.workflow_service
        if plan.current is not None:
            current = SetWorkerDeploymentCurrentVersionRequest(
                namespace=self._client.namespace,
                deployment_name=self._name,
                build_id=plan.current,
                identity=self._by,
                conflict_token=token,
                ignore_missing_task_queues=plan.action == "rollback",  # a queue that only the newer version has
            )
            await service.set_worker_deployment_current_version(current, timeout=WITHIN)
        else:
            ramping = SetWorkerDeploymentRampingVersionRequest(
                namespace=self._client.namespace,
                deployment_name=self._name,
                build_id=plan.ramping or _NOTHING,
                percentage=plan.percent,
                identity=self._by,
                conflict_token=token,
            )
            await service.set_worker_deployment_ramping_version(ramping, timeout=WITHIN)

    async def _tell(self, status: DeploymentStatus, plan: Plan, reason: str) -> None:
        """Keep why with the versions that it is about. The change is made: a reason that is lost undoes nothing."""
        before = status.ramping if plan.action == "rollback" and status.ramping else status.current
        change = VersionChange(
            action=plan.action,
            reason=reason,
            by=self._by,
            at=datetime.now(UTC),
            percent=plan.percent if plan.action == "ramp" else None,
            before=before,
        )
        payload = Payload(metadata={"encoding": b"json/plain"}, data=change.model_dump_json().encode())
        beside = plan.current or status.current if plan.action == "rollback" else None
        for build_id in {plan.build_id, beside or plan.build_id}:
            request = UpdateWorkerDeploymentVersionMetadataRequest(
                namespace=self._client.namespace,
                deployment_version=WorkerDeploymentVersion(deployment_name=self._name, build_id=build_id),
                identity=self._by,
                upsert_entries={CHANGE_KEY: payload},
            )
            try:
                await self._client.workflow_service.update_worker_deployment_version_metadata(
                    request, retry=True, timeout=WITHIN
                )
            except RPCError as error:
                _log.warning("the reason of a change was not kept", extra={"version": build_id, "error": str(error)})
