"""Start a transfer as a caller should: one run per key, conflicts found."""

import uuid
from collections.abc import Sequence
from typing import Final

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from trenova_activities._labels import RunLabels, checked_tags
from trenova_activities._names import (
    NOTIFY_SUFFIX,
    SHIPMENT_QUEUE,
    TRANSFER_SHIPMENTS_JOB,
    TRANSFER_SHIPMENTS_WORKFLOW,
)
from trenova_activities._starting import checked_id, refuse_other_request
from trenova_activities._transfer_contract import TransferShipmentsPayload, TransferShipmentsResult
from trenova_activities._transfer_workflow import TransferShipmentsWorkflow

_MOST_NAMED: Final = 5


def transfer_workflow_id(organization_id: str, key: str) -> str:
    """Return ``transfer-shipments/<organization>/<key>``, the same for every caller of a key."""
    return checked_id(f"transfer-shipments/{organization_id}/{key}", reserve=len(NOTIFY_SUFFIX))


async def start_transfer(
    client: Client,
    payload: TransferShipmentsPayload,
    *,
    task_queue: str = SHIPMENT_QUEUE,
    tags: Sequence[str] = (),
) -> WorkflowHandle[TransferShipmentsWorkflow, TransferShipmentsResult]:
    """Start the transfer, or join the one that already does exactly this.

    Args:
        client: Connected with ``trenova_errors.ErrorsPlugin``.
        payload: Without an idempotency key it gets a new one.
        task_queue: Where a shipment worker polls.
        tags: Words to find the run by (``TrenovaTags``), at most 10; never encrypted.

    Returns:
        The run; a run of the same request that succeeded before is returned, one that failed is done again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: The key makes too long a workflow id, or a tag is none.
    """
    labels = _labels(payload, checked_tags(tags))
    if payload.idempotency_key is None:
        payload = payload.model_copy(update={"idempotency_key": uuid.uuid4().hex})
    key = str(payload.idempotency_key)
    workflow_id = transfer_workflow_id(payload.organization_id, key)
    try:
        return await client.start_workflow(
            TransferShipmentsWorkflow.run,
            payload,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            **labels.arguments(digest=payload.digest()),
        )
    except WorkflowAlreadyStartedError:
        await refuse_other_request(client, workflow_id, payload, key=key, workflow_type=TRANSFER_SHIPMENTS_WORKFLOW)
        return client.get_workflow_handle_for(TransferShipmentsWorkflow.run, workflow_id)


def _labels(payload: TransferShipmentsPayload, tags: tuple[str, ...]) -> RunLabels:
    count, more = len(payload.shipment_ids), len(payload.shipment_ids) - _MOST_NAMED
    shown = "\n".join(f"- {id_}" for id_ in payload.shipment_ids[:_MOST_NAMED])
    return RunLabels(
        job_type=TRANSFER_SHIPMENTS_JOB,
        summary=f"Transfer {count} shipment{'s' if count > 1 else ''} to {payload.customer_id}",
        details=(
            f"Makes copies for customer {payload.customer_id} and cancels the sources. All of them are moved or none: "
            "where a step fails, those before it are undone.\n\n"
            f"{shown}{f'{chr(10)}- and {more} more' if more > 0 else ''}\n\n"
            f"Asked by {payload.user_id}, as the caller says, who is told how it ended."
        ),
        organization_id=payload.organization_id,
        business_unit_id=payload.business_unit_id,
        requested_by=payload.user_id,
        tags=tags,
    )
