import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

from trenova_errors._attempts import after, backoff, is_milestone

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _info(*, attempt=1, policy=None, within=None, scheduled=NOW):
    return dataclasses.replace(
        ActivityEnvironment.default_info(),
        attempt=attempt,
        retry_policy=policy,
        schedule_to_close_timeout=within,
        scheduled_time=scheduled,
    )


def _after(info, *, retryable=True, error_type="unavailable", asked=None):
    return after(info, retryable=retryable, error_type=error_type, asked=asked, now=NOW)


def test_without_a_limit_there_is_always_another_attempt():
    assert not _after(_info(attempt=9999, policy=RetryPolicy())).final
    assert not _after(_info(policy=None)).final


@pytest.mark.parametrize(("attempt", "final"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_attempt_that_the_policy_counts_last_is_the_last(attempt, final):
    assert _after(_info(attempt=attempt, policy=RetryPolicy(maximum_attempts=3))).final is final


def test_what_may_not_be_retried_is_final_at_once():
    assert _after(_info(), retryable=False).final


def test_a_type_that_the_policy_lists_is_final():
    policy = RetryPolicy(non_retryable_error_types=["conflict"])

    assert _after(_info(policy=policy), error_type="conflict").final
    assert not _after(_info(policy=policy), error_type="unavailable").final


def test_an_attempt_whose_successor_would_come_too_late_is_final():
    info = _info(policy=RetryPolicy(initial_interval=10 * SECOND), within=15 * SECOND, scheduled=NOW - 6 * SECOND)

    assert _after(info).final
    assert not _after(info, asked=SECOND).final


def test_the_delay_asked_for_replaces_that_of_the_policy():
    assert _after(_info(), asked=90 * SECOND).delay == 90 * SECOND


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (5, 16), (8, 100), (5000, 100)])
def test_delays_grow_to_a_hundred_times_the_first_one(attempt, seconds):
    assert backoff(RetryPolicy(), attempt) == seconds * SECOND


def test_a_delay_below_a_second_is_a_second():
    assert backoff(RetryPolicy(initial_interval=timedelta(milliseconds=50)), 1) == SECOND


def test_milestones_are_the_powers_of_ten():
    assert [number for number in range(20001) if is_milestone(number)] == [1, 10, 100, 1000, 10000]
