import asyncio

import pytest
from temporalio.exceptions import ActivityError, CancelledError, RetryState, TimeoutType
from temporalio.exceptions import ApplicationError as WireError
from temporalio.exceptions import TimeoutError as LateError

from trenova_activities._wording import explain_failure
from trenova_errors import ErrorKind


def failed(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="t",
        activity_id="duplicate",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_every_kind_of_failure_has_words_that_are_not_its_code(kind: ErrorKind):
    words = explain_failure(failed(WireError("There is no shipment 'shp_1'.", type=str(kind))))

    assert words.endswith(".")
    assert kind.value not in words


def test_what_the_person_asked_wrongly_is_repeated_to_them():
    words = explain_failure(failed(WireError("There is no shipment 'shp_1'.", type="resource_not_found")))

    assert words == "There is no shipment 'shp_1'. Nothing was changed."


def test_what_went_wrong_inside_is_not_shown_to_them():
    words = explain_failure(failed(WireError("connect to 10.0.0.7 failed", type="unavailable")))

    assert "10.0.0.7" not in words


def test_an_ambiguous_outcome_does_not_claim_that_nothing_changed():
    assert "Nothing was changed" not in explain_failure(failed(WireError("lost", type="ambiguous")))


def test_a_timeout_and_a_cancellation_are_told_apart():
    late = LateError("late", type=TimeoutType.SCHEDULE_TO_CLOSE, last_heartbeat_details=[])

    assert explain_failure(failed(late)).startswith("It could not be done in time.")
    assert explain_failure(failed(CancelledError())) == "It was canceled before it was done."
    assert explain_failure(asyncio.CancelledError()) == "It was canceled before it was done."
