"""The SDK's own lines, as a filter meets them."""

import logging

import pytest
from temporalio.worker import ActivityInboundInterceptor
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

from trenova_errors import UnavailableError
from trenova_errors._failure_log import mark
from trenova_errors._sdk_log import OneLineEach

SECRET = "hunter2-hunter2"


def _record(message, error=None, identifier=None):
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("temporalio.activity", logging.WARNING, __file__, 1, message, (), info)
    if identifier is not None:
        vars(record)["__temporal_error_identifier"] = identifier
    return record


def _raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("identifier", ["ActivityFailure", "WorkflowTaskFailure"])
def test_a_failure_that_has_had_its_line_gets_no_second_one(identifier):
    error = _raised(UnavailableError(SECRET))
    mark(error)

    assert not OneLineEach().filter(_record("Completing activity as failed", error, identifier))


@pytest.mark.parametrize("identifier", ["ActivityFailure", "WorkflowTaskFailure"])
def test_one_that_came_past_nobody_keeps_its_line_without_what_it_said(identifier):
    error = _raised(ValueError(SECRET))
    record = _record(f"Failed activation {SECRET}", error, identifier)

    assert OneLineEach().filter(record)
    assert SECRET not in repr(vars(record))
    assert record.getMessage().endswith(" ValueError")
    assert record.error_stack[-1].endswith(" _raised")


class Outermost(ActivityInboundInterceptor):
    """One that comes before those of this package, and fails what has begun."""

    async def execute_activity(self, input):  # noqa: A002 (the SDK's name)
        raise UnavailableError(SECRET)


async def test_an_activity_that_another_interceptor_fails_is_not_said_to_have_never_begun():
    with pytest.raises(UnavailableError) as caught:
        await Outermost(None).execute_activity(None)
    record = _record("Completing activity as failed", caught.value, "ActivityFailure")

    assert OneLineEach().filter(record)
    assert record.getMessage().startswith("Activity failed: unavailable (")
    assert SECRET not in repr(vars(record))


def test_what_the_sandbox_says_about_code_is_kept():
    error = _raised(RestrictedWorkflowAccessError("datetime.datetime.now.__call__"))
    record = _record("Failed activation", error, "WorkflowTaskFailure")

    assert OneLineEach().filter(record)
    assert "Cannot access datetime.datetime.now.__call__" in record.getMessage()


@pytest.mark.parametrize(
    "begins",
    [
        "Completing as failure during heartbeat with error of type <class 'ValueError'>: ",
        "Exception handling failed, original error: ",
    ],
)
def test_texts_of_the_sdk_that_end_in_a_message_end_before_it(begins):
    record = _record(f"{begins}{SECRET}", _raised(ValueError(SECRET)))

    assert OneLineEach().filter(record)
    assert SECRET not in repr(vars(record))
    assert begins.startswith(record.getMessage().split(": ")[0])


def test_every_other_line_passes_as_it_is():
    record = _record("something of a user's")

    assert OneLineEach().filter(record)
    assert record.getMessage() == "something of a user's"
