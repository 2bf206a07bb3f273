"""Every message that a run understands, on a real server: what it refuses, signals, the query, who asks."""

import asyncio
import sysconfig
from datetime import timedelta
from pathlib import Path

import pytest
from runs import WAIT_S, Work, progress, serving, started, tell, until
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.converter import DefaultPayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Interceptor, Worker, WorkflowInboundInterceptor

import trenova_activities as jobs
from trenova_errors import ConflictError, ErrorsPlugin, InvalidInputError, ResourceNotFoundError, UnavailableError


@pytest.fixture
async def job(client, queue, kind):
    """A run at work, with what it works on as an attribute."""
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, kind, queue)
        await until(lambda: work.batches > 2)
        yield run, work
        work.enough.set()
        if (await run.describe()).status is WorkflowExecutionStatus.RUNNING:
            await run.terminate("the test is over")


@pytest.mark.parametrize(
    ("update", "asked", "said"),
    [
        (jobs.PAUSE, {"by": "ana"}, "reason: Field required"),
        (jobs.PAUSE, {"reason": "  ", "by": "ana"}, "reason: must not be blank"),
        (jobs.CANCEL, {"reason": "x", "by": "ana", "dryRun": True}, "unknown field 'dryRun'"),
        (jobs.CHANGE_LIMITS, {"batchSize": 0.5, "by": "ana"}, "batchSize: Input should be a valid integer"),
        (jobs.CHANGE_LIMITS, {"by": "ana"}, "No limit was given."),
    ],
)
async def test_a_wrong_update_is_refused_with_words_and_the_run_goes_on(client, queue, update, asked, said):
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, "cancel", queue)
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await tell(run, update, asked)
        work.enough.set()
        await run.result()

    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "invalid_input"
    assert said in cause.message


async def test_an_update_without_an_argument_is_refused(client, queue):
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, "cancel", queue)
        with pytest.raises(WorkflowUpdateFailedError):
            await run.execute_update(jobs.PAUSE)
        work.enough.set()
        await run.result()


async def test_signals_do_what_updates_do(job):
    run, work = job
    await run.signal(jobs.PAUSE, {"reason": "They complain", "by": "ana"})
    await until_phase(run, "paused")
    said = await progress(run)
    await run.signal(jobs.PAUSE, {"reason": "Me too", "by": "bob"})
    await run.signal(jobs.RESUME, {"by": "bob"})
    await until_phase(run, "running")
    await run.signal(jobs.CANCEL, {"reason": "wrong night", "by": "eve"})
    with pytest.raises(Exception, match="Workflow execution failed"):
        await run.result()

    assert (said.paused.reason, said.actions[0].through) == ("They complain", "signal")
    described = await run.describe()
    assert described.status is WorkflowExecutionStatus.CANCELED
    assert await described.memo_value(jobs.CANCELED_MEMO) == "eve (claimed): wrong night"
    assert work.at_work == 0


async def test_a_bare_signal_pauses_too_and_nonsense_is_ignored(job):
    run, _ = job
    await run.signal(jobs.PAUSE, {"reason": 5})
    await run.signal(jobs.PAUSE)
    await until_phase(run, "paused")
    said = await progress(run)
    await run.signal(jobs.RESUME)
    await until_phase(run, "running")

    assert said.changes == 1
    assert (said.paused.by.name, said.paused.reason) == ("somebody", "no reason was given")


async def test_the_progress_tells_how_far_it_is_and_what_was_changed(job):
    run, work = job
    answer = await tell(run, jobs.CHANGE_LIMITS, jobs.LimitsRequest(batch_size=7, rows_per_second=90, by="ana"))
    await until(lambda: work.asked[-1].run.limits is not None)
    await until(lambda: len(work.asked) > 3)
    said = await progress(run)

    assert answer.limits == work.asked[-1].run.limits == said.limits == jobs.RunLimits(batch_size=7, rows_per_second=90)
    assert (said.phase, said.organization, said.changes) == ("running", "org_1", 1)
    assert (said.tenants.processed, said.tenants.succeeded) == (1, 1)
    assert said.rows.processed == said.rows.succeeded > 0
    assert said.calls >= 3
    assert [action.words for action in said.actions] == [
        "Limits changed by ana (claimed): 7 rows per batch, 90 rows per second."
    ]
    assert said.words.endswith("Limits: 7 rows per batch, 90 rows per second.")
    assert work.asked[-1].run.steering is None


async def test_a_paused_run_can_be_canceled_with_and_without_a_reason(client, queue, kind):
    work = Work()
    async with serving(client, queue, work):
        for number, end in enumerate(("reason", "plain")):
            run = await started(client, kind, f"{queue}-{number}", task_queue=queue)
            await tell(run, jobs.PAUSE, jobs.PauseRequest(reason="x", by="ana"))
            await until_phase(run, "paused")
            if end == "plain":
                await run.cancel()
            else:
                await tell(run, jobs.CANCEL, jobs.CancelRequest(reason="x", by="ana"))
            with pytest.raises(Exception, match="Workflow execution failed"):
                await asyncio.wait_for(run.result(), WAIT_S)
            assert (await run.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_run_that_is_being_canceled_takes_nothing_else(client, queue):
    work = Work(batch_s=0.5, per_call=4)
    async with serving(client, queue, work):
        run = await started(client, "purge", queue)
        await until(lambda: work.at_work)
        await tell(run, jobs.CANCEL, jobs.CancelRequest(reason="wrong night", by="ana"))
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await tell(run, jobs.PAUSE, jobs.PauseRequest(reason="x", by="bob"))

    assert caught.value.cause.type == "conflict"
    assert caught.value.cause.message.startswith("The run is being canceled by ana (claimed): wrong night.")


async def test_the_client_says_in_words_what_it_met(client, queue):
    request = jobs.PauseRequest(reason="x", by="ana")
    with pytest.raises(ResourceNotFoundError):
        await jobs.steer(client, "cancel-shipments/never", request)
    with pytest.raises(ResourceNotFoundError):
        await jobs.progress_of(client, "cancel-shipments/never")
    run = await started(client, "cancel", queue)
    with pytest.raises(UnavailableError, match=f"No worker answered within 1 seconds; .*'{queue}'"):
        await jobs.steer(client, run.id, request, patience=timedelta(seconds=1))
    with pytest.raises(UnavailableError, match="No worker answered"):
        await jobs.progress_of(client, run.id, patience=timedelta(seconds=1))
    await run.terminate("enough")
    with pytest.raises(ConflictError, match="has ended: it is terminated"):
        await jobs.steer(client, run.id, request)
    with pytest.raises(InvalidInputError, match="No limit was given"):
        await limits_of_nothing(client, f"{queue}-2")


@pytest.fixture
async def brief_client():
    """A client of a server that says "admitted" of an update that no worker has had after 0.3 seconds, not after 20."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    poll = ("--dynamic-config-value", 'history.longPollExpirationInterval="0.3s"')
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        dev_server_extra_args=list(poll),
        search_attributes=list(jobs.SEARCH_ATTRIBUTES),
    ) as env:
        address = env.client.service_client.config.target_host
        yield await Client.connect(address, plugins=[ErrorsPlugin()])


async def test_patience_ends_also_where_the_server_goes_on_saying_that_the_update_waits(brief_client, queue):
    run = await started(brief_client, "cancel", queue)
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(UnavailableError, match=f"No worker answered within 1 seconds; .*'{queue}'"):
            await jobs.steer(
                brief_client, run.id, jobs.PauseRequest(reason="x", by="ana"), patience=timedelta(seconds=1)
            )


async def limits_of_nothing(client: Client, queue: str) -> None:
    work = Work()
    async with serving(client, queue, work):
        run = await started(client, "cancel", queue)
        try:
            await jobs.steer(client, run.id, jobs.LimitsRequest(by="ana"))
        finally:
            work.enough.set()


class WhoAsks(WorkflowInboundInterceptor):
    """As a platform's own: takes the name from a header."""

    async def handle_update_handler(self, input):  # noqa: A002
        name = DefaultPayloadConverter().from_payloads([input.headers["who"]], [str])[0]
        with jobs.verified_actor(name):
            return await super().handle_update_handler(input)


class Vouches(Interceptor):
    def workflow_interceptor_class(self, input):  # noqa: A002
        return WhoAsks


async def test_a_name_that_an_interceptor_vouches_for_is_no_claim(temporal_address, queue):
    from temporalio.client import Interceptor as ClientInterceptor
    from temporalio.client import OutboundInterceptor

    class Sends(OutboundInterceptor):
        async def start_workflow_update(self, input):  # noqa: A002
            input.headers = {**input.headers, "who": DefaultPayloadConverter().to_payloads(["ana@example.com"])[0]}
            return await super().start_workflow_update(input)

    class Sending(ClientInterceptor):
        def intercept_client(self, next):  # noqa: A002
            return Sends(super().intercept_client(next))

    client = await Client.connect(temporal_address, plugins=[ErrorsPlugin()], interceptors=[Sending()])
    work = Work()
    async with serving(client, queue, work, interceptors=[Vouches()]):
        run = await started(client, "cancel", queue)
        answer = await jobs.steer(client, run.id, jobs.PauseRequest(reason="x", by="somebody else"))
        await run.terminate("enough")

    assert answer.result == "Paused by ana@example.com: x."
    assert answer.paused.by == jobs.Actor(name="ana@example.com", verified=True)


@workflow.defn(name="SweepsWithHandlers", sandboxed=False)
class SweepsWithHandlers:
    """A loop of somebody else's whose update takes a second, and that continues as new at every chance."""

    @workflow.init
    def __init__(self, done: int) -> None:
        self.done = done

    @workflow.run
    async def run(self, done: int) -> int:
        budget = jobs.ContinuationBudget(events=1)
        before = self.done
        while self.done < 12:
            await workflow.wait_condition(lambda: self.done > before or not workflow.all_handlers_finished())
            if (due := jobs.continuation_due(budget)) is not None:
                assert due.reason == "events"
                await jobs.continue_as_new(lambda: self.done, due)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.done

    @workflow.update(name="add")
    async def add(self) -> int:
        await workflow.sleep(1)
        self.done += 1
        return self.done


async def test_a_continuation_waits_for_handlers_and_takes_their_changes_along(client, queue):
    async with Worker(client, task_queue=queue, workflows=[SweepsWithHandlers]):
        started_run = await client.start_workflow("SweepsWithHandlers", 0, id=queue, task_queue=queue)
        run = client.get_workflow_handle(queue)
        answers = []
        for _ in range(4):
            several = await asyncio.gather(*(run.execute_update("add", result_type=int) for _ in range(3)))
            answers += several
        assert await run.result() == 12

    assert sorted(answers) == list(range(1, 13))
    first = await client.get_workflow_handle(queue, run_id=started_run.first_execution_run_id).describe()
    assert first.status is WorkflowExecutionStatus.CONTINUED_AS_NEW


async def until_phase(run, phase: str) -> None:
    async def reached() -> bool:
        return (await progress(run)).phase == phase

    await until(reached)
