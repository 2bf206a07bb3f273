import json
import sqlite3
from datetime import timedelta

import pytest
from pydantic import BaseModel, ValidationError
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError as UntypedError
from temporalio.exceptions import CancelledError

from trenova_errors import (
    ConflictError,
    ErrorKind,
    PayloadTooLargeError,
    ResourceNotFoundError,
    ThrottledError,
    UnavailableError,
    to_problem,
)
from trenova_errors._escaped import decide
from trenova_errors._restored import CLASSES


class HeldError(ConflictError):
    """Of an application."""

    code = "shipment.held"


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_each_kind_has_a_problem_that_json_can_carry(kind):
    problem = to_problem(CLASSES[kind](f"says {SECRET}", key=SECRET))

    body = json.loads(json.dumps(problem.body))
    assert body["status"] == problem.status
    assert 400 <= problem.status <= 599
    assert (body["kind"], body["code"]) == (kind.value, kind.value)
    assert body["type"]
    assert body["title"].endswith(kind.value.replace("_", " "))
    assert body["detail"]
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert "facts" not in body
    assert (SECRET in body["detail"]) is kind.caused_by_user


def test_the_one_who_asked_reads_what_was_written_for_them():
    problem = to_problem(
        WorkflowFailureError(cause=ResourceNotFoundError.of("shipment", "shp_1")), instance="/shipments/shp_1"
    )

    assert problem.status == 404
    assert problem.body["detail"].startswith("No shipment with id 'shp_1'")
    assert problem.body["instance"] == "/shipments/shp_1"


def test_only_the_facts_that_are_named_leave_the_house():
    problem = to_problem(ConflictError("taken", field="bol", password=SECRET), facts=["field", "unknown"])

    assert problem.body["facts"] == {"field": "bol"}


def test_a_known_delay_is_a_header_in_whole_seconds():
    assert to_problem(ThrottledError("slow", retry_after=timedelta(seconds=1.2))).headers["Retry-After"] == "2"
    assert to_problem(UnavailableError("down")).headers.get("Retry-After") is None
    assert "Retry-After" not in to_problem(ConflictError("no", retry_after=timedelta(seconds=5))).headers


class _Input(BaseModel):
    n: int


def _not_valid():
    with pytest.raises(ValidationError) as caught:
        _Input.model_validate({"n": SECRET})
    return caught.value


def test_of_input_that_does_not_validate_the_fields_are_named_here_and_from_an_activity():
    escaped = decide(_not_valid(), raised_by="Activity").error

    for error in (_not_valid(), escaped, WorkflowFailureError(cause=escaped)):
        assert to_problem(error).body["detail"].startswith("n: Input should be a valid integer")
        assert "pydantic" not in json.dumps(to_problem(error).body)
        assert SECRET not in json.dumps(to_problem(error).body)


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, SECRET), sqlite3.IntegrityError(SECRET), KeyError(SECRET)]
)
def test_nothing_is_told_of_what_a_service_is_built_with(error):
    escaped = decide(error, raised_by="Activity").error

    for one in (error, escaped, WorkflowFailureError(cause=escaped)):
        said = json.dumps(to_problem(one).body).lower()
        assert not [word for word in ("errno", "sqlite", "raised", "keyerror", "type.", SECRET) if word in said]


def test_a_code_that_an_application_declares_is_told():
    assert to_problem(HeldError("held")).body["code"] == "shipment.held"


def test_what_was_cancelled_is_a_conflict_in_constant_words():
    problem = to_problem(WorkflowFailureError(cause=CancelledError(SECRET)))

    assert (problem.status, problem.body["code"]) == (409, "cancelled")
    assert problem.body["detail"] == "It was cancelled before it had finished."


def test_what_is_too_large_is_blamed_on_the_caller_only_where_it_is_refused_at_once():
    assert to_problem(PayloadTooLargeError("x")).status == 413
    assert to_problem(WorkflowFailureError(cause=UntypedError("x", type="payload_too_large"))).status == 500
    assert to_problem(WorkflowFailureError(cause=PayloadTooLargeError("x"))).status == 500


def test_an_exception_of_anybody_is_answered_without_its_message():
    problem = to_problem(RuntimeError(SECRET))

    assert 500 <= problem.status <= 599
    assert SECRET not in json.dumps(problem.body)
