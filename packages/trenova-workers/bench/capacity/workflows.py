"""Workflows of a measurement, in the sandbox as workers run them unless told otherwise."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

# A busy server now and then loses a task on its way to a worker, which then stalls a round no longer than this.
_PATIENCE = timedelta(minutes=1)


@workflow.defn(name="capacity.Fan")
class Fan:
    """Many activities at once."""

    @workflow.run
    async def run(self, name: str, arguments: list[Any]) -> int:
        """Give each argument to an activity of that name, all at once; return how many answered."""
        asked = (workflow.execute_activity(name, one, start_to_close_timeout=_PATIENCE) for one in arguments)
        return len(await asyncio.gather(*asked))


@workflow.defn(name="capacity.Chain")
class Chain:
    """One activity after the other, each with what the one before returned."""

    @workflow.run
    async def run(self, name: str, document: str, times: int) -> int:
        """Hand the document on so many times; return its length."""
        for _ in range(times):
            document = await workflow.execute_activity(
                name, document, start_to_close_timeout=_PATIENCE, result_type=str
            )
        return len(document)


@workflow.defn(name="capacity.Trip")
class Trip:
    """A load under way: a long history, then updates."""

    def __init__(self) -> None:
        self._noted = 0
        self._updates = 0

    @workflow.run
    async def run(self, positions: int, updates: int) -> int:
        """Note so many positions, then end after so many updates."""
        for number in range(positions):
            await workflow.execute_local_activity("capacity.locate", number, start_to_close_timeout=_PATIENCE)
            self._noted += 1
        await workflow.wait_condition(lambda: self._updates >= updates and workflow.all_handlers_finished())
        return positions

    @workflow.query(name="noted")
    def noted(self) -> int:
        """Return how many positions are noted."""
        return self._noted

    @workflow.update(name="arrive")
    async def arrive(self) -> int:
        """Count an arrival; the answer is how many there were."""
        self._updates += 1
        return self._updates


@workflow.defn(name="capacity.Echo")
class Echo:
    """The least that a workflow can be."""

    @workflow.run
    async def run(self, number: int) -> int:
        """Return what was given."""
        return number


WORKFLOWS = (Fan, Chain, Trip, Echo)
