import logging
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from trenova_errors import (
    AmbiguousOutcomeError,
    ErrorKind,
    RetryableError,
    Rule,
    RuleSet,
    UnavailableError,
    classify,
    log_failure,
    sending,
    to_error,
)

SECRET = "hunter2-hunter2"


def test_a_decision_becomes_an_error_in_the_words_of_the_one_who_knows():
    rules = RuleSet(
        [Rule(name="busy", kind=ErrorKind.RETRYABLE, types=(ValueError,), retry_after=timedelta(seconds=9))]
    )
    found = classify(ValueError(SECRET), rules=rules)

    error = to_error(found, f"Not now. {found.reason}", table="t")

    assert isinstance(error, RetryableError)
    assert (error.code, error.next_retry_delay, error.facts) == ("rule.busy", timedelta(seconds=9), {"table": "t"})
    assert SECRET not in error.message


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_unknown_outcome_is_tried_again_only_where_that_was_said(idempotent):
    with pytest.raises(ConnectionResetError) as caught, sending("COMMIT"):
        raise ConnectionResetError

    error = to_error(classify(caught.value, idempotent=idempotent), "Nobody knows.")

    assert isinstance(error, AmbiguousOutcomeError)
    assert error.non_retryable is not idempotent


def test_a_failure_that_goes_no_further_has_the_same_line(caplog):
    caplog.set_level(logging.INFO)
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"SELECT '{SECRET}' FROM nowhere")
    except sqlite3.OperationalError as error:
        log_failure("A tenant has failed", error, {"organization_id": "org_1"})

    [line] = caplog.records
    assert line.getMessage().startswith("A tenant has failed: configuration (sqlite.SQLITE_ERROR), OperationalError")
    assert (line.organization_id, line.error_kind, line.levelname) == ("org_1", "configuration", "ERROR")
    assert SECRET not in repr(vars(line))
    assert line.exc_info is None


def test_keys_that_logging_keeps_for_itself_are_renamed_and_a_percent_sign_is_a_sign(caplog):
    context = {
        "name": "n",
        "message": "m",
        "msg": "x",
        "module": "o",
        "args": 1,
        "process": 2,
        "thread": 3,
        "carrier": 4,
    }

    log_failure("100% of %s failed", UnavailableError("down"), context)

    [record] = caplog.records
    assert record.getMessage() == "100% of %s failed: unavailable (unavailable), UnavailableError"
    assert (record.context_name, record.context_message, record.context_args, record.carrier) == ("n", "m", 1, 4)
