"""Duplicate a shipment, then tell whoever asked; deterministic code only."""

import asyncio
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
    from trenova_activities._job_notice import start_notification
    from trenova_activities._labels import brief
    from trenova_activities._names import (
        DUPLICATE_SHIPMENT_ACTIVITY,
        DUPLICATE_SHIPMENT_JOB,
        DUPLICATE_SHIPMENT_WORKFLOW,
    )
    from trenova_activities._notification_contract import JobNotificationPayload, RelatedEntity
    from trenova_activities._timeouts import TRANSACTION
    from trenova_activities._wording import explain_failure, times


@workflow.defn(name=DUPLICATE_SHIPMENT_WORKFLOW)
class DuplicateShipmentWorkflow:
    """All copies or none, exactly once per idempotency key, and one notification of the outcome."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

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
                summary=brief(f"Copy {payload.shipment_id}, {times(payload.count)}, in one transaction"),
                **TRANSACTION,
            )
        except (FailureError, asyncio.CancelledError) as error:
            words = explain_failure(error)
            workflow.set_current_details(words)
            await start_notification(_failure(payload, words))
            raise
        workflow.set_current_details(result.result)
        await start_notification(_success(payload, result))
        return result


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
