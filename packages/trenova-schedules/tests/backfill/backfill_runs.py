"""The workflow that schedules of these tests start."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError


@workflow.defn(name="NumberWorkflow")
class NumberWorkflow:
    @workflow.run
    async def run(self, how: str) -> str:
        """Do as the argument says: ``done``, ``fail``, ``wait`` for a cancellation, or take so many seconds."""
        if how == "fail":
            raise ApplicationError("as it was told", non_retryable=True)
        if how == "wait":
            await workflow.sleep(timedelta(hours=1))
        elif how != "done":
            await workflow.sleep(float(how))
        return how
