"""Sagas alone, on a real server: order, parallel undoing, outcomes that nobody knows, cancellation, conflicts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from journeys import Bookings, Journey, Plan
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.exceptions import ApplicationError as WireError
from temporalio.worker import Replayer, Worker

from trenova_activities import Compensation, Saga, SagaEntry, SagaState
from trenova_errors import ErrorsPlugin

pytestmark = pytest.mark.asyncio(loop_scope="module")
WAIT_S = 60
PARTS = ["hotel", "train", "car"]
QUEUE = "journeys"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(temporal_address: str) -> AsyncIterator[tuple[Client, Bookings]]:
    client = await Client.connect(temporal_address, plugins=[ErrorsPlugin()])
    bookings = Bookings()
    activities = [bookings.book, bookings.unbook, bookings.verify]
    async with Worker(client, task_queue=QUEUE, workflows=[Journey], activities=activities):
        yield client, bookings


async def start(client: Client, key: str, **plan) -> WorkflowHandle:
    asked = Plan(key=key, **{"parts": PARTS, **plan})
    return await client.start_workflow(Journey.run, asked, id=f"journey-{key}", task_queue=QUEUE)


async def failed(handle: WorkflowHandle) -> BaseException:
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(handle.result(), WAIT_S)
    return failure.value.cause


def undoing(bookings: Bookings, key: str) -> list[str]:
    return [part for part in bookings.asked[key] if part.startswith(("undo", "verify"))]


async def test_a_saga_that_comes_to_its_end_undoes_nothing(office):
    client, bookings = office
    handle = await start(client, "well")

    assert await handle.result() == []
    assert bookings.asked["well"] == bookings.booked["well"] == PARTS


async def test_steps_are_undone_in_reverse_and_the_failure_goes_on_as_it_was(office):
    client, bookings = office
    cause = await failed(await start(client, "reverse", fails={"car": "refused"}))

    assert undoing(bookings, "reverse") == ["undo train", "undo hotel"]
    assert bookings.booked["reverse"] == []
    assert isinstance(cause, ActivityError)
    assert (cause.cause.type, cause.cause.message) == ("conflict", "No car is free.")
    assert bookings.ids["reverse"] == {"hotel", "train", "car", "train-undo", "hotel-undo"}


async def test_neighbours_of_one_word_are_undone_at_the_same_time_and_others_in_order(office):
    client, bookings = office
    parts = ["visa", "hotel", "train", "car"]
    fails = {"car": "refused", "undo hotel": "meets", "undo train": "meets"}
    await failed(await start(client, "parallel", parts=parts, fails=fails, together=["hotel", "train"]))

    # Each of the two waits until the other has begun.
    assert set(undoing(bookings, "parallel")[:2]) == {"undo hotel", "undo train"}
    assert undoing(bookings, "parallel")[2:] == ["undo visa"]


@pytest.mark.parametrize(
    ("how", "looked", "undone"),
    [
        ("refused", False, False),
        ("ambiguous", True, False),
        ("ambiguous done", True, True),
        ("unavailable", True, False),
        ("silent done", True, True),
    ],
)
async def test_an_unknown_outcome_is_looked_into_and_undone_only_if_it_took_effect(office, how, looked, undone):
    client, bookings = office
    key = f"outcome-{how}".replace(" ", "-")
    await failed(await start(client, key, parts=["hotel", "car"], fails={"car": how}))

    expected = ["verify car"] * looked + ["undo car"] * undone + ["undo hotel"]
    assert undoing(bookings, key) == expected
    assert bookings.booked[key] == []


async def test_without_a_verify_activity_the_compensation_finds_out_by_itself(office):
    client, bookings = office
    await failed(await start(client, "unverified", parts=["car"], fails={"car": "ambiguous"}, verified=False))

    assert undoing(bookings, "unverified") == ["undo car"]


async def test_a_step_of_which_nobody_can_say_whether_it_took_effect_is_reported_and_not_undone(office):
    client, bookings = office
    fails = {"car": "ambiguous done", "verify car": "broken"}
    cause = await failed(await start(client, "unsayable", parts=["hotel", "car"], fails=fails))

    assert undoing(bookings, "unsayable") == ["verify car", "undo hotel"]
    assert bookings.booked["unsayable"] == ["car"]
    assert cause.details[0]["code"] == "saga.not_undone"
    assert cause.details[0]["facts"]["steps"] == "car"


async def test_a_compensation_is_tried_again_by_its_own_policy(office):
    client, bookings = office
    fails = {"train": "refused", "undo hotel": "unavailable x2"}
    await failed(await start(client, "again", parts=["hotel", "train"], fails=fails))

    assert undoing(bookings, "again") == ["undo hotel"] * 3
    assert bookings.booked["again"] == []


async def test_what_cannot_be_undone_is_told_in_one_failure_and_the_rest_is_undone_all_the_same(office):
    client, bookings = office
    fails = {"bus": "refused", "undo car": "conflict", "undo train": "unavailable"}
    handle = await start(client, "left", parts=[*PARTS, "bus"], fails=fails, undo_attempts=1)
    cause = await failed(handle)

    assert undoing(bookings, "left") == ["undo car", "undo train", "undo hotel"]
    assert bookings.booked["left"] == ["train", "car"]
    assert isinstance(cause, WireError)
    assert cause.type == "non_retryable"
    assert "car: The car was changed by somebody." in cause.message
    assert "train: The system could not be reached for too long." in cause.message
    assert cause.details[0]["facts"] == {
        "steps": "car, train",
        "codes": "compensation_conflict, unavailable",
        "failed_with": "conflict",
    }
    assert cause.cause.cause.message == "No bus is free."
    left = await handle.query(Journey.not_undone)
    assert [(one["step"], one["code"]) for one in left] == [
        ("car", "compensation_conflict"),
        ("train", "unavailable"),
    ]


async def test_a_cancellation_undoes_what_was_done_and_the_run_ends_canceled(office):
    client, bookings = office
    handle = await start(client, "canceled", fails={"train": "held"})
    await asyncio.wait_for(bookings.seen("canceled", "train").wait(), WAIT_S)
    await handle.cancel()
    cause = await failed(handle)

    assert isinstance(cause, CancelledError) or isinstance(cause.cause, CancelledError)
    assert undoing(bookings, "canceled") == ["verify train", "undo hotel"]
    assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED


async def test_a_cancellation_that_comes_too_late_for_a_step_undoes_it_too(office):
    client, bookings = office
    handle = await start(client, "late", fails={"train": "stubborn"})
    await asyncio.wait_for(bookings.seen("late", "train").wait(), WAIT_S)
    await handle.cancel()
    await failed(handle)

    assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED
    assert undoing(bookings, "late") == ["undo train", "undo hotel"]
    assert bookings.booked["late"] == []


async def test_a_cancellation_does_not_reach_the_compensations(office):
    client, bookings = office
    handle = await start(client, "shielded", fails={"car": "refused", "undo train": "held"})
    await asyncio.wait_for(bookings.seen("shielded", "undo train").wait(), WAIT_S)
    await handle.cancel()
    await asyncio.sleep(1.5)
    bookings.gate("shielded", "undo train").set()
    cause = await failed(handle)

    assert undoing(bookings, "shielded") == ["undo train", "undo hotel"]
    assert bookings.booked["shielded"] == []
    assert cause.cause.type == "conflict"


async def test_what_was_done_before_a_continue_as_new_is_undone_after_it(office):
    client, bookings = office
    handle = await start(client, "continued", fails={"car": "refused"}, continues_after="train")
    await failed(handle)

    assert bookings.asked["continued"] == [*PARTS, "undo train", "undo hotel"]
    assert bookings.booked["continued"] == []


async def test_a_compensation_whose_worker_falls_silent_is_done_by_the_next_attempt(office):
    client, bookings = office
    fails = {"car": "refused", "undo hotel": "silent x1"}
    await failed(await start(client, "silence", parts=["hotel", "car"], fails=fails))

    assert undoing(bookings, "silence") == ["undo hotel"] * 2
    assert bookings.booked["silence"] == []


async def test_a_step_that_still_runs_beside_the_failed_one_is_waited_for_and_undone(office):
    client, bookings = office
    fails = {"hotel": "held", "train": "refused"}
    handle = await start(client, "beside", parts=["hotel", "train"], fails=fails, side_by_side=True)
    await asyncio.wait_for(bookings.seen("beside", "hotel").wait(), WAIT_S)
    await asyncio.wait_for(bookings.seen("beside", "train").wait(), WAIT_S)
    await asyncio.sleep(1)
    assert undoing(bookings, "beside") == []
    bookings.gate("beside", "hotel").set()
    cause = await failed(handle)

    assert cause.cause.message == "No train is free."
    assert undoing(bookings, "beside") == ["undo hotel"]
    assert bookings.booked["beside"] == []


async def test_a_worker_that_keeps_no_run_in_memory_undoes_the_same(office, caplog):
    """Each answer evicts the run, also in the middle of a step and of a compensation."""
    _, bookings = office
    client = await Client.connect(office[0].service_client.config.target_host, plugins=[ErrorsPlugin()])
    activities = [bookings.book, bookings.unbook, bookings.verify]
    async with Worker(
        client, task_queue="forgetful", workflows=[Journey], activities=activities, max_cached_workflows=0
    ):
        plan = Plan(key="evicted", parts=PARTS, fails={"car": "ambiguous done", "undo train": "unavailable x1"})
        handle = await client.start_workflow(Journey.run, plan, id="journey-evicted", task_queue="forgetful")
        cause = await failed(handle)

    assert cause.cause.type == "ambiguous"
    expected = ["verify car", "undo car", "undo train", "undo train", "undo hotel"]
    assert undoing(bookings, "evicted") == expected
    assert [record.message for record in caplog.records if "evict" in record.message] == []


@pytest.mark.parametrize("key", ["reverse", "left", "canceled", "late", "shielded", "beside", "evicted"])
async def test_every_kind_of_end_replays(office, key):
    client, _ = office
    history = await client.get_workflow_handle(f"journey-{key}").fetch_history()

    await Replayer(workflows=[Journey], plugins=[ErrorsPlugin()]).replay_workflow(history)


async def test_two_steps_of_one_name_are_a_mistake_of_the_author(office):

    saga = Saga(
        SagaState(entries=[SagaEntry(step="car", outcome="done", undo=Compensation(activity="a", argument={}))])
    )
    with pytest.raises(ValueError, match="a step 'car' already"):
        async with saga.step("car", Compensation(activity="a", argument={})):
            pass


async def test_the_state_is_data_that_comes_back_as_it_was(office):
    undo = Compensation(activity="a", argument={"id": 1}, together="x", verify="v")
    state = SagaState(entries=[SagaEntry(step="car", outcome="begun", undo=undo)])

    assert SagaState.model_validate_json(state.model_dump_json()) == state
