"""A workflow of another package that is installed."""

from temporalio import workflow


@workflow.defn(name="ReplayNeighbour")
class Neighbour:
    """Sleeps, as its open runs do."""

    @workflow.run
    async def run(self, _said: str) -> None:
        await workflow.sleep(3600)
