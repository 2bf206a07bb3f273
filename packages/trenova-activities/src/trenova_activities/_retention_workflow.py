"""Delete audit entries that every organization's own period has outlived; deterministic code only."""

from typing import ClassVar, Final

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import (
        DELETE_AUDIT_ENTRIES_ACTIVITY,
        DELETE_AUDIT_ENTRIES_JOB,
        DELETE_AUDIT_ENTRIES_WORKFLOW,
    )
    from trenova_activities._nightly_workflow import NightlyKind, NightlyLoop
    from trenova_activities._retention_contract import (
        DeleteAuditEntriesPayload,
        DeleteAuditEntriesProgress,
        DeleteAuditEntriesResult,
    )
    from trenova_activities._steered_workflow import SteeredWorkflow
    from trenova_errors import NonRetryableError

_KIND: Final = NightlyKind(
    kind="delete",
    activity=DELETE_AUDIT_ENTRIES_ACTIVITY,
    progress=DeleteAuditEntriesProgress,
    job_type=DELETE_AUDIT_ENTRIES_JOB,
)


@workflow.defn(name=DELETE_AUDIT_ENTRIES_WORKFLOW)
class DeleteAuditEntriesWorkflow(SteeredWorkflow):
    """Every entry that has outlived its period, and no other; failures are told to a role of the organization."""

    versioning_behavior: ClassVar = VersioningBehavior.AUTO_UPGRADE

    @workflow.init
    def __init__(self, payload: DeleteAuditEntriesPayload) -> None:
        self._work = NightlyLoop(_KIND, payload)
        super().__init__(self._work)

    @workflow.run
    async def run(self, _payload: DeleteAuditEntriesPayload) -> DeleteAuditEntriesResult:
        """Delete, organization by organization.

        Raises:
            ActivityError: A call failed for good (an append-only log that lets nobody through, say), or the
                database could not be reached for a day.
            NonRetryableError: Every organization failed.
        """
        progress = await self._work.run()
        if progress.result is None:
            raise NonRetryableError("The last call of the activity brought no result; its worker is older than this.")
        return progress.result
