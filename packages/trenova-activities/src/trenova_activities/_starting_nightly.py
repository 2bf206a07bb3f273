"""Start a nightly job by hand: the schedule starts it every night, a person when it is wanted now."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from trenova_activities._cancellation_contract import CancelShipmentsPayload, CancelShipmentsResult
from trenova_activities._cancellation_workflow import CancelShipmentsByCreatedAtWorkflow
from trenova_activities._continuation import CONTINUATION_MEMO, ContinuationBudget
from trenova_activities._names import (
    CANCEL_SHIPMENTS_WORKFLOW,
    DELETE_AUDIT_ENTRIES_WORKFLOW,
    NOTIFY_SUFFIX,
    SHIPMENT_QUEUE,
    SYSTEM_QUEUE,
)
from trenova_activities._nightly_contract import NightlyPayload
from trenova_activities._nightly_labels import nightly_labels
from trenova_activities._retention_contract import DeleteAuditEntriesPayload, DeleteAuditEntriesResult
from trenova_activities._retention_workflow import DeleteAuditEntriesWorkflow
from trenova_activities._starting import checked_id, refuse_other_request
from trenova_activities._wire import MAX_ID
from trenova_errors import InvalidInputError

_NOTIFY_RESERVE: Final = len(NOTIFY_SUFFIX) + 2 * (1 + MAX_ID)  # a failure's notification adds both ids of the tenant
_SHOWN_HASH: Final = 12


def cancel_workflow_id(key: str) -> str:
    """Return ``cancel-shipments/<key>``, the same for every caller of a key."""
    return _workflow_id("cancel-shipments", key)


def purge_workflow_id(key: str) -> str:
    """Return ``delete-audit-entries/<key>``, the same for every caller of a key."""
    return _workflow_id("delete-audit-entries", key)


def _workflow_id(kind: str, key: str) -> str:
    if not key.strip():
        raise InvalidInputError("The key is empty. Give one that names the run, or none at all for a run of its own.")
    return checked_id(f"{kind}/{key}", reserve=_NOTIFY_RESERVE)


async def start_cancel(
    client: Client,
    payload: CancelShipmentsPayload | None = None,
    *,
    key: str | None = None,
    task_queue: str = SHIPMENT_QUEUE,
    continuation: ContinuationBudget | None = None,
) -> WorkflowHandle[CancelShipmentsByCreatedAtWorkflow, CancelShipmentsResult]:
    """Start a cancellation of stale shipments, or find the run that the key already has.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        payload: For whom; every organization that wants it, if absent.
        key: Makes two calls the same one; made up if absent, so that every call is a new run.
        task_queue: Another queue that serves the job.
        continuation: How long its history may become; kept in the memo. The default suits every size of database.

    Returns:
        The handle of the run. A failed run of the key is started again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key is empty or too long, or a tag is none.
    """
    payload = payload or CancelShipmentsPayload()
    workflow_id = cancel_workflow_id(uuid.uuid4().hex if key is None else key)
    job = _Job(CancelShipmentsByCreatedAtWorkflow.run, CANCEL_SHIPMENTS_WORKFLOW, CANCEL_SHIPMENTS_JOB, continuation)
    handle: WorkflowHandle[CancelShipmentsByCreatedAtWorkflow, CancelShipmentsResult] = await job.start(
        client, payload, workflow_id, task_queue, NIGHTLY_JOBS[CANCEL_SHIPMENTS_WORKFLOW].words
    )
    return handle


async def start_purge(
    client: Client,
    payload: DeleteAuditEntriesPayload | None = None,
    *,
    key: str | None = None,
    task_queue: str = SYSTEM_QUEUE,
    continuation: ContinuationBudget | None = None,
) -> WorkflowHandle[DeleteAuditEntriesWorkflow, DeleteAuditEntriesResult]:
    """Start a deletion of outlived audit entries, or find the run that the key already has.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        payload: For whom; every organization that has a period, if absent.
        key: Makes two calls the same one; made up if absent, so that every call is a new run.
        task_queue: Another queue that serves the job.
        continuation: How long its history may become; kept in the memo. The default suits every size of database.

    Returns:
        The handle of the run. A failed run of the key is started again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key is empty or too long, or a tag is none.
    """
    payload = payload or DeleteAuditEntriesPayload()
    workflow_id = purge_workflow_id(uuid.uuid4().hex if key is None else key)
    job = _Job(DeleteAuditEntriesWorkflow.run, DELETE_AUDIT_ENTRIES_WORKFLOW, DELETE_AUDIT_ENTRIES_JOB, continuation)
    handle: WorkflowHandle[DeleteAuditEntriesWorkflow, DeleteAuditEntriesResult] = await job.start(
        client, payload, workflow_id, task_queue, NIGHTLY_JOBS[DELETE_AUDIT_ENTRIES_WORKFLOW].words
    )
    return handle


@dataclass(frozen=True)
class _Job:
    """What is started: the workflow's method, its wire name, the job's name, and how long its history may become."""

    run: Any
    workflow: str
    job_type: str
    continuation: ContinuationBudget | None

    async def start(
        self, client: Client, payload: NightlyPayload, workflow_id: str, task_queue: str, what: str
    ) -> WorkflowHandle[Any, Any]:
        """Start the run, or find the one that was asked the same."""
        try:
            handle: WorkflowHandle[Any, Any] = await client.start_workflow(
                self.run,
                payload,
                id=workflow_id,
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={
                    REQUEST_DIGEST: payload.digest(),
                    **({} if self.continuation is None else {CONTINUATION_MEMO: self.continuation}),
                },
                search_attributes=_tags(self.job_type, payload),
                static_summary=in_words(what, payload),
            )
        except WorkflowAlreadyStartedError:
            key = workflow_id.partition("/")[2]
            await refuse_other_request(client, workflow_id, payload, key=key, workflow_type=self.workflow)
            return client.get_workflow_handle_for(self.run, workflow_id)
        return handle


def _tags(job_type: str, payload: NightlyPayload) -> TypedSearchAttributes:
    tags = [SearchAttributePair(JOB_TYPE, job_type)]
    if len(payload.organization_ids) == 1:
        tags.append(SearchAttributePair(ORGANIZATION_ID, payload.organization_ids[0]))
    return TypedSearchAttributes(tags)


def in_words(what: str, payload: NightlyPayload) -> str:
    """Say in a line what a run is asked: for whom, and whether it changes anything."""
    count = len(payload.organization_ids)
    whose = f"of {count} organizations" if count > 1 else "of one organization" if count else "of every organization"
    plan = f", by plan {payload.plan_hash[:_SHOWN_HASH]}" if payload.plan_hash else ""
    return f"{what} {whose}{', dry run' if payload.dry_run else ''}{plan}"
