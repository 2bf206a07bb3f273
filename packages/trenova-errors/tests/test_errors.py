import copy
import pickle
from datetime import timedelta
from uuid import UUID

import pytest
import temporalio.exceptions
from errors_scenarios import ONE_OF_EACH

from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ErrorKind,
    ResourceNotFoundError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)


class UnknownKeyError(ApplicationError):
    kind = ErrorKind.UNAVAILABLE
    code = "codec.unknown_key"


class KindOnlyError(ApplicationError):
    kind = ErrorKind.CONFLICT


class OtherArgumentsError(RetryableError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host} does not answer on {port}", host=host, port=port)
        self.port = port


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("holds a function")
        self.function = lambda: None


def _copies(error):
    return [pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)]


@pytest.mark.parametrize("cls", ONE_OF_EACH.values())
def test_every_class_survives_pickling_and_copying(cls):
    error = cls("broken", retry_after=timedelta(seconds=3), answer=42)
    error.__cause__ = ValueError("below")
    error.add_note("while testing")

    for other in _copies(error):
        assert type(other) is cls
        assert (str(other), other.message, other.details) == (str(error), "broken", error.details)
        assert (other.type, other.non_retryable, other.category) == (error.type, error.non_retryable, error.category)
        assert (other.facts, other.next_retry_delay) == ({"answer": 42}, timedelta(seconds=3))
        assert repr(other.__cause__) == "ValueError('below')"
        assert other.__notes__ == ["while testing"]


def test_a_subclass_with_other_arguments_survives_pickling_and_copying():
    for other in _copies(OtherArgumentsError("db", 5432)):
        assert type(other) is OtherArgumentsError
        assert (other.message, other.port, other.facts["port"]) == ("db does not answer on 5432", 5432, 5432)


def test_whether_the_context_is_shown_survives_pickling():
    shown, hidden = RetryableError("a"), RetryableError("b")
    hidden.__suppress_context__ = True

    assert [pickle.loads(pickle.dumps(error)).__suppress_context__ for error in (shown, hidden)] == [False, True]


def test_a_cause_that_does_not_pickle_is_kept_as_the_wire_would_keep_it():
    error = RetryableError("broken")
    error.__cause__ = UnpicklableError()

    cause = pickle.loads(pickle.dumps(error)).__cause__

    assert (type(cause), cause.type, cause.message) == (
        temporalio.exceptions.ApplicationError,
        "UnpicklableError",
        "holds a function",
    )


def test_a_subclass_adds_its_own_code():
    error = UnknownKeyError("no key", key_id="k1")

    assert (error.type, error.non_retryable) == ("unavailable", False)
    assert error.details == ({"code": "codec.unknown_key", "facts": {"key_id": "k1"}},)


def test_a_subclass_without_a_code_has_that_of_its_kind():
    assert KindOnlyError("no").details == ({"code": "conflict", "facts": {}},)


def test_a_subclass_of_a_kind_keeps_kind_and_code():
    class StillUnavailableError(UnavailableError):
        pass

    error = StillUnavailableError("no")

    assert (error.type, error.code) == ("unavailable", "unavailable")


def test_an_ambiguous_outcome_is_retried_only_where_that_does_no_harm():
    assert AmbiguousOutcomeError("who knows").non_retryable
    assert not AmbiguousOutcomeError("who knows", idempotent=True).non_retryable


def test_the_delay_travels_as_the_next_retry_delay():
    assert ThrottledError("later", retry_after=timedelta(seconds=7)).next_retry_delay == timedelta(seconds=7)


def test_a_missing_resource_names_its_type_its_id_and_where_it_was_looked_for():
    error = ResourceNotFoundError.of("shipment", "shp_1", organization_id="org_2")

    assert error.message == ("No shipment with id 'shp_1', organization_id 'org_2'. Check the id and where it belongs.")
    assert error.facts == {"resource_type": "shipment", "resource_id": "shp_1", "organization_id": "org_2"}


def test_facts_are_small_and_fit_json():
    key = UUID("00000000-0000-0000-0000-000000000001")

    facts = RetryableError("no", key=key, ratio=float("nan"), text="x" * 1000).facts

    assert facts == {"key": str(key), "ratio": "nan", "text": "x" * 500}


def test_a_fact_may_be_called_message():
    assert RetryableError("no", message="inner").facts == {"message": "inner"}
