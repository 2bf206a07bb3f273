"""Duplicate a shipment, then tell whoever asked; deterministic code only."""

import asyncio
import hashlib
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
    from trenova_activities._names import (
        DUPLICATE_SHIPMENT_ACTIVITY,
        DUPLICATE_SHIPMENT_JOB,
        DUPLICATE_SHIPMENT_WORKFLOW,
        JOB_NOTIFICATION_WORKFLOW,
        MAX_WORKFLOW_ID,
        NOTIFICATION_QUEUE,
        NOTIFY_SUFFIX,
    )
    from trenova_activities._notification_contract import JobNotificationPayload, RelatedEntity
    from trenova_activities._timeouts import TRANSACTION
    from trenova_activities._wording import explain_failure


@workflow.defn(name=DUPLICATE_SHIPMENT_WORKFLOW)
class DuplicateShipmentWorkflow:
    """All copies or none, exactly once per idempotency key, and one notification of the outcome."""

    @workflow.run
    async def run(self, payload: DuplicateShipmentPayload) -> DuplicateShipmentResult:
        """Make the copies and start the notification; its failure never fails the duplication.

        Raises:
            ActivityError: What the activity failed with; its cause carries the wire type.
        """
        try:
            result: DuplicateShipmentResult = await workflow.execute_activity(
                DUPLICATE_SHIPMENT_ACTIVITY,
                payload,
                result_type=DuplicateShipmentResult,
                activity_id="duplicate",
                summary=f"{payload.count} x {payload.shipment_id}",
                **TRANSACTION,
            )
        except (FailureError, asyncio.CancelledError) as error:
            await start_notification(_failure(payload, explain_failure(error)))
            raise
        await start_notification(_success(payload, result))
        return result


async def start_notification(notification: JobNotificationPayload) -> None:
    """Start the notification and wait until the server has it; a newer outcome replaces an older message."""
    try:
        await workflow.start_child_workflow(
            JOB_NOTIFICATION_WORKFLOW,
            notification,
            id=notification_id(workflow.info().workflow_id),
            task_queue=NOTIFICATION_QUEUE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING,
            static_summary=f"Tell {notification.target} how {notification.job_type} ended",
        )
    except FailureError:
        workflow.logger.warning("The notification could not be started", exc_info=True)


def notification_id(workflow_id: str) -> str:
    """Return ``<workflow id>/notify``; where the server would refuse its length, a fingerprint stands for the end."""
    wanted = workflow_id + NOTIFY_SUFFIX
    if len(wanted.encode()) <= MAX_WORKFLOW_ID:
        return wanted
    fingerprint = hashlib.sha256(workflow_id.encode()).hexdigest()
    room = MAX_WORKFLOW_ID - len(fingerprint) - len(NOTIFY_SUFFIX) - 1
    return f"{workflow_id.encode()[:room].decode(errors='ignore')}~{fingerprint}{NOTIFY_SUFFIX}"


def _success(payload: DuplicateShipmentPayload, result: DuplicateShipmentResult) -> JobNotificationPayload:
    source_number = str(result.data.get("sourceProNumber", ""))
    source = RelatedEntity(type="shipment", id=payload.shipment_id, name=source_number)
    copies = zip(result.shipment_ids, result.pro_numbers, strict=True)
    return JobNotificationPayload(
        **_about(payload),
        success=True,
        result=result.result,
        data={**result.data, "count": result.count, "proNumbers": result.pro_numbers},
        related_entities=[
            source,
            *(RelatedEntity(type="shipment", id=id_, name=number) for id_, number in copies),
        ],
    )


def _failure(payload: DuplicateShipmentPayload, words: str) -> JobNotificationPayload:
    return JobNotificationPayload(
        **_about(payload),
        success=False,
        result=words,
        data={"sourceShipmentId": payload.shipment_id, "count": payload.count},
        related_entities=[RelatedEntity(type="shipment", id=payload.shipment_id)],
    )


def _about(payload: DuplicateShipmentPayload) -> dict[str, Any]:
    return {
        "timestamp": int(workflow.now().timestamp()),
        "organization_id": payload.organization_id,
        "business_unit_id": payload.business_unit_id,
        "user_id": payload.user_id,
        "job_id": workflow.info().workflow_id,
        "job_type": DUPLICATE_SHIPMENT_JOB,
    }
