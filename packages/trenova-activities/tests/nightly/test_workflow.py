import asyncio
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.exceptions import ApplicationError as WireError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_activities import (
    CANCEL_SHIPMENTS_ACTIVITY,
    CANCEL_SHIPMENTS_WORKFLOW,
    JOB_NOTIFICATION_ACTIVITY,
    NOTIFICATION_QUEUE,
    SEARCH_ATTRIBUTES,
    CancelShipmentsByCreatedAtWorkflow,
    CancelShipmentsPayload,
    CancelShipmentsProgress,
    CancelShipmentsResult,
    FailureNotice,
    JobNotificationPayload,
    NotificationResult,
    SendJobCompleteNotificationWorkflow,
    cancel_workflow_id,
    start_cancel,
    start_purge,
)
from trenova_errors import ConfigurationError, ConflictError, ErrorsPlugin, InvalidInputError

WAIT_S = 60
RESULT = CancelShipmentsResult(total_cancelled=3, result="3 shipments were canceled for 1 organization.")


class Fakes:
    """Answers of the activity in turn, and what was asked and told."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.notified = asyncio.Queue()
        self.started = asyncio.Event()
        self.hold = None

    @activity.defn(name=CANCEL_SHIPMENTS_ACTIVITY)
    async def cancel(self, payload: CancelShipmentsPayload) -> CancelShipmentsProgress:
        self.asked.append((activity.info().activity_id, payload))
        self.started.set()
        while self.hold is not None and not self.hold.is_set():
            activity.heartbeat("12 organizations, 7 rows, now org_1")
            await asyncio.sleep(0.2)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @activity.defn(name=JOB_NOTIFICATION_ACTIVITY)
    async def notify(self, payload: JobNotificationPayload) -> NotificationResult:
        self.notified.put_nowait((activity.info().workflow_id, payload))
        return NotificationResult(notification_id="notif_1", delivered=True, channels=["in_app"], result="Told.")

    async def next_notification(self, workflow_id):
        """Return the next one of this run; the queue of notifications has one name for all tests."""
        while True:
            told_by, payload = await asyncio.wait_for(self.notified.get(), WAIT_S)
            if payload.job_id == workflow_id:
                return told_by, payload


@asynccontextmanager
async def workers(client: Client, queue: str, fakes: Fakes):
    other = await Client.connect(client.service_client.config.target_host, plugins=client.config()["plugins"])
    async with (
        Worker(client, task_queue=queue, workflows=[CancelShipmentsByCreatedAtWorkflow], activities=[fakes.cancel]),
        Worker(
            other,
            task_queue=NOTIFICATION_QUEUE,
            workflows=[SendJobCompleteNotificationWorkflow],
            activities=[fakes.notify],
        ),
    ):
        yield


def going_on(rows: int) -> CancelShipmentsProgress:
    return CancelShipmentsProgress(done=False, rows=rows, tenants_done=1)


def done(**changes) -> CancelShipmentsProgress:
    return CancelShipmentsProgress(**{"done": True, "rows": 3, "result": RESULT, **changes})


def notice(name: str) -> FailureNotice:
    return FailureNotice(
        organization_id=f"org_{name}", business_unit_id=f"bu_{name}", role="ops", words="The database refused."
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient_address(temporal_binary):
    """A server that suggests to continue as new after a few events."""
    arguments = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=15"]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary,
        search_attributes=list(SEARCH_ATTRIBUTES),
        dev_server_extra_args=arguments,
    ) as env:
        yield env.client.service_client.config.target_host


async def test_calls_follow_each_other_under_ids_of_their_own_until_one_is_the_last(client: Client, queue: str):
    fakes = Fakes(going_on(1), going_on(2), done())
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, CancelShipmentsPayload(batch_size=5), key=queue, task_queue=queue)
        result = await handle.result()

    assert result == RESULT
    assert [activity_id for activity_id, _ in fakes.asked] == ["cancel-1", "cancel-2", "cancel-3"]
    runs = [payload.run for _, payload in fakes.asked]
    assert {run.run_id for run in runs} == {handle.first_execution_run_id}
    started = (await handle.describe()).start_time.timestamp()
    assert all(started - 1 <= run.workflow_time <= started + WAIT_S for run in runs)
    assert fakes.notified.empty()


async def test_a_run_that_continues_as_new_stays_one_run(impatient_address, queue: str):
    client = await Client.connect(impatient_address, plugins=[ErrorsPlugin()])
    fakes = Fakes(*(going_on(number) for number in range(12)), done())
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, CancelShipmentsPayload(dry_run=True), key=queue, task_queue=queue)
        result = await handle.result()
        first = await client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
        latest = await client.get_workflow_handle(handle.id).describe()

    assert result == RESULT
    assert first.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert latest.run_id != first.run_id
    assert [activity_id for activity_id, _ in fakes.asked] == [f"cancel-{number}" for number in range(1, 14)]
    assert {payload.run.run_id for _, payload in fakes.asked} == {handle.first_execution_run_id}
    assert {payload.dry_run for _, payload in fakes.asked} == {True}


async def test_each_organization_that_failed_is_told_by_its_role_and_the_run_is_done(client: Client, queue: str):
    fakes = Fakes(done(notices=[notice(f"{queue}-1"), notice(f"{queue}-2")]))
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, key=queue, task_queue=queue)
        assert await handle.result() == RESULT
        told = [await fakes.next_notification(handle.id) for _ in range(2)]

    assert {workflow_id for workflow_id, _ in told} == {
        f"cancel-shipments/{queue}/notify/org_{queue}-{number}/bu_{queue}-{number}" for number in (1, 2)
    }
    for _, payload in told:
        assert (payload.target, payload.success, payload.job_type) == ("role/ops", False, "cancel_shipments")
        assert payload.result == "The database refused."


async def test_when_every_organization_failed_so_does_the_run_and_they_are_told(client: Client, queue: str):
    fakes = Fakes(done(failure="All 2 organizations failed; the first with: no.", notices=[notice(queue)]))
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, key=queue, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        _, payload = await fakes.next_notification(handle.id)

    cause = caught.value.cause
    assert isinstance(cause, WireError)
    assert (cause.type, cause.message) == ("non_retryable", "All 2 organizations failed; the first with: no.")
    assert payload.organization_id == f"org_{queue}"


async def test_a_run_that_breaks_off_asks_whom_to_tell(client: Client, queue: str):
    fakes = Fakes(going_on(1), ConfigurationError("The clocks are apart."), done(result=None, notices=[notice(queue)]))
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, key=queue, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        _, payload = await fakes.next_notification(handle.id)

    assert isinstance(caught.value.cause, ActivityError)
    assert caught.value.cause.cause.type == "configuration"
    assert [(activity_id, asked.run.failed) for activity_id, asked in fakes.asked] == [
        ("cancel-1", False),
        ("cancel-2", False),
        ("cancel-failed", True),
    ]
    assert payload.target == "role/ops"


async def test_a_dry_run_that_fails_tells_nobody_but_who_asked(client: Client, queue: str):
    fakes = Fakes(ConfigurationError("The clocks are apart."))
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, CancelShipmentsPayload(dry_run=True), key=queue, task_queue=queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert [activity_id for activity_id, _ in fakes.asked] == ["cancel-1"]


@pytest.mark.parametrize("ends", ["cancelled", "done"])
async def test_a_canceled_run_ends_after_the_call_that_is_under_way(client: Client, queue: str, ends):
    """Also where that call comes to its end before the cancellation reaches it."""
    fakes = Fakes(going_on(1), done())
    fakes.hold = asyncio.Event()
    async with workers(client, queue, fakes):
        handle = await start_cancel(client, key=queue, task_queue=queue)
        await asyncio.wait_for(fakes.started.wait(), WAIT_S)
        await handle.cancel()
        if ends == "done":
            await asyncio.sleep(0.5)
            fakes.hold.set()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert isinstance(caught.value.cause, CancelledError)
    assert [activity_id for activity_id, _ in fakes.asked] == ["cancel-1"]
    assert fakes.notified.empty()


async def test_a_misspelt_field_fails_the_run_before_any_call(client: Client, queue: str):
    wrong = {"organizationIDs": ["org_1"], "dryrun": True}
    fakes = Fakes(done())
    async with workers(client, queue, fakes):
        handle = await client.start_workflow(
            CANCEL_SHIPMENTS_WORKFLOW, wrong, id=cancel_workflow_id(queue), task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), WAIT_S)

    cause = caught.value.cause
    assert isinstance(cause, WireError)
    assert (cause.type, cause.non_retryable) == ("invalid_input", True)
    assert "unknown field 'dryrun', 'organizationIDs'; the fields are organizationIds, dryRun" in cause.message
    assert fakes.asked == []


async def test_a_key_whose_run_was_asked_something_that_is_refused_now_is_a_conflict(client: Client, queue: str):
    await client.start_workflow(
        CANCEL_SHIPMENTS_WORKFLOW, {"dryrun": True}, id=cancel_workflow_id(queue), task_queue=queue
    )

    with pytest.raises(ConflictError, match="already used for another request"):
        await start_cancel(client, key=queue, task_queue=queue)


async def test_a_key_names_one_run_and_another_request_under_it_is_a_conflict(client: Client, queue: str):
    fakes = Fakes(done())
    async with workers(client, queue, fakes):
        first = await start_cancel(client, key=queue, task_queue=queue)
        await first.result()
        again = await start_cancel(client, key=queue, task_queue=queue)
        assert await again.result() == RESULT
        with pytest.raises(ConflictError, match="already used for another request"):
            await start_cancel(client, CancelShipmentsPayload(dry_run=True), key=queue, task_queue=queue)

    assert len(fakes.asked) == 1


def test_a_key_that_temporal_would_not_take_is_refused():
    assert cancel_workflow_id("2026-11-22") == "cancel-shipments/2026-11-22"
    with pytest.raises(InvalidInputError, match="Use a shorter key"):
        cancel_workflow_id("k" * 1000)


@pytest.mark.parametrize("key", ["", " "])
async def test_an_empty_key_is_refused_and_not_made_up(client: Client, key: str):
    with pytest.raises(InvalidInputError, match="The key is empty"):
        await start_cancel(client, key=key)
    with pytest.raises(InvalidInputError, match="The key is empty"):
        await start_purge(client, key=key)
