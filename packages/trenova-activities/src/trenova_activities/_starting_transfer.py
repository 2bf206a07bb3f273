"""Start a transfer as a caller should: one run per key, conflicts found."""

import uuid

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from trenova_activities._names import (
    NOTIFY_SUFFIX,
    SHIPMENT_QUEUE,
    TRANSFER_SHIPMENTS_JOB,
    TRANSFER_SHIPMENTS_WORKFLOW,
)
from trenova_activities._starting import REQUEST_DIGEST, checked_id, refuse_other_request, tags
from trenova_activities._transfer_contract import TransferShipmentsPayload, TransferShipmentsResult
from trenova_activities._transfer_workflow import TransferShipmentsWorkflow


def transfer_workflow_id(organization_id: str, key: str) -> str:
    """Return ``transfer-shipments/<organization>/<key>``, the same for every caller of a key."""
    return checked_id(f"transfer-shipments/{organization_id}/{key}", reserve=len(NOTIFY_SUFFIX))


async def start_transfer(
    client: Client, payload: TransferShipmentsPayload, *, task_queue: str = SHIPMENT_QUEUE
) -> WorkflowHandle[TransferShipmentsWorkflow, TransferShipmentsResult]:
    """Start the transfer, or join the one that already does exactly this.

    Args:
        client: Connected with ``trenova_errors.ErrorsPlugin``.
        payload: Without an idempotency key it gets a new one.
        task_queue: Where a shipment worker polls.

    Returns:
        The run; a run of the same request that succeeded before is returned, one that failed is done again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key makes too long a workflow id.
    """
    if payload.idempotency_key is None:
        payload = payload.model_copy(update={"idempotency_key": uuid.uuid4().hex})
    key = str(payload.idempotency_key)
    workflow_id = transfer_workflow_id(payload.organization_id, key)
    shown = payload.shipment_ids[:5]
    try:
        return await client.start_workflow(
            TransferShipmentsWorkflow.run,
            payload,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            memo={REQUEST_DIGEST: payload.digest()},
            search_attributes=tags(payload, TRANSFER_SHIPMENTS_JOB),
            static_summary=f"Transfer {len(payload.shipment_ids)} shipments to {payload.customer_id}",
            static_details="\n".join([*shown, *(["..."] if len(payload.shipment_ids) > len(shown) else [])]),
        )
    except WorkflowAlreadyStartedError:
        await refuse_other_request(client, workflow_id, payload, key=key, workflow_type=TRANSFER_SHIPMENTS_WORKFLOW)
        return client.get_workflow_handle_for(TransferShipmentsWorkflow.run, workflow_id)
