"""However often a run continues as new while it is steered, no change is lost and none is made twice."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from runs import Work, progress, serving, started
from temporalio.client import Client, WorkflowHandle

from trenova_activities import (
    RESUME,
    ContinuationBudget,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    SteeringAnswer,
    steer,
)


@dataclass
class Steersmen:
    """People who steer one run at the same time; each change differs from the one before, so that every one counts."""

    client: Client
    run: WorkflowHandle[Any, Any]
    answers: dict[str, list[SteeringAnswer]] = field(default_factory=dict)
    signals: int = 0

    async def update(self, request: Any) -> None:
        """Send an update; every seventh once more under its id, as a caller does that has lost the answer."""
        update_id = uuid.uuid4().hex
        told = [await steer(self.client, self.run.id, request, update_id=update_id, patience=timedelta(minutes=2))]
        if len(self.answers) % 7 == 0:
            told.append(await steer(self.client, self.run.id, request, update_id=update_id))
        self.answers[update_id] = told

    async def stops(self, count: int) -> None:
        """Pause by update, and resume by update or by signal in turn."""
        for number in range(count // 2):
            await self.update(PauseRequest(reason=f"stop {number}", by="ana"))
            await asyncio.sleep(0.4)  # a fast machine makes all changes during the first call otherwise
            if number % 2:
                await self.update(ResumeRequest(by="ana"))
            else:
                await self.run.signal(RESUME, ResumeRequest(by="ana"))
                self.signals += 1

    async def sizes(self, count: int) -> None:
        for number in range(count):
            await asyncio.sleep(0.1)
            await self.update(LimitsRequest(batch_size=1 + number, by="bob"))

    async def rates(self, count: int) -> None:
        for number in range(count):
            await asyncio.sleep(0.1)
            await self.update(LimitsRequest(rows_per_second=1 + number, by="eve"))


async def runs_of(client: Client, workflow_id: str) -> int:
    listed: AsyncIterator[Any] = client.list_workflows(f"WorkflowId = '{workflow_id}'")
    return len([one async for one in listed])


async def churn(client: Client, queue: str, kind: str, *, changes: int, events: int) -> int:
    """Make so many changes and check every one of them; returns how many runs there were."""
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, kind, queue, continuation=ContinuationBudget(events=events))
        people = Steersmen(client, run)
        stops = changes // 3 // 2 * 2
        sizes = (changes - stops) // 2
        rates = changes - stops - sizes
        await asyncio.gather(people.stops(stops), people.sizes(sizes), people.rates(rates))
        said = await progress(run)
        work.enough.set()
        await run.result()

    assert said.changes == changes
    assert len(people.answers) + people.signals == changes
    numbers = [told[0].number for told in people.answers.values()]
    # One whose answer the server lost was sent again by `steer` and was told that it is applied, with its number.
    assert all(numbers), people.answers
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(range(1, changes + 1))
    for first, again in (told for told in people.answers.values() if len(told) > 1):
        assert again.number == first.number
    assert [one.number for one in said.actions] == list(range(changes - 19, changes + 1))
    assert said.limits is not None
    assert (said.limits.batch_size, said.limits.rows_per_second, said.paused) == (sizes, rates, None)
    calls = [one.run.calls for one in work.asked]
    assert calls == list(range(1, len(calls) + 1))
    for earlier, later in itertools.pairwise(work.asked):
        assert (earlier.run.limits.batch_size or 0 if earlier.run.limits else 0) <= (
            later.run.limits.batch_size or 0 if later.run.limits else 0
        )
    return await runs_of(client, run.id)


async def test_sixty_changes_over_several_continuations(client, queue, kind):
    assert await churn(client, queue, kind, changes=60, events=25) > 2


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_thousand_changes_over_many_continuations(client, queue, kind):
    assert await churn(client, queue, kind, changes=1000, events=300) > 10
