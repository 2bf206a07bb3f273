"""Work that is asked to stop ends by itself; work that has no time left is cut off, and is over then."""

import asyncio

import pytest
from temporalio import activity
from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment

from trenova_activities.database._nightly_handover import handed_over

ASKED = ActivityCancellationDetails(cancel_requested=True)


class Batches:
    """Work in batches; it notes how it ended."""

    def __init__(self, batch_s: float) -> None:
        self.batch_s = batch_s
        self.begun = asyncio.Event()
        self.ended = ""

    async def work(self) -> str:
        self.begun.set()
        try:
            while not activity.is_cancelled():  # noqa: ASYNC110 - as work does that looks between its batches
                await asyncio.sleep(self.batch_s)
        except asyncio.CancelledError:
            self.ended = "cut off"
            raise
        self.ended = "by itself"
        return "handed over"


async def call(batches: Batches, details: ActivityCancellationDetails, *, grace_s: float = 30, times: int = 1) -> str:
    environment = ActivityEnvironment()

    async def activity_like() -> str:
        return await handed_over(batches.work(), grace_s=grace_s)

    attempt = asyncio.ensure_future(environment.run(activity_like))
    await batches.begun.wait()
    environment.cancel(details)
    for _ in range(times - 1):
        await asyncio.sleep(0.05)
        attempt.cancel()
    return await attempt


async def test_a_call_that_the_workflow_stops_answers():
    batches = Batches(0.05)

    assert await call(batches, ASKED) == "handed over"
    assert batches.ended == "by itself"


async def test_a_batch_that_does_not_end_is_cut_off():
    batches = Batches(3600)
    with pytest.raises(asyncio.CancelledError):
        await call(batches, ASKED, grace_s=0.1)

    assert batches.ended == "cut off"


@pytest.mark.parametrize("why", ["worker_shutdown", "timed_out", "not_found", "reset", "paused"])
async def test_what_is_not_asked_by_the_workflow_ends_the_work_at_once(why):
    batches = Batches(3600)
    with pytest.raises(asyncio.CancelledError):
        await call(batches, ActivityCancellationDetails(**{why: True}))

    assert batches.ended == "cut off"


async def test_a_worker_that_does_not_wait_longer_cuts_off_what_was_asked_to_stop():
    batches = Batches(3600)
    with pytest.raises(asyncio.CancelledError):
        await call(batches, ASKED, times=2)

    assert batches.ended == "cut off"


async def test_what_the_work_fails_with_is_what_the_call_fails_with():
    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await ActivityEnvironment().run(lambda: handed_over(fails()))
