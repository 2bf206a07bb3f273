"""What a run says about itself, in numbers and in a line."""

from dataclasses import replace

import pytest

from trenova_activities import CancelRequest, LimitsRequest, NightlyStand, PauseRequest
from trenova_activities._nightly_contract import FailureNotice, NightlyProgress
from trenova_activities._nightly_report import NightlyReport, stand_after
from trenova_activities._steering import Asked, Steering

ASKED = Asked(at=100)


def report(steering: Steering | None = None, **changes) -> NightlyReport:
    known = {"job_type": "cancel_shipments", "steering": steering or Steering(), "stand": NightlyStand(), "calls": 3}
    return NightlyReport(**{**known, "working": True, "ended": False, "dry_run": False, **changes})


def stand(seconds: int = 20, **numbers) -> NightlyStand:
    return stand_after(NightlyStand(), NightlyProgress(done=False, **numbers), seconds)


def test_before_the_first_call_ends_nothing_is_known_and_nothing_made_up():
    said = report().answer(steerable=True)

    assert (said.words, said.phase) == ("Running.", "running")
    assert (said.rows_per_second, said.eta_seconds, said.tenants.total, said.rows.total) == (None, None, None, None)


def test_without_help_of_the_activity_the_rate_is_that_of_all_calls():
    first = stand(20, rows=1000, tenants_done=2)
    second = stand_after(first, NightlyProgress(done=False, rows=5000, tenants_done=3), 20)
    said = report(stand=second).answer(steerable=True)

    assert (said.rows_per_second, said.eta_seconds) == (125.0, None)
    assert said.words == "Running. 3 organizations, 5,000 rows. 125 rows per second."


def test_with_it_totals_and_the_end_are_known():
    known = stand(
        rows=5000,
        tenants_done=6,
        tenants_failed=1,
        tenants_skipped=2,
        tenants_total=200,
        eligible=25_000,
        oldest_at=1_700_000_000,
        rows_per_second=50.0,
        braked="a transaction of psql is an hour old",
        batch_size=400,
        organization="org_7",
    )
    said = report(stand=known).answer(steerable=True)

    assert (said.tenants.total, said.tenants.processed) == (200, 6)
    assert (said.tenants.succeeded, said.tenants.failed, said.tenants.skipped) == (3, 1, 2)
    assert (said.rows.total, said.rows.processed) == (30_000, 5000)
    assert (said.rows_per_second, said.eta_seconds, said.batch_size, said.oldest_at) == (50.0, 500, 400, 1_700_000_000)
    assert said.words == (
        "Running. 6 of 200 organizations, 5,000 rows. 1 failed. 50 rows per second, at least 8 minutes left. "
        "Slow for the database's sake: a transaction of psql is an hour old."
    )


@pytest.mark.parametrize(
    ("done", "total", "left"),
    [(1, 7, "at least 17 seconds left"), (6, 7, "17 seconds left"), (9, 200, "17 seconds left")],
)
def test_the_time_to_go_is_a_lower_bound_while_few_organizations_were_begun(done, total, left):
    known = NightlyProgress(
        done=False, rows=3, tenants_done=done, tenants_total=total, rows_per_second=1.0, eta_seconds=17
    )
    said = report(stand=NightlyStand(last=known))

    assert said.words.endswith(f"1 rows per second, {left}.")
    assert "left" not in replace(said, ended=True).words
    canceled = Steering()
    canceled.apply(CancelRequest(reason="wrong night", by="ana"), ASKED)
    assert "left" not in replace(said, steering=canceled).words


def test_an_end_that_the_activity_tells_is_taken_as_it_is():
    assert report(stand=stand(rows=1, eligible=10, eta_seconds=9000)).words.endswith("2.5 hours left.")


@pytest.mark.parametrize(
    ("working", "phase", "words"),
    [
        (
            True,
            "pausing",
            "Paused by ana (claimed), after the batch under way: They complain.",
        ),
        (False, "paused", "Paused by ana (claimed): They complain."),
    ],
)
def test_a_pause_and_limits_are_in_the_line(working, phase, words):
    steering = Steering()
    steering.apply(PauseRequest(reason="They complain.", by="ana"), ASKED)
    steering.apply(LimitsRequest(batch_size=9, by="ana"), ASKED)
    told = report(steering, working=working)

    assert (told.phase, told.words) == (phase, f"{words} Limits: 9 rows per batch.")


def test_what_is_carried_along_is_small_and_says_nobody_to_tell():
    notices = [FailureNotice(organization_id="org_1", business_unit_id="bu_1", role="ops", words="no")]
    carried = stand_after(NightlyStand(), NightlyProgress(done=False, rows=3, notices=notices), 1)

    assert carried.last == NightlyProgress(done=False, rows=3)
