"""Runs that a worker from before has begun: they go on, and obey no message from then."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from runs import KINDS, WAIT_S, Work, progress, tell, until
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.worker import Replayer, Worker

import trenova_activities as jobs
from trenova_activities._timeouts import NIGHTLY
from trenova_errors import ErrorsPlugin


@workflow.defn(name=jobs.CANCEL_SHIPMENTS_WORKFLOW, sandboxed=False)
class Before:
    """The loop of 0.2 and 0.3, as far as a run that neither fails nor continues as new comes."""

    @workflow.run
    async def run(self, payload: jobs.CancelShipmentsPayload) -> jobs.CancelShipmentsResult:
        state = jobs.RunState(run_id=workflow.info().first_execution_run_id, workflow_time=0)
        while True:
            state = state.model_copy(update={"calls": state.calls + 1})
            done = await workflow.execute_activity(
                jobs.CANCEL_SHIPMENTS_ACTIVITY,
                payload.at(state),
                result_type=jobs.CancelShipmentsProgress,
                activity_id=f"cancel-{state.calls}",
                **NIGHTLY,
            )
            if done.done:
                return done.result


@asynccontextmanager
async def serving(client: Client, queue: str, work: Work, version: type):
    async with Worker(client, task_queue=queue, workflows=[version], activities=[work.cancel], max_cached_workflows=0):
        yield


async def begun(client: Client, queue: str, work: Work):
    """A run that the older worker has called the activity for a few times."""
    payload = KINDS["cancel"][1]()
    return await client.start_workflow(jobs.CANCEL_SHIPMENTS_WORKFLOW, payload, id=queue, task_queue=queue)


async def test_a_run_from_before_is_steered_by_the_new_worker(client, queue):
    work = Work(per_call=5)
    async with serving(client, queue, work, Before):
        run = await begun(client, queue, work)
        await until(lambda: len(work.asked) > 3)
    async with serving(client, queue, work, jobs.CancelShipmentsByCreatedAtWorkflow):
        await jobs.steer(client, run.id, jobs.PauseRequest(reason="x", by="ana"))
        await until_phase(run, "paused")
        await jobs.steer(client, run.id, jobs.ResumeRequest(by="ana"))
        work.enough.set()
        await asyncio.wait_for(run.result(), WAIT_S)

    history = await run.fetch_history()
    await Replayer(workflows=[jobs.CancelShipmentsByCreatedAtWorkflow], plugins=[ErrorsPlugin()]).replay_workflow(
        history
    )


async def test_a_signal_that_the_older_worker_ignored_is_not_obeyed_later(client, queue):
    work = Work(per_call=5)
    async with serving(client, queue, work, Before):
        run = await begun(client, queue, work)
        await until(lambda: len(work.asked) > 1)
        await run.signal(jobs.PAUSE, jobs.PauseRequest(reason="x", by="ana"))
        calls = len(work.asked)
        await until(lambda: len(work.asked) > calls + 2)
    async with serving(client, queue, work, jobs.CancelShipmentsByCreatedAtWorkflow):
        said = await progress(run)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await tell(run, jobs.PAUSE, jobs.PauseRequest(reason="x", by="ana"))
        work.enough.set()
        await asyncio.wait_for(run.result(), WAIT_S)

    assert (said.phase, said.changes, said.steerable) == ("running", 0, False)
    assert caught.value.cause.type == "conflict"
    assert "begun by an older version" in caught.value.cause.message
    assert (await run.describe()).status is WorkflowExecutionStatus.COMPLETED


async def until_phase(run, phase: str) -> None:
    async def reached() -> bool:
        return (await progress(run)).phase == phase

    await until(reached)
