"""Look at the database through a worker's eyes; deterministic code only."""

from typing import ClassVar

from temporalio import workflow
from temporalio.common import VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_activities._check_contract import CheckDatabasePayload, CheckDatabaseResult
    from trenova_activities._names import CHECK_DATABASE_ACTIVITY, CHECK_DATABASE_WORKFLOW
    from trenova_activities._timeouts import INSPECTION


@workflow.defn(name=CHECK_DATABASE_WORKFLOW)
class CheckDatabaseWorkflow:
    """Report what each job lacks in the database that the workers really use; changes nothing."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: CheckDatabasePayload) -> CheckDatabaseResult:
        """Check once and return the report."""
        result: CheckDatabaseResult = await workflow.execute_activity(
            CHECK_DATABASE_ACTIVITY,
            payload,
            result_type=CheckDatabaseResult,
            activity_id="check",
            summary="Look at what each job lacks in the workers' database",
            **INSPECTION,
        )
        return result
