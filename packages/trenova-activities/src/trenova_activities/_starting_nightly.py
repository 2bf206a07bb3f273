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
from trenova_activities._labels import RunLabels, checked_tags
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
    requested_by: str | None = None,
    tags: Sequence[str] = (),
    continuation: ContinuationBudget | None = None,
) -> WorkflowHandle[CancelShipmentsByCreatedAtWorkflow, CancelShipmentsResult]:
    """Start a cancellation of stale shipments, or find the run that the key already has.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        payload: For whom; every organization that wants it, if absent.
        key: Makes two calls the same one; made up if absent, so that every call is a new run.
        task_queue: Another queue that serves the job.
        requested_by: Who asks, for the memo; a claim, which nothing checks.
        tags: Words to find the run by (``TrenovaTags``), at most 10; never encrypted.
        continuation: How long its history may become; kept in the memo. The default suits every size of database.

    Returns:
        The handle of the run. A failed run of the key is started again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key is empty or too long, or a tag is none.
    """
    payload = payload or CancelShipmentsPayload()
    workflow_id = cancel_workflow_id(uuid.uuid4().hex if key is None else key)
    labels = nightly_labels(CANCEL_SHIPMENTS_WORKFLOW, payload, requested_by=requested_by, tags=checked_tags(tags))
    handle: WorkflowHandle[CancelShipmentsByCreatedAtWorkflow, CancelShipmentsResult] = await _start(
        client,
        CancelShipmentsByCreatedAtWorkflow.run,
        payload,
        labels,
        id=workflow_id,
        task_queue=task_queue,
        workflow=CANCEL_SHIPMENTS_WORKFLOW,
        continuation=continuation,
    )
    return handle


async def start_purge(
    client: Client,
    payload: DeleteAuditEntriesPayload | None = None,
    *,
    key: str | None = None,
    task_queue: str = SYSTEM_QUEUE,
    requested_by: str | None = None,
    tags: Sequence[str] = (),
    continuation: ContinuationBudget | None = None,
) -> WorkflowHandle[DeleteAuditEntriesWorkflow, DeleteAuditEntriesResult]:
    """Start a deletion of outlived audit entries, or find the run that the key already has.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        payload: For whom; every organization that has a period, if absent.
        key: Makes two calls the same one; made up if absent, so that every call is a new run.
        task_queue: Another queue that serves the job.
        requested_by: Who asks, for the memo; a claim, which nothing checks.
        tags: Words to find the run by (``TrenovaTags``), at most 10; never encrypted.
        continuation: How long its history may become; kept in the memo. The default suits every size of database.

    Returns:
        The handle of the run. A failed run of the key is started again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key is empty or too long, or a tag is none.
    """
    payload = payload or DeleteAuditEntriesPayload()
    workflow_id = purge_workflow_id(uuid.uuid4().hex if key is None else key)
    labels = nightly_labels(DELETE_AUDIT_ENTRIES_WORKFLOW, payload, requested_by=requested_by, tags=checked_tags(tags))
    handle: WorkflowHandle[DeleteAuditEntriesWorkflow, DeleteAuditEntriesResult] = await _start(
        client,
        DeleteAuditEntriesWorkflow.run,
        payload,
        labels,
        id=workflow_id,
        task_queue=task_queue,
        workflow=DELETE_AUDIT_ENTRIES_WORKFLOW,
        continuation=continuation,
    )
    return handle


async def _start(
    client: Client,
    run: Any,
    payload: NightlyPayload,
    labels: RunLabels,
    *,
    id: str,  # noqa: A002 (the SDK's name)
    task_queue: str,
    workflow: str,
    continuation: ContinuationBudget | None,
) -> WorkflowHandle[Any, Any]:
    """Start the run, or find the one that was asked the same."""
    arguments = labels.arguments(digest=payload.digest())
    if continuation is not None:
        arguments["memo"] = {**arguments["memo"], CONTINUATION_MEMO: continuation}
    try:
        handle: WorkflowHandle[Any, Any] = await client.start_workflow(
            run,
            payload,
            id=id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            **arguments,
        )
    except WorkflowAlreadyStartedError:
        key = id.partition("/")[2]
        await refuse_other_request(client, id, payload, key=key, workflow_type=workflow)
        return client.get_workflow_handle_for(run, id)
    return handle
