"""Start a redelivery as a caller should: one run per delivery at a time."""

from typing import Final

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from trenova_activities._delivery_contract import RedeliverPayload, RedeliverResult
from trenova_activities._labels import RunLabels
from trenova_activities._names import NOTIFICATION_JOB, NOTIFICATION_QUEUE, REDELIVERY_TAG
from trenova_activities._redelivery_workflow import RedeliverNotificationWorkflow

_HOW: Final = (
    "Sends a message again that had been given up, under the same id, so that its receiver can tell a repetition. "
    "What has been taken meanwhile is not sent."
)


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
        **_labels(payload).arguments(),
    )


def _labels(payload: RedeliverPayload) -> RunLabels:
    return RunLabels(
        job_type=NOTIFICATION_JOB,
        summary=f"Redeliver {payload.key[:12]}, asked by {payload.requested_by}",
        details="\n\n".join(
            [
                _HOW,
                f"Delivery `{payload.key}`.",
                f"Asked by {payload.requested_by}, as the caller says.{' Forced.' if payload.force else ''}",
            ]
        ),
        organization_id=payload.organization_id,
        business_unit_id=payload.business_unit_id,
        requested_by=payload.requested_by,
        tags=(REDELIVERY_TAG,),
    )
