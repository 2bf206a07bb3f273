import asyncio
from contextlib import asynccontextmanager

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.exceptions import ApplicationError as WireError
from temporalio.worker import Worker

from trenova_activities import (
    DUPLICATE_SHIPMENT_ACTIVITY,
    JOB_NOTIFICATION_ACTIVITY,
    NOTIFICATION_QUEUE,
    REQUEST_DIGEST,
    DuplicateShipmentPayload,
    DuplicateShipmentResult,
    DuplicateShipmentWorkflow,
    JobNotificationPayload,
    NotificationResult,
    SendJobCompleteNotificationWorkflow,
    start_duplicate,
)
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError, UnavailableError

# The dev server loses a task on its way to a worker now and then; it comes again after a time-out.
WAIT_S = 100
pytestmark = pytest.mark.timeout(300)


class Fakes:
    """Stand-ins for the activities: what the workflow asked of them, and what they answer."""

    def __init__(self, failures=()):
        self.failures = list(failures)
        self.attempts = 0
        self.activity_ids = set()
        self.notified = asyncio.Queue()
        self.started = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    @activity.defn(name=DUPLICATE_SHIPMENT_ACTIVITY)
    async def duplicate(self, payload: DuplicateShipmentPayload) -> DuplicateShipmentResult:
        self.attempts += 1
        self.started.set()
        self.activity_ids.add(activity.info().activity_id)
        while not self.hold.is_set():
            activity.heartbeat("held")
            await asyncio.sleep(0.2)
        if self.failures:
            raise self.failures.pop(0)
        return DuplicateShipmentResult(
            job_id=activity.info().workflow_id,
            count=payload.count,
            pro_numbers=["S1", "S2"],
            shipment_ids=["shp_2", "shp_3"],
            result="Shipment S0 was duplicated twice.",
            data={"sourceShipmentId": payload.shipment_id, "sourceProNumber": "S0"},
        )

    @activity.defn(name=JOB_NOTIFICATION_ACTIVITY)
    async def notify(self, payload: JobNotificationPayload) -> NotificationResult:
        self.notified.put_nowait((activity.info().workflow_id, payload))
        return NotificationResult(notification_id="notif_1", delivered=True, channels=["in_app"], result="Told.")

    async def next_notification(self, queue):
        """Return the next one of this test; the queue of notifications has one name for all tests."""
        while True:
            workflow_id, payload = await asyncio.wait_for(self.notified.get(), WAIT_S)
            if payload.organization_id == f"org_{queue}":
                return workflow_id, payload


@asynccontextmanager
async def workers(client: Client, queue: str, fakes: Fakes):
    other = await Client.connect(client.service_client.config.target_host, plugins=client.config()["plugins"])
    async with (
        Worker(client, task_queue=queue, workflows=[DuplicateShipmentWorkflow], activities=[fakes.duplicate]),
        Worker(
            other,
            task_queue=NOTIFICATION_QUEUE,
            workflows=[SendJobCompleteNotificationWorkflow],
            activities=[fakes.notify],
        ),
    ):
        yield


def request(queue: str, **changes) -> DuplicateShipmentPayload:
    asked = {
        "organization_id": f"org_{queue}",
        "business_unit_id": "bu_1",
        "user_id": "usr_1",
        "idempotency_key": "k",
        "shipment_id": "shp_1",
        "count": 2,
    }
    return DuplicateShipmentPayload(**(asked | changes))


async def test_a_duplication_answers_and_tells_the_requester_once(client: Client, queue: str):
    fakes = Fakes()
    async with workers(client, queue, fakes):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        result = await asyncio.wait_for(handle.result(), WAIT_S)
        workflow_id, told = await fakes.next_notification(queue)

    assert result.job_id == handle.id == f"duplicate-shipment/org_{queue}/k"
    assert fakes.activity_ids == {"duplicate"}
    assert workflow_id == f"{handle.id}/notify"
    assert (told.success, told.user_id, told.job_type) == (True, "usr_1", "duplicate_shipment")
    assert told.job_id == handle.id
    assert [entity.id for entity in told.related_entities] == ["shp_1", "shp_2", "shp_3"]


async def test_a_permanent_failure_is_tried_once_told_in_plain_words_and_fails_the_run(client: Client, queue: str):
    fakes = Fakes([ResourceNotFoundError.of("shipment", "shp_1")])
    async with workers(client, queue, fakes):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), WAIT_S)
        _, told = await fakes.next_notification(queue)

    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, WireError)
    assert failed.value.cause.cause.type == "resource_not_found"
    assert fakes.attempts == 1
    assert not told.success
    assert "shp_1" in told.result
    assert told.result.endswith("Nothing was changed.")


async def test_a_passing_failure_is_tried_again(client: Client, queue: str):
    fakes = Fakes([UnavailableError("The database is away.")])
    async with workers(client, queue, fakes):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        await asyncio.wait_for(handle.result(), WAIT_S)
        _, told = await fakes.next_notification(queue)

    assert fakes.attempts == 2
    assert told.success


async def test_the_run_ends_although_nobody_serves_the_notification_queue(client: Client, queue: str):
    fakes = Fakes()
    async with Worker(client, task_queue=queue, workflows=[DuplicateShipmentWorkflow], activities=[fakes.duplicate]):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        result = await asyncio.wait_for(handle.result(), WAIT_S)

    assert result.count == 2


async def test_a_canceled_duplication_says_so(client: Client, queue: str):
    fakes = Fakes()
    fakes.hold.clear()
    async with workers(client, queue, fakes):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        await asyncio.wait_for(fakes.started.wait(), WAIT_S)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), WAIT_S)
        _, told = await fakes.next_notification(queue)

    assert isinstance(failed.value.cause, CancelledError) or isinstance(failed.value.cause.cause, CancelledError)
    assert not told.success
    assert told.result == "It was canceled before it was done."


async def test_a_second_start_of_the_same_request_joins_the_first(client: Client, queue: str):
    fakes = Fakes()
    async with workers(client, queue, fakes):
        first = await start_duplicate(client, request(queue), task_queue=queue)
        again = await start_duplicate(client, request(queue, timestamp=7), task_queue=queue)
        results = [await asyncio.wait_for(handle.result(), WAIT_S) for handle in (first, again)]
        after = await start_duplicate(client, request(queue), task_queue=queue)
        results.append(await asyncio.wait_for(after.result(), WAIT_S))

    assert results[0] == results[1] == results[2]
    assert fakes.attempts == 1


async def test_another_request_under_the_same_key_is_a_conflict_for_the_caller(client: Client, queue: str):
    await start_duplicate(client, request(queue), task_queue=queue)

    with pytest.raises(ConflictError, match="'k' was already used for another request"):
        await start_duplicate(client, request(queue, count=3), task_queue=queue)


async def test_a_conflict_is_found_although_the_first_caller_kept_no_digest(client: Client, queue: str):
    payload = request(queue)
    await client.start_workflow(
        "DuplicateShipmentWorkflow", payload, id=f"duplicate-shipment/org_{queue}/k", task_queue=queue
    )

    joined = await start_duplicate(client, payload, task_queue=queue)
    assert REQUEST_DIGEST not in await (await joined.describe()).memo()
    with pytest.raises(ConflictError):
        await start_duplicate(client, request(queue, shipment_id="shp_9"), task_queue=queue)


async def test_a_failed_run_may_be_started_again_and_its_success_is_told_too(client: Client, queue: str):
    fakes = Fakes([ResourceNotFoundError.of("shipment", "shp_1")])
    async with workers(client, queue, fakes):
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), WAIT_S)
        first = await fakes.next_notification(queue)
        handle = await start_duplicate(client, request(queue), task_queue=queue)
        await asyncio.wait_for(handle.result(), WAIT_S)
        second = await fakes.next_notification(queue)

    assert [first[1].success, second[1].success] == [False, True]
    assert first[0] == second[0]


@pytest.mark.parametrize("length", [993, 994, 1000])
async def test_the_longest_workflow_ids_are_notified_too(client: Client, queue: str, length: int):
    fakes = Fakes()
    async with workers(client, queue, fakes):
        workflow_id = (queue + "x" * 1000)[:length]
        handle = await client.start_workflow(
            "DuplicateShipmentWorkflow", request(queue), id=workflow_id, task_queue=queue
        )
        await asyncio.wait_for(handle.result(), WAIT_S)
        notification_id, told = await fakes.next_notification(queue)

    assert told.job_id == workflow_id
    assert notification_id.endswith("/notify")
    assert len(notification_id) <= 1000


async def test_a_key_that_makes_too_long_a_workflow_id_is_refused_before_anything_starts(client: Client, queue: str):
    with pytest.raises(InvalidInputError, match="shorter key"):
        await start_duplicate(
            client,
            request(queue, idempotency_key="\U0001f69a" * 200, organization_id="\U0001f69a" * 60),
            task_queue=queue,
        )


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"count": 0}, "count: Input should be greater than or equal to 1"),
        ({"count": -1}, "count: Input should be greater than or equal to 1"),
        ({"count": 101}, "count: Input should be less than or equal to 100"),
        ({"count": "3"}, "count: Input should be a valid integer"),
        ({"shipmentId": None}, "shipmentId"),
        ({"organizationId": ""}, "organizationId"),
    ],
)
async def test_bad_input_fails_the_run_at_once_and_says_what_was_wrong(client: Client, queue: str, payload, said):
    asked = {"organizationId": "o", "businessUnitId": "b", "userId": "u", "shipmentId": "s", "count": 1, **payload}
    failure = await refused(client, queue, asked)

    assert said in str(failure)


@pytest.mark.parametrize("asked", ["hunter2", ["hunter2"], 7, None, {"password": "hunter2"}])
async def test_a_wrong_shape_fails_the_run_and_is_not_repeated(client: Client, queue: str, asked):
    failure = await refused(client, queue, asked)

    assert "hunter2" not in str(failure)


async def test_what_is_not_json_at_all_fails_the_run(client: Client, queue: str):
    from temporalio.api.common.v1 import Payload

    failure = await refused(client, queue, RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{not json")))

    assert "JSON" in str(failure)


async def refused(client: Client, queue: str, asked) -> WireError:
    fakes = Fakes()
    async with workers(client, queue, fakes):
        handle = await client.start_workflow("DuplicateShipmentWorkflow", asked, id=queue, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), WAIT_S)
    failure = failed.value.cause
    assert isinstance(failure, WireError)
    assert (failure.type, failure.non_retryable) == ("invalid_input", True)
    assert fakes.attempts == 0
    return failure
