"""The commands that steer a run, as a person types them, on a real server with a real worker."""

from functools import partial

import pytest
from activities_command import typed
from runs import Work, progress, serving, started, until
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker


@pytest.fixture
def run(client: Client):
    return partial(typed, client)


@workflow.defn(name="NeverSteered", sandboxed=False)
class NeverSteered:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@pytest.mark.integration
async def test_a_run_is_paused_limited_resumed_and_canceled_by_command(client, run, queue, kind):
    work = Work()
    async with serving(client, queue, work):
        job = await started(client, kind, queue)
        await until(lambda: work.batches > 2)
        paused = await run("pause", job.id, "--reason", "They complain", "--by", "ana")
        again = await run("pause", job.id, "--reason", "Me too", "--by", "bob")

        async def holds():
            return (await progress(job)).phase == "paused"

        await until(holds)
        status = await run("status", job.id)
        limited = await run("limits", job.id, "--batch-size", "50", "--rows-per-second", "1000", "--by", "bob")
        resumed = await run("resume", job.id, "--by", "ana")
        canceled = await run("cancel", job.id, "--reason", "wrong night", "--by", "ana")

        async def over():
            return (await job.describe()).close_time is not None

        await until(over)
        ended = await run("status", job.id)
        late = await run("resume", job.id)

    assert paused == (0, "Paused by ana (claimed): They complain.\n")
    assert again[0] == 0
    assert again[1].startswith("It is paused already by ana (claimed) since 20")
    assert again[1].endswith(": They complain. Nothing was changed.\n")
    assert status[0] == 0
    assert "progress  Paused by ana (claimed): They complain. 1 organization, " in status[1]
    assert "steered   once\n" in status[1]
    assert limited == (0, "Limits changed by bob (claimed): 50 rows per batch, 1,000 rows per second.\n")
    assert resumed[1].startswith("Resumed by ana (claimed), after ")
    assert canceled == (0, "Canceled by ana (claimed): wrong night.\n")
    assert ended[0] == 1
    assert "state     canceled\n" in ended[1]
    assert "canceled  ana (claimed): wrong night\n" in ended[1]
    assert "done      what it did before stands: 'trenova-activities manifest verify " in ended[1]
    assert late == (1, f"The run '{job.id}' has ended: it is canceled. Nothing was changed; start a new one.\n")


@pytest.mark.integration
async def test_what_cannot_be_steered_is_said_in_a_sentence(client, run, queue):
    nobody = await run("pause", "cancel-shipments/never", "--reason", "x")
    blank = await run("pause", " ", "--reason", "x")
    empty = await run("pause", "cancel-shipments/never", "--reason", " ")
    nothing = await run("limits", "cancel-shipments/never", "--batch-size", "10001")
    async with Worker(client, task_queue=queue, workflows=[NeverSteered]):
        other = await client.start_workflow("NeverSteered", id=queue, task_queue=queue)
        deaf = await run("pause", queue, "--reason", "x")
        await other.terminate("enough")

    assert (nobody[0], nobody[1].startswith("No workflow with id 'cancel-shipments/never'")) == (1, True)
    assert (blank[0], blank[1].startswith("The workflow id is empty.")) == (1, True)
    assert (empty[0], "reason: must not be blank" in empty[1]) == (1, True)
    assert (nothing[0], "batch_size: Input should be less than or equal to 10000" in nothing[1]) == (1, True)
    assert deaf[0] == 1
    assert deaf[1].startswith("NeverSteered cannot take the update 'pause'. Only long jobs can be steered")


@pytest.mark.integration
async def test_without_a_worker_the_wait_is_bounded_and_said(client, run, queue):
    job = await started(client, "cancel", queue)
    paused = await run("pause", job.id, "--reason", "x", "--wait", "2")
    status = await run("status", job.id)
    await job.terminate("enough")

    said = f"No worker answered within 2 seconds; is one polling the task queue '{queue}'?"
    assert (paused[0], said in paused[1]) == (1, True)
    assert "progress  unknown. No worker answered within 5 seconds;" in status[1]
