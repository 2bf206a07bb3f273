"""A workflow that ends at once."""

from temporalio import workflow


@workflow.defn(name="Ship")
class Ship:
    @workflow.run
    async def run(self) -> None:
        """Do nothing, at once."""
