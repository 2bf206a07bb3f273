"""Move shipments to another customer, or put everything back, then tell whoever asked; deterministic code only."""

import asyncio
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._job_notice import start_notification
    from trenova_activities._labels import brief
    from trenova_activities._names import (
        TRANSFER_CANCEL_ACTIVITY,
        TRANSFER_COPY_ACTIVITY,
        TRANSFER_RELEASE_ACTIVITY,
        TRANSFER_RESERVE_ACTIVITY,
        TRANSFER_RESTORE_ACTIVITY,
        TRANSFER_SHIPMENTS_JOB,
        TRANSFER_SHIPMENTS_WORKFLOW,
        TRANSFER_VERIFY_ACTIVITY,
        TRANSFER_WITHDRAW_ACTIVITY,
    )
    from trenova_activities._notification_contract import JobNotificationPayload, RelatedEntity
    from trenova_activities._saga import Saga, shielded
    from trenova_activities._saga_contract import Compensation, NotUndoneError, as_argument
    from trenova_activities._timeouts import TRANSACTION
    from trenova_activities._transfer_contract import (
        ReservedTransfer,
        TransferCall,
        TransferShipmentsPayload,
        TransferShipmentsResult,
        TransferStep,
        TransferStepDone,
    )
    from trenova_activities._wording import explain_failure, what_failed

_UNDONE = "What had been done was undone."


@workflow.defn(name=TRANSFER_SHIPMENTS_WORKFLOW)
class TransferShipmentsWorkflow:
    """All shipments or none, once per idempotency key, and one notification of the outcome."""

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    @workflow.run
    async def run(self, payload: TransferShipmentsPayload) -> TransferShipmentsResult:
        """Reserve numbers, copy, cancel the sources; a step that fails has those before it undone.

        A cancellation undoes what was done, unless the sources are canceled and the requester is being told already:
        then it comes too late.

        Raises:
            ActivityError: What a step failed with; its cause carries the wire type. Everything is undone.
            NotUndoneError: It failed, and somebody had changed what was to be undone; the message says what.
        """
        saga = Saga()
        try:
            async with saga:
                result = await _steps(saga, _call(payload))
        except (FailureError, asyncio.CancelledError) as error:
            failure = _failure(payload, saga, error)
            workflow.set_current_details(failure.result)
            await shielded(start_notification(failure))
            raise
        workflow.set_current_details(result.result)
        await shielded(start_notification(_success(payload, result)))
        return result


def _call(payload: TransferShipmentsPayload) -> TransferCall:
    asked = payload.model_dump(exclude={"timestamp", "metadata"})
    return TransferCall(**asked, run_id=workflow.info().first_execution_run_id)


async def _steps(saga: Saga, call: TransferCall) -> TransferShipmentsResult:
    try:
        return await _transfer(saga, call)
    except (FailureError, asyncio.CancelledError) as error:
        workflow.set_current_details(f"{what_failed(error)} What has been done is being undone.")
        raise


async def _transfer(saga: Saga, call: TransferCall) -> TransferShipmentsResult:
    workflow.set_current_details("Step 1 of 3: the request is to be checked, and pro numbers to be reserved.")
    async with saga.step("reserve", _undo(TRANSFER_RELEASE_ACTIVITY, call, "reserve")):
        reserved: ReservedTransfer = await workflow.execute_activity(
            TRANSFER_RESERVE_ACTIVITY,
            call,
            result_type=ReservedTransfer,
            activity_id="reserve",
            summary=f"Check {_shipments(call)} and reserve pro numbers",
            **TRANSACTION,
        )
    if reserved.known is not None:
        return reserved.known
    workflow.set_current_details(f"Step 2 of 3: {_shipments(call)} to be copied for customer {call.customer_id}.")
    async with saga.step("copy", _undo(TRANSFER_WITHDRAW_ACTIVITY, call, "copy")):
        await workflow.execute_activity(
            TRANSFER_COPY_ACTIVITY,
            call,
            result_type=TransferStepDone,
            activity_id="copy",
            summary=brief(f"Copy {_shipments(call)} for customer {call.customer_id}"),
            **TRANSACTION,
        )
    workflow.set_current_details("Step 3 of 3: the copies are made, and the sources are to be canceled.")
    async with saga.step("cancel", _undo(TRANSFER_RESTORE_ACTIVITY, call, "cancel")):
        result: TransferShipmentsResult = await workflow.execute_activity(
            TRANSFER_CANCEL_ACTIVITY,
            call,
            result_type=TransferShipmentsResult,
            activity_id="cancel",
            summary=f"Cancel the sources of {_shipments(call)}",
            **TRANSACTION,
        )
    return result


def _shipments(call: TransferCall) -> str:
    count = len(call.shipment_ids)
    return "one shipment" if count == 1 else f"{count} shipments"


def _undo(activity: str, call: TransferCall, step: TransferStep) -> Compensation:
    return Compensation(
        activity=activity,
        argument=as_argument(call),
        verify=TRANSFER_VERIFY_ACTIVITY,
        verify_argument=as_argument(call.model_copy(update={"step": step})),
    )


def _success(payload: TransferShipmentsPayload, result: TransferShipmentsResult) -> JobNotificationPayload:
    successors = zip(result.shipment_ids, result.pro_numbers, strict=True)
    return JobNotificationPayload(
        **_about(payload),
        success=True,
        result=result.result,
        data={**result.data, "count": result.count, "proNumbers": result.pro_numbers},
        related_entities=[RelatedEntity(type="shipment", id=id_, name=number) for id_, number in successors],
    )


def _failure(payload: TransferShipmentsPayload, saga: Saga, error: BaseException) -> JobNotificationPayload:
    left = [one.model_dump(by_alias=True) for one in saga.left]
    return JobNotificationPayload(
        **_about(payload),
        success=False,
        result=_words(saga, error, len(payload.shipment_ids)),
        data={"customerId": payload.customer_id, "count": len(payload.shipment_ids), "notUndone": left},
        related_entities=[RelatedEntity(type="shipment", id=id_) for id_ in payload.shipment_ids],
    )


def _words(saga: Saga, error: BaseException, count: int) -> str:
    """Say what became of the shipments, in numbers where that is certain."""
    if isinstance(error, NotUndoneError):
        return error.message
    if saga.undone:
        none = "The shipment was not transferred." if count == 1 else f"None of the {count} shipments was transferred."
        return f"{none} {what_failed(error)} {_UNDONE}"
    return explain_failure(error)


def _about(payload: TransferShipmentsPayload) -> dict[str, Any]:
    return {
        "timestamp": int(workflow.now().timestamp()),
        "organization_id": payload.organization_id,
        "business_unit_id": payload.business_unit_id,
        "user_id": payload.user_id,
        "job_id": workflow.info().workflow_id,
        "job_type": TRANSFER_SHIPMENTS_JOB,
    }
