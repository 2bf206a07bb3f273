import asyncio
import sysconfig
from datetime import timedelta
from pathlib import Path

import pytest
from backfill_site import Site
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ConflictError, ErrorsPlugin, InvalidInputError, UnavailableError
from trenova_schedules.backfill import BackfillHandle, BackfillInput, BackfillScheduleWorkflow, backfill_workflow_id
from trenova_schedules.backfill._continuation import CONTINUATION_MEMO, ContinuationBudget
from trenova_schedules.backfill._steering_client import steer
from trenova_schedules.backfill._steering_contract import PauseRequest

pytestmark = pytest.mark.integration


async def until(site, handle, wanted) -> object:
    async with asyncio.timeout(60):
        while not wanted(progress := await handle.progress()):  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.2)
    return progress


async def test_a_backfill_holds_while_it_is_paused_and_goes_on_where_it_stood(site):
    schedule = await site.make()
    async with site.worker():
        handle = await site.start(schedule, minutes=60, rate_per_second=3.0)
        await until(site, handle, lambda progress: progress.stage == "starting")
        paused = await handle.pause(reason="They complain", by="ana")
        again = await handle.pause(reason="They complain", by="ana")
        held = await until(site, handle, lambda progress: progress.phase == "paused")
        before = await site.runs_of(schedule)
        await asyncio.sleep(2)
        after = await site.runs_of(schedule)
        faster = await handle.change_limits(by="ana", rate_per_second=500.0)
        await handle.resume(by="bob")
        result = await handle.result()
        found = await site.runs_of(schedule)
        told = await handle.progress()

    assert paused.result == "Paused by ana (claimed): They complain."
    assert (paused.applied, again.applied) == (True, False)
    assert before == after
    assert 0 < held.started.started < 60
    assert held.eta_seconds
    assert "paused by ana (claimed)" in held.words.lower()
    assert faster.result == "Limits changed by ana (claimed): 500 starts per second."
    assert (result.started.started, result.done) == (60, True)
    assert found == site.each_minute(60)
    assert [one.action for one in told.steering.actions] == ["pause", "changeLimits", "resume"]
    assert (told.phase, told.fraction) == ("ended", 1.0)


@pytest.mark.parametrize("runs", [pytest.param("leave", marks=pytest.mark.slow), "cancel"])
async def test_a_canceled_backfill_leaves_the_runs_that_it_started_or_cancels_them(site, runs):
    schedule = await site.make("wait")
    async with site.worker():
        handle = await site.start(schedule, minutes=60, rate_per_second=2.0)
        await until(site, handle, lambda progress: progress.stage == "starting")
        answer = await handle.cancel(reason="Wrong range", by="ana", runs=runs)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        with pytest.raises(ConflictError, match="has ended"):
            await handle.resume(by="ana")
        await asyncio.sleep(2)
        found = await site.runs_of(schedule)

    assert answer.result == "Canceled by ana (claimed): Wrong range."
    assert isinstance(caught.value.cause, CancelledError)
    run = await handle.workflow.describe()
    assert run.status is WorkflowExecutionStatus.CANCELED
    assert (await run.memo())["trenova.canceled"] == "ana (claimed): Wrong range"
    assert {status for _, status in found} == {"RUNNING" if runs == "leave" else "CANCELED"}
    assert 0 < len(found) < 60


@pytest.mark.slow
async def test_the_cancellation_of_temporals_own_command_ends_a_backfill_too(site):
    schedule = await site.make()
    async with site.worker():
        handle = await site.start(schedule, minutes=60, rate_per_second=2.0)
        await until(site, handle, lambda progress: progress.stage == "starting")
        await handle.workflow.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)


@pytest.mark.slow
async def test_what_becomes_of_the_schedule_does_not_matter_to_a_backfill_under_way(site):
    schedule = await site.make()
    async with site.worker():
        handle = await site.start(schedule, minutes=40, rate_per_second=3.0)
        await until(site, handle, lambda progress: progress.stage == "starting")
        await handle.pause(reason="They complain", by="ana")
        await until(site, handle, lambda progress: progress.phase == "paused")
        await site.tell(schedule, "fail")
        await schedule.delete()
        await handle.change_limits(by="ana", rate_per_second=500.0)
        await handle.resume(by="ana")
        result = await handle.result()
        await asyncio.sleep(1)
        found = await site.runs_of(schedule)

    assert (result.started.started, result.done) == (40, True)
    assert found == site.each_minute(40)


async def test_no_limit_at_all_is_no_change(site):
    schedule = await site.make()
    async with site.worker():
        handle = await site.start(schedule, minutes=60, rate_per_second=2.0)
        with pytest.raises(InvalidInputError, match="No limit was given"):
            await handle.change_limits(by="ana")
        await handle.workflow.terminate()


@pytest.fixture
async def brief_site():
    """A site whose server says "admitted" of an update that no worker has had after 0.3 seconds, not after 20."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    poll = ("--dynamic-config-value", 'history.longPollExpirationInterval="0.3s"')
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error", dev_server_extra_args=list(poll)
    ) as environment:
        address = environment.client.service_client.config.target_host
        yield Site(await Client.connect(address, plugins=[ErrorsPlugin()]))


async def test_patience_ends_also_where_the_server_goes_on_saying_that_the_update_waits(brief_site):
    handle = await brief_site.start(await brief_site.make())
    async with asyncio.timeout(60):
        with pytest.raises(UnavailableError, match=f"No worker answered within 1 seconds; .*'{brief_site.queue}'"):
            await steer(
                brief_site.client,
                handle.id,
                PauseRequest(reason="They complain", by="ana"),
                patience=timedelta(seconds=1),
            )


@pytest.mark.slow
async def test_a_long_history_goes_on_under_a_fresh_one_and_forgets_nothing(site):
    schedule = await site.make()
    async with site.worker():
        started = await site.client.start_workflow(
            BackfillScheduleWorkflow.run,
            BackfillInput(request=site.ask(schedule, minutes=110, rate_per_second=4.0)),
            id=backfill_workflow_id(schedule.id, "long"),
            task_queue=site.queue,
            memo={CONTINUATION_MEMO: ContinuationBudget(events=12)},
        )
        handle = BackfillHandle(site.client, started.id)
        await until(site, handle, lambda progress: progress.calls >= 2)
        first = (await handle.workflow.describe()).run_id
        answer = await handle.change_limits(by="ana", concurrency=50, update_id="once")
        result = await handle.result()
        found = await site.runs_of(schedule)

    last = await handle.workflow.describe()
    assert answer.applied
    assert first != last.run_id
    assert (result.started.started, result.done) == (110, True)
    assert found == site.each_minute(110)
