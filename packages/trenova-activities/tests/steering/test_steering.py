"""What a run remembers of what it was told; no server and no workflow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trenova_activities import (
    Actor,
    CancelRequest,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    RunLimits,
    SteeringState,
    verified_actor,
)
from trenova_activities._steering import Asked, Steering

PAUSE = PauseRequest(reason="They complain.", by="ana")
RESUME = ResumeRequest(by="bob")
CANCEL = CancelRequest(reason="wrong night", by="ana")


def update(steering: Steering, request, update_id: str = "u", at: int = 100):
    return steering.apply(request, Asked(at=at, update_id=update_id))


def test_a_pause_of_a_paused_run_changes_nothing_and_says_who_was_first():
    steering = Steering()
    first = update(steering, PAUSE, "1")
    again = update(steering, PauseRequest(reason="Me too", by="bob"), "2", at=200)

    assert (first.applied, first.number, first.result) == (True, 1, "Paused by ana (claimed): They complain.")
    assert (again.applied, again.number, again.changes) == (False, None, 1)
    assert again.result == (
        "It is paused already by ana (claimed) since 1970-01-01 00:01:40 UTC: They complain. Nothing was changed."
    )
    assert again.paused.by == Actor(name="ana", verified=False)


def test_a_run_that_is_not_paused_is_not_resumed():
    answer = update(Steering(), RESUME)

    assert (answer.applied, answer.result) == (False, "It is not paused. Nothing was changed.")


def test_an_update_is_known_by_its_id_in_the_next_run_of_the_chain_too():
    steering = Steering()
    update(steering, PAUSE, "1")
    update(steering, RESUME, "2")
    later = Steering(SteeringState.model_validate_json(steering.state.model_dump_json()))
    again = update(later, PAUSE, "1")

    assert (again.applied, again.number, again.changes) == (False, 1, 2)
    assert again.result == "This update was applied before, as change 1. Nothing was changed."
    assert later.paused is None


def test_an_update_that_changed_nothing_changes_nothing_later_either():
    steering = Steering()
    update(steering, RESUME, "1")
    update(steering, PAUSE, "2")
    late = update(steering, RESUME, "1")

    assert (late.applied, late.number, late.paused is None) == (False, None, False)


def test_signals_have_no_id_and_are_known_by_what_they_mean():
    steering = Steering()
    answers = [steering.apply(PAUSE, Asked(at=1)) for _ in range(2)]

    assert [answer.applied for answer in answers] == [True, False]
    assert [action.through for action in steering.state.actions] == ["signal"]


def test_limits_that_are_not_given_stay_and_zero_goes_back():
    steering = Steering()
    update(steering, LimitsRequest(batch_size=50, by="ana"), "1")
    both = update(steering, LimitsRequest(rows_per_second=900, by="ana"), "2")
    one = update(steering, LimitsRequest(batch_size=0, by="ana"), "3")
    same = update(steering, LimitsRequest(rows_per_second=900, by="ana"), "4")
    none = update(steering, LimitsRequest(rows_per_second=0, by="ana"), "5")

    assert both.limits == RunLimits(batch_size=50, rows_per_second=900)
    assert both.result == "Limits changed by ana (claimed): 50 rows per batch, 900 rows per second."
    assert one.limits == RunLimits(rows_per_second=900)
    assert (same.applied, same.result) == (
        False,
        "The limits are these already: 900 rows per second. Nothing was changed.",
    )
    assert (none.limits, none.result) == (None, "Limits changed by ana (claimed): as the run was started.")


def test_what_cannot_be_done_is_refused_in_words():
    steering = Steering()
    assert "No limit was given" in steering.refusal(LimitsRequest(by="ana"))
    assert steering.refusal(PAUSE) == ""
    update(steering, PAUSE, "1")
    update(steering, CANCEL, "2")

    assert steering.paused is None
    assert steering.refusal(RESUME).startswith("The run is being canceled by ana (claimed): wrong night.")
    assert steering.refusal(CANCEL) == ""
    assert update(steering, CANCEL, "3").applied is False


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PauseRequest(reason=" ", by="ana"),
        lambda: PauseRequest(reason="x" * 501, by="ana"),
        lambda: PauseRequest(reason="x", by=""),
        lambda: CancelRequest.model_validate_json('{"reason": "x", "by": "ana", "force": true}'),
        lambda: LimitsRequest(batch_size=10_001, by="ana"),
        lambda: LimitsRequest(rows_per_second=-1, by="ana"),
    ],
)
def test_a_request_that_makes_no_sense_is_not_valid(wrong):
    with pytest.raises(ValidationError):
        wrong()


def test_requests_are_camel_case_on_the_wire():
    asked = LimitsRequest.model_validate_json('{"batchSize": 5, "rowsPerSecond": null, "by": "ana"}')

    assert (asked.batch_size, asked.rows_per_second) == (5, None)


def test_a_name_is_a_claim_unless_an_interceptor_vouches_for_it():
    steering = Steering()
    with verified_actor("ana@example.com"):
        vouched = update(steering, PAUSE, "1")
    claimed = update(steering, RESUME, "2")

    assert vouched.result == "Paused by ana@example.com: They complain."
    assert claimed.result == "Resumed by bob (claimed), after 0 seconds."
    assert [action.by.verified for action in steering.state.actions] == [True, False]


REQUESTS = st.one_of(
    st.just(PAUSE),
    st.just(RESUME),
    st.builds(LimitsRequest, batch_size=st.integers(0, 3), by=st.just("eve")),
)


@given(
    st.lists(st.tuples(REQUESTS, st.sampled_from([None, *"abcdefgh"]), st.booleans()), max_size=60),
)
def test_every_change_is_counted_once_however_runs_are_cut(told):
    steering = Steering()
    numbers, applied_ids = [], []
    for request, update_id, cut in told:
        if cut:
            steering = Steering(SteeringState.model_validate_json(steering.state.model_dump_json()))
        before = (steering.paused, steering.limits)
        answer = steering.apply(request, Asked(at=1, update_id=update_id))
        assert answer.applied == (before != (steering.paused, steering.limits))
        if answer.applied:
            numbers.append(answer.number)
            applied_ids += [update_id] if update_id else []

    assert numbers == list(range(1, len(numbers) + 1))
    assert steering.state.changes == len(numbers)
    assert len(set(applied_ids)) == len(applied_ids)
    assert [action.number for action in steering.state.actions] == numbers[-20:]


def test_what_is_remembered_stays_small():
    steering = Steering()
    for number in range(1, 601):
        update(steering, LimitsRequest(batch_size=number, by="n" * 100), f"{number:036}")

    assert len(steering.state.actions) == 20
    assert len(steering.state.update_ids) == 256
    assert list(steering.state.update_ids.values()) == list(range(345, 601))
    assert len(steering.state.model_dump_json()) < 32 * 1024
