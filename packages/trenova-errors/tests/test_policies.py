from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.common import RetryPolicy

from trenova_errors import (
    DATABASE_POLICY,
    HTTP_CALL_POLICY,
    PERMANENT_KINDS,
    POLICIES,
    ActivityPolicy,
    ConfigurationError,
)

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("name", POLICIES)
def test_no_delay_is_one_that_the_server_rounds_up(name):
    policy = POLICIES[name].retry_policy()

    assert policy.initial_interval >= SECOND
    assert policy.maximum_interval >= policy.initial_interval


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_lists_what_is_permanent_for_workers_in_other_languages(name):
    assert POLICIES[name].retry_policy().non_retryable_error_types == list(PERMANENT_KINDS)
    assert POLICIES[name].as_data()["retryPolicy"]["nonRetryableErrorTypes"] == list(PERMANENT_KINDS)


def test_a_policy_may_leave_time_outs_of_the_server_alone():
    once = replace(HTTP_CALL_POLICY, retry_timed_out=False)
    listed = [*PERMANENT_KINDS, "TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat"]

    assert once.retry_policy().non_retryable_error_types == listed
    assert once.as_data()["retryPolicy"]["nonRetryableErrorTypes"] == listed


def test_options_are_arguments_of_execute_activity():
    assert DATABASE_POLICY.options() == {
        "start_to_close_timeout": timedelta(minutes=2),
        "schedule_to_close_timeout": timedelta(hours=24),
        "heartbeat_timeout": timedelta(seconds=10),
        "retry_policy": RetryPolicy(
            initial_interval=SECOND,
            backoff_coefficient=2.0,
            maximum_interval=timedelta(minutes=1),
            maximum_attempts=0,
            non_retryable_error_types=list(PERMANENT_KINDS),
        ),
    }
    assert "heartbeat_timeout" not in HTTP_CALL_POLICY.options()


def test_what_a_caller_does_to_a_retry_policy_is_its_own_affair():
    DATABASE_POLICY.retry_policy().maximum_attempts = 1

    assert DATABASE_POLICY.retry_policy().maximum_attempts == 0


def test_data_for_other_languages_is_in_seconds_under_the_names_of_the_api():
    data = HTTP_CALL_POLICY.as_data()

    assert (data["startToCloseTimeout"], data["heartbeatTimeout"]) == (30.0, None)
    assert data["retryPolicy"]["maximumInterval"] == 120.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"first_delay": timedelta(milliseconds=50)}, "below 1 s"),
        ({"longest_delay": timedelta(seconds=0.5)}, "shorter than first_delay"),
        ({"coefficient": 0.5}, "coefficient"),
        ({"maximum_attempts": -1}, "maximum_attempts"),
        ({"start_to_close": timedelta(0)}, "start_to_close"),
        ({"schedule_to_close": timedelta(seconds=1)}, "schedule_to_close"),
        ({"heartbeat": timedelta(0)}, "heartbeat"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(values, said):
    whole = {"start_to_close": timedelta(seconds=5), "schedule_to_close": timedelta(minutes=5)}

    with pytest.raises(ConfigurationError, match=said):
        ActivityPolicy(**{**whole, **values})
