"""What the server does with each error: attempts, delays, and what stands in the history."""

import asyncio
import itertools
import uuid
from typing import NamedTuple

import pytest
import temporalio.exceptions
from errors_scenarios import ONE_OF_EACH, WORKFLOWS, Activities, CallsActivity, Raises
from temporalio.api.enums.v1 import ApplicationErrorCategory, EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from trenova_errors import ErrorKind, classify

LIMIT = 30


class Bench:
    """A worker on a queue of its own."""

    def __init__(self, client: Client) -> None:
        self.client, self.queue, self.activities = client, f"q-{uuid.uuid4()}", Activities()
        self.worker = Worker(client, task_queue=self.queue, workflows=WORKFLOWS, activities=self.activities.all)

    async def start(self, workflow, *args):
        return await self.client.start_workflow(workflow, args=args, id=f"w-{uuid.uuid4()}", task_queue=self.queue)

    async def call(self, name, *args):
        handle = await self.start(CallsActivity.run, name, list(args))
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), LIMIT)
        return handle, caught.value.cause


@pytest.fixture
async def bench(client):
    bench = Bench(client)
    async with bench.worker:
        yield bench


async def _activity_failure(handle):
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            return event.activity_task_failed_event_attributes.failure
    raise AssertionError("no failed activity in the history")


async def test_an_activity_of_each_kind_is_tried_as_often_as_its_kind_says(bench):
    calls = await asyncio.gather(*(bench.call("fail", kind) for kind in ONE_OF_EACH))

    tried = {
        kind: len(bench.activities.attempts[handle.id]) for kind, (handle, _) in zip(ONE_OF_EACH, calls, strict=True)
    }
    once = {kind.value for kind in ErrorKind if kind.permanent} | {"ambiguous"}
    assert tried == {kind: 1 if kind in once else 2 for kind in ONE_OF_EACH}
    for kind, (handle, error) in zip(ONE_OF_EACH, calls, strict=True):
        failure = await _activity_failure(handle)
        info = failure.application_failure_info
        assert (failure.message, info.type, info.non_retryable) == ("as asked", kind, kind in once)
        benign = info.category == ApplicationErrorCategory.APPLICATION_ERROR_CATEGORY_BENIGN
        assert benign is ErrorKind(kind).caused_by_user
        assert (failure.cause.message, failure.cause.application_failure_info.type) == ("'missing'", "KeyError")
        _assert_as_raised(kind, error)


def _assert_as_raised(kind, error):
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == (kind, "as asked")
    facts = {"answer": 42, "ratio": 0.5, "known": True, "other": None}
    assert list(error.cause.details) == [{"code": kind, "facts": facts}]
    assert error.cause.cause.type == "KeyError"


async def test_attempts_delays_and_types_in_the_history_are_those_of_the_table(bench, capsys):
    """One activity for each kind, and what its history says beside what the table says."""
    calls = await asyncio.gather(*(bench.call("fail", kind) for kind in ONE_OF_EACH))

    expected, seen = {}, {}
    for kind, (handle, _) in zip(ONE_OF_EACH, calls, strict=True):
        found = classify(ONE_OF_EACH[kind]("as asked"))
        expected[kind] = Row(kind, 2 if found.retryable else 1, not found.retryable, found.benign, found.retryable)
        seen[kind] = await _row(handle, bench.activities.attempts[handle.id])
    with capsys.disabled():
        print("\n" + "\n".join(_side_by_side(expected, seen)))  # noqa: T201 - the point of it

    assert seen == expected


class Row(NamedTuple):
    type: str
    attempts: int
    non_retryable: bool
    benign: bool
    waited: bool
    """Whether about a second, the policy's delay, lay between the attempts."""


async def _row(handle, times):
    failure, attempts = None, 0
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            attempts = event.activity_task_started_event_attributes.attempt
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            failure = event.activity_task_failed_event_attributes.failure
    info = failure.application_failure_info
    benign = info.category == ApplicationErrorCategory.APPLICATION_ERROR_CATEGORY_BENIGN
    waited = [0.9 < later - earlier < 6 for earlier, later in itertools.pairwise(times)]
    return Row(info.type, attempts, info.non_retryable, benign, waited == [True])


def _side_by_side(expected, seen):
    yield f"{'kind':20} {'':9}" + " ".join(f"{name:>14}" for name in Row._fields[1:])
    for kind in expected:
        for title, row in (("table", expected[kind]), ("history", seen[kind])):
            yield f"{kind:20} {title:9}" + " ".join(f"{value!s:>14}" for value in row[1:])


async def test_the_delay_asked_for_is_kept(bench):
    handle, error = await bench.call("fail_slowly")

    first, second = bench.activities.attempts[handle.id]
    assert 2.4 < second - first < 6
    assert error.cause.type == "throttle"


async def test_an_idempotent_activity_with_an_ambiguous_outcome_is_tried_again(bench):
    handle, error = await bench.call("fail_idempotent")

    assert len(bench.activities.attempts[handle.id]) == 2
    assert error.cause.type == "ambiguous"


async def test_an_exception_without_a_type_is_tried_again_as_unclassified(bench):
    handle, error = await bench.call("fail_unclassified")

    assert len(bench.activities.attempts[handle.id]) == 2
    assert (error.cause.type, error.cause.message) == ("retryable", "Activity raised LookupError.")
    assert error.cause.details[0] == {"code": "unclassified", "facts": {"exception": "LookupError"}}
    assert (error.cause.cause.type, error.cause.cause.message) == ("LookupError", "the disk is on fire")


async def test_an_untyped_application_error_stays_the_decision_of_its_author(bench):
    handle, error = await bench.call("fail_untyped")

    assert len(bench.activities.attempts[handle.id]) == 1
    assert (error.cause.type, error.cause.message) == (None, "my own decision")


async def test_a_cancellation_inside_an_activity_is_not_wrapped(bench):
    _, error = await bench.call("cancel_itself")

    assert error.cause.type == "CancelledError"


@pytest.mark.parametrize("kind", ["conflict", "retryable", "ambiguous"])
async def test_a_typed_error_in_workflow_code_ends_the_run(bench, kind):
    handle = await bench.start(Raises.run, kind)

    with pytest.raises(WorkflowFailureError) as caught:
        await asyncio.wait_for(handle.result(), LIMIT)
    assert (caught.value.cause.type, caught.value.cause.message) == (kind, "as asked")
    assert caught.value.cause.details[0]["facts"] == {"answer": 42}
    assert isinstance(caught.value.cause, temporalio.exceptions.ApplicationError)
