import pytest
import temporalio.exceptions
from errors_scenarios import SECRET, Order
from pydantic import ValidationError
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
    PayloadConverter,
)

from trenova_errors import InvalidInputError, UnavailableError
from trenova_errors._failures import lifting


def _caused(error, *causes):
    for cause in causes:
        error.__cause__ = cause
        error = cause
    return error


def _failure(error, base=DefaultFailureConverter):
    failure = Failure()
    lifting(base)().to_failure(error, PayloadConverter.default, failure)
    return failure


def _wrapper(*causes, message="Failed decoding arguments", **options):
    wrapper = temporalio.exceptions.ApplicationError(message, **options)
    _caused(wrapper, *causes)
    return wrapper


def test_a_typed_cause_is_lifted_out_of_the_wrapper():
    failure = _failure(_wrapper(RuntimeError("between"), InvalidInputError("orderCount: Field required")))

    assert (failure.message, failure.application_failure_info.type) == (
        "orderCount: Field required",
        "invalid_input",
    )
    assert failure.application_failure_info.non_retryable


def test_a_wrapper_of_heartbeat_details_takes_the_retryability_of_its_cause():
    failure = _failure(
        _wrapper(UnavailableError("no key"), message="Failed decoding heartbeat details", non_retryable=True)
    )

    assert failure.application_failure_info.type == "unavailable"
    assert not failure.application_failure_info.non_retryable


def test_a_wrapper_without_a_typed_cause_is_unavailable_and_keeps_the_cause():
    failure = _failure(_wrapper(KeyError("Unknown payload encoding binary/encrypted")))

    assert failure.application_failure_info.type == "unavailable"
    assert not failure.application_failure_info.non_retryable
    assert "KeyError" in failure.message
    assert "binary/encrypted" in failure.cause.message


def test_causes_that_go_round_in_a_circle_end():
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__ = second
    second.__cause__ = first
    wrapper = _wrapper(first)

    from trenova_errors._failures import presentable

    assert isinstance(presentable(wrapper), UnavailableError)


def test_an_untyped_error_of_the_application_is_not_touched():
    failure = _failure(_wrapper(InvalidInputError("below"), message="My own decision"))

    assert (failure.message, failure.application_failure_info.type) == ("My own decision", "")
    assert failure.cause.application_failure_info.type == "invalid_input"


def test_a_validation_error_below_is_told_without_its_input():
    error = RuntimeError("above")
    try:
        Order.model_validate({"orderCount": SECRET})
    except ValidationError as below:
        error.__cause__ = below

    cause = _failure(error).cause

    assert cause.message == "orderCount: Input should be a valid integer, unable to parse string as an integer"
    assert cause.application_failure_info.type == "ValidationError"
    assert "model_validate" in cause.stack_trace


def test_encoded_attributes_stay_encoded():
    failure = _failure(_wrapper(InvalidInputError("below")), DefaultFailureConverterWithEncodedAttributes)

    assert (failure.message, failure.application_failure_info.type) == ("Encoded failure", "invalid_input")
    assert failure.HasField("encoded_attributes")
    restored = lifting(DefaultFailureConverterWithEncodedAttributes)().from_failure(failure, PayloadConverter.default)
    assert restored.message == "below"


def test_a_converter_is_derived_from_once():
    derived = lifting(DefaultFailureConverter)

    assert lifting(derived) is derived
    assert derived is lifting(DefaultFailureConverter)


def test_a_converter_of_somebody_else_is_asked_for_everything_else():
    class Counting(FailureConverter):
        seen: list[str] = []  # noqa: RUF012

        def to_failure(self, exception, payload_converter, failure):
            self.seen.append(type(exception).__name__)

        def from_failure(self, failure, payload_converter):
            return ValueError("from there")

    converter = lifting(Counting)()

    converter.to_failure(_wrapper(InvalidInputError("x")), PayloadConverter.default, Failure())
    assert Counting.seen == ["InvalidInputError"]
    with pytest.raises(ValueError, match="from there"):
        raise converter.from_failure(Failure(), PayloadConverter.default)
