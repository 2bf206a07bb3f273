"""Workflows as a later version might have them; one asks for another activity first, which breaks open runs."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from trenova_activities import (
        CHECK_DATABASE_ACTIVITY,
        CHECK_DATABASE_WORKFLOW,
        CheckDatabasePayload,
        CheckDatabaseResult,
    )


@workflow.defn(name=CHECK_DATABASE_WORKFLOW)
class CheckWithAnExtraActivity:
    """Counts first, which no history of a released version did."""

    @workflow.run
    async def run(self, payload: CheckDatabasePayload) -> CheckDatabaseResult:
        limits = {"start_to_close_timeout": timedelta(seconds=5)}
        await workflow.execute_activity("CountActivity", activity_id="count", **limits)
        return await workflow.execute_activity(
            CHECK_DATABASE_ACTIVITY, payload, result_type=CheckDatabaseResult, activity_id="check", **limits
        )


@workflow.defn(name="ReplayKept")
class Kept:
    """Goes on as before, and does more behind a patch."""

    @workflow.run
    async def run(self, _said: str) -> None:
        if workflow.patched("more-sleep"):
            await workflow.sleep(1)
        await workflow.sleep(3600)


@workflow.defn(name="ReplayBroken")
class Broken:
    """Does more than before, and does not say so."""

    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.execute_activity("Extra", start_to_close_timeout=timedelta(seconds=5))
        await workflow.sleep(3600)


@workflow.defn(name="ReplayRaises")
class Raises:
    """Has a mistake that is no non-determinism."""

    @workflow.run
    async def run(self, _said: str) -> None:
        raise RuntimeError("nobody thought of this")
