"""Workflows of a team, as ``trenova-activities replay --workflows`` is told of them."""

from temporalio import workflow


@workflow.defn
class ReportWorkflow:
    """One that no history has a run of."""

    @workflow.run
    async def run(self) -> str:
        """Report."""
        return "done"
