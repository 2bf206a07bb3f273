"""Start a redelivery as a caller should: one run per delivery at a time."""

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from trenova_activities._delivery_contract import RedeliverPayload, RedeliverResult
from trenova_activities._names import BUSINESS_UNIT_ID, JOB_TYPE, NOTIFICATION_JOB, NOTIFICATION_QUEUE, ORGANIZATION_ID
from trenova_activities._redelivery_workflow import RedeliverNotificationWorkflow


def redelivery_workflow_id(organization_id: str, key: str) -> str:
    """Return ``redeliver-notification/<organization>/<key of the delivery>``."""
    return f"redeliver-notification/{organization_id}/{key}"


async def start_redelivery(
    client: Client, payload: RedeliverPayload, *, task_queue: str = NOTIFICATION_QUEUE
) -> WorkflowHandle[RedeliverNotificationWorkflow, RedeliverResult]:
    """Start a redelivery, or join the one of the same delivery that is running.

    Args:
        client: Any client whose data converter writes what the workers read.
        payload: Which, who wants it and why.
        task_queue: Another queue that serves the job.
    """
    return await client.start_workflow(
        RedeliverNotificationWorkflow.run,
        payload,
        id=redelivery_workflow_id(payload.organization_id, payload.key),
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes(
            [
                SearchAttributePair(ORGANIZATION_ID, payload.organization_id),
                SearchAttributePair(BUSINESS_UNIT_ID, payload.business_unit_id),
                SearchAttributePair(JOB_TYPE, NOTIFICATION_JOB),
            ]
        ),
        static_summary=f"Redeliver {payload.key[:12]}, asked by {payload.requested_by}",
    )
