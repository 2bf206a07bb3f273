import pickle
from datetime import timedelta

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.converter import DataConverter
from temporalio.exceptions import (
    ActivityError,
    CancelledError,
    ChildWorkflowError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,  # noqa: A004 - Temporal's
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from temporalio.exceptions import ApplicationError as UntypedError

from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NonRetryableError,
    PayloadTooLargeError,
    RetryableError,
    ThrottledError,
    UnavailableError,
    from_failure,
)
from trenova_errors._restored import CLASSES

SDK = "type.temporalio.exceptions"


class KeyMissingError(UnavailableError):
    code = "codec.unknown_key"


async def _over_the_wire(error):
    failure = Failure()
    await DataConverter.default.encode_failure(error, failure)
    return await DataConverter.default.decode_failure(failure)


def _activity(cause, retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED):
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="offer",
        activity_id="offer",
        retry_state=retry_state,
    )
    error.__cause__ = cause
    return error


def _child(cause):
    error = ChildWorkflowError(
        "Child failed",
        namespace="default",
        workflow_id="c",
        run_id="r",
        workflow_type="Child",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def _timeout(which, cause=None):
    error = TimeoutError("activity timeout", type=which, last_heartbeat_details=[])
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_each_kind_comes_back_as_its_class_with_everything_it_carried(kind):
    sent = CLASSES[kind]("what was wrong", retry_after=timedelta(seconds=7), shipment="shp_1", count=3)
    sent.__cause__ = OSError("the disk")
    got = from_failure(WorkflowFailureError(cause=_activity(await _over_the_wire(sent))))

    assert type(got) is CLASSES[kind]
    assert (got.message, got.code, got.next_retry_delay) == ("what was wrong", sent.code, timedelta(seconds=7))
    assert got.non_retryable is sent.non_retryable
    assert got.facts == {
        "shipment": "shp_1",
        "count": 3,
        "activity_type": "offer",
        "retry_state": "maximum_attempts_reached",
    }
    assert (got.cause.type, got.cause.message) == ("OSError", "the disk")


async def test_a_finer_code_comes_back_although_its_class_is_unknown_here():
    got = from_failure(WorkflowFailureError(cause=await _over_the_wire(KeyMissingError("no key", key_id="k2"))))

    assert (type(got), got.code, got.facts["key_id"]) == (UnavailableError, "codec.unknown_key", "k2")
    again = pickle.loads(pickle.dumps(got))
    assert (again.code, again.details[0]["code"]) == ("codec.unknown_key", "codec.unknown_key")


async def test_an_ambiguous_outcome_that_may_be_tried_again_still_may():
    got = from_failure(_activity(await _over_the_wire(AmbiguousOutcomeError("sent", idempotent=True))))

    assert isinstance(got, AmbiguousOutcomeError)
    assert not got.non_retryable


async def test_it_is_found_below_children_and_activities_and_updates():
    deep = _child(_activity(await _over_the_wire(ConflictError("other options"))))

    assert isinstance(from_failure(WorkflowFailureError(cause=deep)), ConflictError)
    assert isinstance(
        from_failure(WorkflowUpdateFailedError(await _over_the_wire(InvalidInputError("no")))), InvalidInputError
    )


async def test_a_worker_in_another_language_needs_nothing_but_the_type():
    failure = Failure()
    failure.message = "no such order"
    failure.application_failure_info.type = "resource_not_found"
    failure.application_failure_info.non_retryable = True

    got = from_failure(_activity(await DataConverter.default.decode_failure(failure)))

    assert (got.kind, got.code, got.message) == ("resource_not_found", "resource_not_found", "no such order")


async def test_details_of_another_shape_do_no_harm():
    for details in (
        ["text"],
        [{"code": 7, "facts": "none"}],
        [{"facts": {"retry_after": 3, "deep": {"a": 1}, "ok": 1}}],
    ):
        got = from_failure(await _over_the_wire(UntypedError("m", *details, type="conflict", non_retryable=True)))
        assert (type(got), got.code) == (ConflictError, "conflict")
        assert got.facts in ({}, {"ok": 1})


async def test_a_type_that_is_none_of_ours_says_at_least_whether_to_try_again():
    permanent = from_failure(_activity(await _over_the_wire(UntypedError("m", type="Own", non_retryable=True))))
    passing = from_failure(_activity(await _over_the_wire(UntypedError("m", type="Own"))))

    assert (type(permanent), type(passing)) == (NonRetryableError, RetryableError)
    assert (permanent.code, permanent.facts["type"]) == ("non_retryable", "Own")


def test_what_the_sdk_says_of_a_result_that_is_too_large_is_understood():
    assert isinstance(from_failure(_activity(UntypedError("size", type="PayloadsTooLarge"))), PayloadTooLargeError)


@pytest.mark.parametrize(
    ("which", "cls"),
    [
        (TimeoutType.SCHEDULE_TO_START, UnavailableError),
        (TimeoutType.SCHEDULE_TO_CLOSE, AmbiguousOutcomeError),
        (TimeoutType.START_TO_CLOSE, AmbiguousOutcomeError),
        (TimeoutType.HEARTBEAT, AmbiguousOutcomeError),
    ],
)
def test_a_time_out_is_ambiguous_only_once_the_work_had_begun(which, cls):
    given = _activity(_timeout(which))

    got = from_failure(given)

    assert isinstance(got, cls)
    assert (got.code, got.facts["timeout_type"]) == (f"timeout.{which.name.lower()}", which.name.lower())
    assert got.__cause__ is given


async def test_a_time_out_keeps_the_failure_of_the_last_attempt_as_its_cause():
    last = await _over_the_wire(ThrottledError("slow down"))

    got = from_failure(_activity(_timeout(TimeoutType.SCHEDULE_TO_CLOSE, last)))

    assert got.code == "timeout.schedule_to_close"
    assert isinstance(from_failure(got.__cause__), ThrottledError)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (WorkflowFailureError(cause=CancelledError("asked for")), "non_retryable", "cancelled"),
        (
            WorkflowFailureError(cause=TerminatedError("by hand")),
            "non_retryable",
            f"{SDK}.TerminatedError",
        ),
        (
            WorkflowAlreadyStartedError("id", "Type"),
            "conflict",
            f"{SDK}.WorkflowAlreadyStartedError",
        ),
        (WorkflowContinuedAsNewError("r2"), "non_retryable", "continued_as_new"),
        (ServerError("down"), "unavailable", f"{SDK}.ServerError"),
        (ServerError("never", non_retryable=True), "non_retryable", f"{SDK}.ServerError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_temporal_itself_raises_has_a_kind(error, kind, code):
    got = from_failure(error)

    assert isinstance(got, ApplicationError)
    assert (got.kind, got.code) == (kind, code)
    assert got.__cause__ is error


def test_an_error_of_ours_is_returned_as_it_is():
    error = ConflictError("same key, other options")

    assert from_failure(error) is error


def test_an_exception_that_never_crossed_the_wire_is_classified():
    got = from_failure(ConnectionRefusedError(111, "secret host"))

    assert got.kind == "unavailable"
    assert "secret" not in got.message


def test_a_cycle_of_causes_ends():
    first, second = _activity(None), _activity(None)
    first.__cause__, second.__cause__ = second, first

    assert isinstance(from_failure(first), ApplicationError)
