"""Bad input on a real server: every case ends, says why, and repeats nothing."""

import asyncio
import gc
import logging
import uuid
from contextlib import asynccontextmanager

import pytest
from errors_scenarios import SECRET, WORKFLOWS, Activities, CallsActivity, Inbox, Order, SendsPayload
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.worker import Replayer, Worker

from trenova_errors import ErrorsPlugin

LIMIT = 20
NOT_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=f"not json {SECRET}".encode()))
ENCRYPTED = RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"))

BAD_INPUT = {
    "wrong value": ([{"orderCount": 500, "apiKey": SECRET}], "orderCount: Input should be less than or equal to 100"),
    "wrong shape": ([[SECRET]], "Input should be an object"),
    "secret in the wrong place": ([{"orderCount": SECRET}], "orderCount: Input should be a valid integer"),
    "secret repeated by a validator": ([{"orderCount": 1, "apiKey": SECRET}], "the key <value> is known"),
    "not JSON": ([NOT_JSON], "Invalid JSON"),
    "null": ([None], "Input should be a valid dictionary or instance of Order"),
    "bytes": ([SECRET.encode()], "Input should be a valid dictionary or instance of Order"),
    "no argument": ([], "takes 1 argument (order), got 0"),
    "two arguments": ([{"orderCount": 1}, SECRET], "takes 1 argument (order), got 2"),
}
CASES = [pytest.param(args, text, id=name) for name, (args, text) in BAD_INPUT.items()]


class Bench:
    def __init__(self, client: Client) -> None:
        self.client, self.queue, self.activities = client, f"q-{uuid.uuid4()}", Activities()
        self.worker = Worker(client, task_queue=self.queue, workflows=WORKFLOWS, activities=self.activities.all)

    async def start(self, workflow, *args):
        return await self.client.start_workflow(workflow, args=args, id=f"w-{uuid.uuid4()}", task_queue=self.queue)

    async def failed(self, workflow, *args):
        handle = await self.start(workflow, *args)
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), LIMIT)
        return handle, caught.value.cause


@asynccontextmanager
async def _bench(client):
    bench = Bench(client)
    async with bench.worker:
        yield bench


@pytest.fixture
async def bench(client):
    async with _bench(client) as bench:
        yield bench


@pytest.fixture
async def inbox(bench):
    return await bench.start(Inbox.run)


SENT_BY_THE_CALLER = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
}


async def _written_by_the_worker(handle):
    events = [event async for event in handle.fetch_history_events()]
    written = "".join(str(event) for event in events if event.event_type not in SENT_BY_THE_CALLER)
    assert "FAILED" in written or "UPDATE_COMPLETED" in written
    return written


async def _attempts(handle):
    return [
        event.activity_task_started_event_attributes.attempt
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]


def _assert_refused(error, text):
    assert isinstance(error, ApplicationError)
    assert (error.type, error.non_retryable) == ("invalid_input", True)
    assert text in error.message
    assert SECRET not in str(error)


async def _finish(handle, expected):
    await handle.signal(Inbox.finish)
    assert await asyncio.wait_for(handle.result(), LIMIT) == expected


@pytest.mark.parametrize(("args", "text"), CASES)
async def test_a_workflow_with_a_bad_argument_fails_at_once(bench, args, text):
    handle, error = await bench.failed("TakesOrder", *args)

    _assert_refused(error, text)
    assert SECRET not in await _written_by_the_worker(handle)
    assert [event.event_type async for event in handle.fetch_history_events()][-2:] == [
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    ]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_so_does_one_that_takes_its_arguments_in_its_constructor(client):
    """The SDK drops its own coroutine when a constructor fails; collecting it here keeps that from other tests."""
    async with _bench(client) as bench:
        _, missing = await bench.failed("TakesOrderInInit")
        _, superfluous = await bench.failed("TakesOrderInInit", {"orderCount": 1}, SECRET)
        wrong, error = await bench.failed("TakesOrderInInit", {"orderCount": 500})
        right = await bench.start("TakesOrderInInit", {"orderCount": 5})
        assert await asyncio.wait_for(right.result(), LIMIT) == 5
        replayer = Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin()])
        await replayer.replay_workflow(await wrong.fetch_history())
    gc.collect()

    _assert_refused(missing, "TakesOrderInInit.__init__() missing 1 required positional argument: 'order'")
    _assert_refused(superfluous, "TakesOrderInInit.__init__() takes 2 positional arguments but 3 were given")
    _assert_refused(error, "orderCount: Input should be less than or equal to 100")


async def test_an_activity_with_a_bad_argument_fails_at_its_first_attempt(bench):
    results = await asyncio.gather(
        *(
            bench.failed(CallsActivity.run, "take", args)
            for args, _ in BAD_INPUT.values()
            if not any(isinstance(arg, RawValue | bytes) for arg in args)
        )
    )

    texts = [text for args, text in BAD_INPUT.values() if not any(isinstance(arg, RawValue | bytes) for arg in args)]
    for (handle, error), text in zip(results, texts, strict=True):
        _assert_refused(error.cause, text)
        assert SECRET not in await _written_by_the_worker(handle)
        assert await _attempts(handle) == [1]
    assert bench.activities.attempts == {}


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("json/plain", "Invalid JSON"),
        ("binary/plain", "Input should be a valid dictionary or instance of Order"),
        ("binary/null", "Input does not match its encoding 'binary/null'"),
    ],
)
async def test_so_does_one_that_is_sent_no_json(bench, encoding, text):
    handle, error = await bench.failed(SendsPayload.run, encoding, f"not json {SECRET}")

    _assert_refused(error.cause, text)
    assert await _attempts(handle) == [1]


async def test_an_activity_that_cannot_decode_its_argument_is_tried_again_as_unavailable(bench):
    handle, error = await bench.failed(SendsPayload.run, "binary/encrypted", SECRET)

    assert (error.cause.type, error.cause.non_retryable) == ("unavailable", False)
    assert error.cause.details[0]["code"] == "undecodable"
    assert "Unknown payload encoding binary/encrypted" in error.cause.cause.message
    assert await _attempts(handle) == [2]


async def test_an_update_with_a_bad_argument_is_refused_and_the_run_goes_on(bench, inbox):
    for args, text in BAD_INPUT.values():
        for update in ("add", "add_checked"):
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await asyncio.wait_for(inbox.execute_update(update, args=args), LIMIT)
            _assert_refused(caught.value.cause, text)

    assert await inbox.execute_update(Inbox.add, Order(order_count=3)) == 1
    assert SECRET not in await _written_by_the_worker(inbox)
    await _finish(inbox, [3])


async def test_an_update_whose_validator_meets_a_validation_error_is_refused(inbox):
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asyncio.wait_for(inbox.execute_update(Inbox.add_checked, Order(order_count=50)), LIMIT)

    _assert_refused(caught.value.cause, "orderCount: Input should be less than or equal to 100")
    await _finish(inbox, [])


async def test_a_signal_with_a_bad_argument_is_logged_and_the_run_goes_on(inbox, caplog):
    with caplog.at_level(logging.WARNING):
        for args, _ in BAD_INPUT.values():
            await inbox.signal("put", args=args)
        await inbox.signal("put_unchecked", {"orderCount": SECRET})
        await inbox.signal("put", {"orderCount": 4})
        await _finish(inbox, [4])

    logged = [record for record in caplog.records if "signal" in record.getMessage()]
    assert len(logged) == len(BAD_INPUT) + 1
    assert "Dropped signal 'put': Signal 'put' takes 1 argument (order), got 0" in caplog.text
    assert "Dropped signal 'put_unchecked': orderCount: Input should be a valid integer" in caplog.text
    assert SECRET not in caplog.text


async def test_dropped_signals_are_counted(server):
    updates = MetricBuffer(1000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=updates))
    client = await Client.connect(server, plugins=[ErrorsPlugin()], runtime=runtime)

    async with _bench(client) as bench:
        inbox = await bench.start(Inbox.run)
        await inbox.signal("put")
        await inbox.signal("put_unchecked", {})
        await _finish(inbox, [])

    counted = [update for update in updates.retrieve_updates() if "dropped_signals" in update.metric.name]
    assert sum(update.value for update in counted) == 2
    assert {update.attributes["workflow_type"] for update in counted} == {"Inbox"}


async def test_a_query_with_a_bad_argument_says_what_is_missing(inbox):
    await inbox.execute_update(Inbox.add, Order(order_count=3))

    with pytest.raises(WorkflowQueryFailedError, match=r"Query 'count' takes 1 argument \(at\), got 0"):
        await asyncio.wait_for(inbox.query("count"), LIMIT)
    with pytest.raises(WorkflowQueryFailedError, match="Input should be a valid integer"):
        await asyncio.wait_for(inbox.query("count", SECRET), LIMIT)
    assert await inbox.query(Inbox.count, 0) == 3
    await _finish(inbox, [3])


async def test_an_argument_with_a_default_may_be_left_out(bench):
    whole = await bench.start("TakesOrderAndNote", {"orderCount": 2}, "here")
    part = await bench.start("TakesOrderAndNote", {"orderCount": 2})
    activity = await bench.start(CallsActivity.run, "take_with_note", [{"orderCount": 2}])

    results = await asyncio.wait_for(asyncio.gather(whole.result(), part.result(), activity.result()), LIMIT)
    assert results == ["2 here", "2 none", "2 none"]


async def test_where_a_default_is_left_out_the_others_are_still_checked(bench):
    _, workflow_error = await bench.failed("TakesOrderAndNote", {"orderCount": 500})
    _, activity_error = await bench.failed(CallsActivity.run, "take_with_note", [{"orderCount": 500}])

    _assert_refused(workflow_error, "orderCount: Input should be less than or equal to 100")
    _assert_refused(activity_error.cause, "orderCount: Input should be less than or equal to 100")


async def test_a_validation_error_in_workflow_code_ends_the_run(bench):
    handle, error = await bench.failed("ValidatesInside", {"orderCount": SECRET})

    _assert_refused(error, "orderCount: Input should be a valid integer")
    assert SECRET not in await _written_by_the_worker(handle)


async def test_a_validation_error_in_activity_code_is_told_without_its_input(bench, caplog):
    handle, error = await bench.failed(CallsActivity.run, "fail_validation", [])

    assert error.cause.details[0]["code"] == "type.pydantic_core.ValidationError"
    assert error.cause.cause.type == "ValidationError"
    assert SECRET not in await _written_by_the_worker(handle)
    assert SECRET not in caplog.text


async def test_a_payload_that_only_another_codec_reads_makes_the_run_wait(bench):
    handle = await bench.start("TakesOrder", ENCRYPTED)

    async with asyncio.timeout(LIMIT):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                break

    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_the_sandbox_shares_the_error_classes(bench):
    handle = await bench.start("ChecksSandbox")

    assert await asyncio.wait_for(handle.result(), LIMIT) is True


async def test_what_was_refused_replays(bench, inbox):
    refused, _ = await bench.failed("TakesOrder")
    wrong, _ = await bench.failed("TakesOrder", {"orderCount": 500})
    await inbox.signal("put")
    await inbox.signal("put_unchecked", {})
    await _finish(inbox, [])

    replayer = Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin()])
    for handle in (refused, wrong, inbox):
        await replayer.replay_workflow(await handle.fetch_history())
