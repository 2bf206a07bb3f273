"""Why a run continues as new, on a real server: its own budget of events and bytes, and a new deployment."""

import asyncio

import pytest
from pydantic import ValidationError
from runs import WAIT_S
from temporalio import workflow
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

import trenova_activities as jobs


@workflow.defn(name="Rounds", sandboxed=False)
class Rounds:
    """A loop of somebody else's: a message with some text a round; it says why it continued."""

    @workflow.init
    def __init__(self, said: list[str]) -> None:
        self.said = said
        self.rounds = self.done = 0
        self.over = False

    @workflow.run
    async def run(self, said: list[str]) -> list[str]:
        while not self.over:
            if self.done and (due := jobs.continuation_due()) is not None:
                await jobs.continue_as_new(lambda: [*self.said, due.reason], due)
            await workflow.wait_condition(lambda: self.over or self.rounds > self.done)
            self.done = self.rounds
        return self.said

    @workflow.update(name="round")
    def round(self, text: str) -> int:
        self.rounds += 1
        return len(text)

    @workflow.signal(name="over")
    def end(self) -> None:
        self.over = True


async def rounds(client, queue, budget, texts):
    memo = {jobs.CONTINUATION_MEMO: budget}
    async with Worker(client, task_queue=queue, workflows=[Rounds]):
        await client.start_workflow("Rounds", [], id=queue, task_queue=queue, memo=memo)
        run = client.get_workflow_handle(queue)
        for text in texts:
            await run.execute_update("round", text)
            await asyncio.sleep(0.1)
        await run.signal("over")
        return await run.result()


async def test_a_history_of_too_many_events_is_left(client, queue):
    said = await rounds(client, queue, jobs.ContinuationBudget(events=20), ["x"] * 8)

    assert said
    assert set(said) == {"events"}


async def test_a_history_of_too_many_bytes_is_left_however_few_its_events_are(client, queue):
    budget = jobs.ContinuationBudget(events=1000, history_bytes=100_000)
    said = await rounds(client, queue, budget, ["x" * 60_000] * 5)

    assert said
    assert set(said) == {"bytes"}


async def test_a_short_history_is_kept(client, queue):
    assert await rounds(client, queue, jobs.ContinuationBudget(), ["x"] * 5) == []


@pytest.mark.parametrize("wrong", [{"events": 0}, {"events": 51_200}, {"history_bytes": 50 * 2**20}])
def test_a_budget_that_the_server_would_not_wait_for_is_not_valid(wrong):
    with pytest.raises(ValidationError):
        jobs.ContinuationBudget(**wrong)


@pytest.mark.integration
async def test_a_pinned_run_goes_on_with_the_new_deployment(client, queue):
    def worker(build_id: str) -> Worker:
        version = WorkerDeploymentVersion(deployment_name=queue, build_id=build_id)
        return Worker(
            client,
            task_queue=queue,
            workflows=[Rounds],
            deployment_config=WorkerDeploymentConfig(
                version=version,
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            ),
        )

    async def current(build_id: str) -> None:
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace="default", deployment_name=queue, build_id=build_id, ignore_missing_task_queues=True
        )
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    await client.workflow_service.set_worker_deployment_current_version(request)
                except RPCError:  # the server has not met a worker of it yet
                    await asyncio.sleep(0.5)
                else:
                    return

    async with worker("1"):
        await current("1")
        await client.start_workflow("Rounds", [], id=queue, task_queue=queue)
        run = client.get_workflow_handle(queue)
        await run.execute_update("round", "x")
        first = (await run.describe()).run_id
        other = await type(client).connect(
            client.service_client.config.target_host, plugins=client.config()["plugins"], identity="second"
        )
        second = Worker(
            other,
            task_queue=queue,
            workflows=[Rounds],
            deployment_config=WorkerDeploymentConfig(
                version=WorkerDeploymentVersion(deployment_name=queue, build_id="2"),
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            ),
        )
        async with second:
            await current("2")
            for _ in range(20):
                await run.execute_update("round", "x")
                await asyncio.sleep(0.5)
                if (await run.describe()).run_id != first:
                    break
            await run.signal("over")
            said = await run.result()

    assert said == ["deployment"]
    before = await client.get_workflow_handle(queue, run_id=first).describe()
    assert before.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
