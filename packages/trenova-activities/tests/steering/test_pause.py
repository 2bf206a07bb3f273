"""A run on a real server is paused, resumed, limited and canceled while it works."""

import pytest
from runs import Work, progress, serving, started, tell, until
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from trenova_activities import (
    CANCEL,
    CANCELED_MEMO,
    PAUSE,
    RESUME,
    CancelRequest,
    PauseRequest,
    ResumeRequest,
)


async def test_a_paused_run_holds_no_activity_and_goes_on_where_it_stood(client, queue, kind):
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, kind, queue)
        await until(lambda: work.batches > 2)
        answer = await tell(run, PAUSE, PauseRequest(reason="The dispatchers complain", by="ana"))
        assert (answer.applied, answer.number) == (True, 1)
        assert answer.result == "Paused by ana (claimed): The dispatchers complain."

        async def holds():
            return (await progress(run)).phase == "paused"

        await until(holds)
        stood = work.batches
        described = await run.describe()
        assert not described.raw_description.pending_activities
        assert work.at_work == 0
        said = await progress(run)
        assert (said.paused.reason, said.paused.by.name, said.paused.by.verified) == (
            "The dispatchers complain",
            "ana",
            False,
        )
        assert said.rows.processed == 10 * stood

        resumed = await tell(run, RESUME, ResumeRequest(by="bob"))
        assert resumed.applied
        await until(lambda: work.batches > stood)
        work.enough.set()
        assert (await run.result())["result"]

    assert [one.run.calls for one in work.asked] == list(range(1, len(work.asked) + 1))
    assert len({one.run.run_id for one in work.asked}) == 1


async def test_a_canceled_run_ends_as_canceled_and_its_memo_says_why(client, queue, kind):
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, kind, queue)
        await until(lambda: work.batches > 2)
        answer = await tell(run, CANCEL, CancelRequest(reason="wrong night", by="ana"))
        assert answer.result == "Canceled by ana (claimed): wrong night."
        with pytest.raises(WorkflowFailureError):
            await run.result()

    described = await run.describe()
    assert described.status is WorkflowExecutionStatus.CANCELED
    assert await described.memo_value(CANCELED_MEMO) == "ana (claimed): wrong night"
    assert work.at_work == 0
