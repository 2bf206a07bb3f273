"""Cancel stale shipments of every organization that wants it; deterministic code only."""

from typing import ClassVar, Final

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_activities._cancellation_contract import (
        CancelShipmentsPayload,
        CancelShipmentsProgress,
        CancelShipmentsResult,
    )
    from trenova_activities._names import (
        CANCEL_SHIPMENTS_ACTIVITY,
        CANCEL_SHIPMENTS_JOB,
        CANCEL_SHIPMENTS_WORKFLOW,
    )
    from trenova_activities._nightly_workflow import NightlyKind, NightlyLoop
    from trenova_activities._steered_workflow import SteeredWorkflow
    from trenova_errors import NonRetryableError

_KIND: Final = NightlyKind(
    kind="cancel",
    activity=CANCEL_SHIPMENTS_ACTIVITY,
    progress=CancelShipmentsProgress,
    job_type=CANCEL_SHIPMENTS_JOB,
)


@workflow.defn(name=CANCEL_SHIPMENTS_WORKFLOW)
class CancelShipmentsByCreatedAtWorkflow(SteeredWorkflow):
    """Every eligible shipment once, none that is younger; failures are told to a role of the organization."""

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    @workflow.init
    def __init__(self, payload: CancelShipmentsPayload) -> None:
        self._work = NightlyLoop(_KIND, payload)
        super().__init__(self._work)

    @workflow.run
    async def run(self, _payload: CancelShipmentsPayload) -> CancelShipmentsResult:
        """Cancel, organization by organization.

        Raises:
            ActivityError: A call failed for good, or the database could not be reached for a day.
            NonRetryableError: Every organization failed.
        """
        progress = await self._work.run()
        if progress.result is None:
            raise NonRetryableError("The last call of the activity brought no result; its worker is older than this.")
        return progress.result
