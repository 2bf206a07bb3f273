import json
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from trenova_errors import (
    ConflictError,
    ErrorKind,
    ResourceNotFoundError,
    ThrottledError,
    UnavailableError,
    to_problem,
)
from trenova_errors._restored import CLASSES

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


def test_an_exception_of_anybody_is_answered_without_its_message():
    problem = to_problem(RuntimeError(SECRET))

    assert 500 <= problem.status <= 599
    assert SECRET not in json.dumps(problem.body)
