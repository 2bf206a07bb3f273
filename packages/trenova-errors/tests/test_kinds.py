import pytest
from errors_scenarios import ONE_OF_EACH
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationErrorCategory

from trenova_errors import PERMANENT_KINDS, ErrorKind

WIRE = {
    "retryable": False,
    "throttle": False,
    "unavailable": False,
    "ambiguous": False,
    "non_retryable": True,
    "invalid_input": True,
    "resource_not_found": True,
    "permission_denied": True,
    "data_integrity": True,
    "conflict": True,
    "configuration": True,
    "payload_too_large": True,
}


def test_each_wire_string_has_exactly_one_retryability():
    assert {kind.value: kind.permanent for kind in ErrorKind} == WIRE


def test_the_permanent_kinds_fit_a_retry_policy():
    assert set(PERMANENT_KINDS) == {wire for wire, permanent in WIRE.items() if permanent}
    assert all(type(kind) is str for kind in PERMANENT_KINDS)
    RetryPolicy(non_retryable_error_types=PERMANENT_KINDS)


def test_each_kind_has_exactly_one_class():
    assert set(ONE_OF_EACH) == set(WIRE)


@pytest.mark.parametrize("kind", ErrorKind)
def test_an_error_carries_what_its_kind_says(kind):
    error = ONE_OF_EACH[kind]("broken", answer=42)

    assert (error.type, error.code, error.message) == (kind.value, kind.value, "broken")
    assert error.details == ({"code": kind.value, "facts": {"answer": 42}},)
    assert error.non_retryable is (kind.permanent or kind is ErrorKind.AMBIGUOUS)
    benign = {"invalid_input", "resource_not_found", "permission_denied", "conflict"}
    assert (error.category is ApplicationErrorCategory.BENIGN) is (kind in benign)
