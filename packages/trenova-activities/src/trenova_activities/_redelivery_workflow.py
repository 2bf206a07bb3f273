"""Try a delivery again that was given up; deterministic code only."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_activities._delivering import deliver
    from trenova_activities._delivery_contract import PlannedDelivery, RedeliverPayload, RedeliverResult
    from trenova_activities._labels import brief
    from trenova_activities._names import REDELIVER_NOTIFICATION_WORKFLOW, REOPEN_DELIVERY_ACTIVITY
    from trenova_activities._timeouts import RECORD


@workflow.defn(name=REDELIVER_NOTIFICATION_WORKFLOW)
class RedeliverNotificationWorkflow:
    """Record who wants it, and deliver under the same id; what has been taken meanwhile is not sent again."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: RedeliverPayload) -> RedeliverResult:
        """Reopen the delivery and bring it to its end."""
        reopened: PlannedDelivery = await workflow.execute_activity(
            REOPEN_DELIVERY_ACTIVITY,
            payload,
            result_type=PlannedDelivery,
            activity_id="reopen",
            summary=brief(f"Make the delivery ready that {payload.requested_by} wants tried again"),
            **RECORD,
        )
        if reopened.state == "delivered":
            return RedeliverResult(delivery=reopened, result=f"{_named(reopened)} had been delivered.")
        [ended] = await deliver(payload, [reopened])
        done = "is delivered" if ended.state == "delivered" else "failed again and is given up"
        return RedeliverResult(delivery=ended, result=f"{_named(ended)} {done}.")


def _named(delivery: PlannedDelivery) -> str:
    return f"The {delivery.channel} message to {delivery.target}"
