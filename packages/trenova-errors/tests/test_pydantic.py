import json
import pickle
from typing import Annotated, Literal
from uuid import UUID

import pydantic.dataclasses
import pytest
from errors_scenarios import SECRET, Order
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter

from trenova_errors import InvalidInputError
from trenova_errors.pydantic import InputPayloadConverter, refusing

CONVERTER = InputPayloadConverter()


class Patient(PydanticPayloadConverter):
    """A converter of somebody else, with options of its own."""

    def __init__(self) -> None:
        super().__init__(max_cached_type_adapters=3)


class Account(BaseModel):
    password: SecretStr
    pin: str = "0000"
    labels: dict[str, int] = {}

    @field_validator("password")
    @classmethod
    def _echo(cls, value: SecretStr) -> SecretStr:
        raise ValueError(f"{value.get_secret_value()} is too weak")

    @field_validator("pin")
    @classmethod
    def _custom(cls, value: str) -> str:
        raise PydanticCustomError("weak_pin", "the pin {pin} is known", {"pin": value})


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    key: UUID | None = None


@pydantic.dataclasses.dataclass
class Pair:
    left: int


def _json(value):
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def _raw(encoding, data=b""):
    return Payload(metadata={"encoding": encoding}, data=data)


def _refused(payload, hint):
    with pytest.raises(InvalidInputError) as caught:
        CONVERTER.from_payload(payload, hint)
    error = caught.value
    assert (error.type, error.code, error.non_retryable) == ("invalid_input", "payload", True)
    assert error.__cause__ is None
    assert error.__context__ is None
    return error.message


def test_what_validates_is_decoded_as_before():
    assert CONVERTER.from_payload(_json({"orderCount": 3}), Order) == Order(order_count=3)
    assert CONVERTER.from_payloads([_json(1), _json("a")]) == [1, "a"]
    assert CONVERTER.from_payload(CONVERTER.to_payload(None)) is None


def test_each_problem_is_listed_under_its_name_on_the_wire():
    message = _refused(_json({"orderCount": 500, "options": {"copyNotes": "perhaps"}}), Order)

    assert message == (
        "orderCount: Input should be less than or equal to 100; "
        "options.copyNotes: Input should be a valid boolean, unable to interpret input"
    )


def test_a_missing_field_is_named():
    assert _refused(_json({}), Order) == "orderCount: Field required"


def test_one_of_several_arguments_is_numbered():
    with pytest.raises(InvalidInputError, match="argument 2: orderCount: Field required"):
        CONVERTER.from_payloads([_json(1), _json({})], [int, Order])


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (_raw(b"json/plain", b"not json"), "Invalid JSON"),
        (_raw(b"json/plain"), "Invalid JSON"),
        (_json(None), "Input should be an object"),
        (_json([1]), "Input should be an object"),
        (_raw(b"binary/null"), "Input should be a valid dictionary or instance of Order"),
        (_raw(b"binary/null", b"x"), "Input does not match its encoding 'binary/null'"),
        (_raw(b"binary/plain", b"abc"), "Input should be a valid dictionary or instance of Order"),
        (_raw(b"json/protobuf", b"{}"), "Input does not match its encoding 'json/protobuf'"),
        (_raw(b"binary/protobuf", b"x"), "Input does not match its encoding 'binary/protobuf'"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.metadata["encoding"].decode(),
)
def test_what_is_no_object_is_refused_where_a_model_is_expected(payload, expected):
    assert expected in _refused(payload, Order)


@pytest.mark.parametrize("hint", [list[Order], Order | Pair, Pair])
def test_bytes_are_refused_wherever_a_model_is_part_of_the_type(hint):
    assert "Input should be" in _refused(_raw(b"binary/plain", b"abc"), hint)


def test_null_is_a_value_where_the_type_says_so():
    assert CONVERTER.from_payload(_raw(b"binary/null"), Order | None) is None


@pytest.mark.parametrize("hint", [None, str, bytes, dict])
def test_where_no_model_is_expected_null_and_bytes_are_decoded_as_before(hint):
    assert CONVERTER.from_payload(_raw(b"binary/null"), hint) is None
    assert CONVERTER.from_payload(_raw(b"binary/plain", b"abc"), hint) == b"abc"


def test_a_raw_value_is_passed_on_whatever_it_holds():
    payload = _raw(b"json/plain", b"not json")

    assert CONVERTER.from_payload(payload, RawValue) == RawValue(payload)


def test_an_unknown_encoding_stays_retryable():
    with pytest.raises(KeyError, match="Unknown payload encoding binary/encrypted"):
        CONVERTER.from_payload(_raw(b"binary/encrypted", b"abc"), Order)


def test_a_secret_in_the_input_is_not_repeated():
    payload = _json({"orderCount": SECRET, "apiKey": {"nested": SECRET}, "options": SECRET})

    assert SECRET not in _refused(payload, Order)


def test_a_value_that_a_validator_repeats_is_blotted_out():
    assert _refused(_json({"password": SECRET, "pin": "4711"}), Account) == (
        "password: Value error, <value> is too weak; pin: the pin <value> is known"
    )
    assert "the key <value> is known to the public" in _refused(_json({"orderCount": 1, "apiKey": SECRET}), Order)


def test_messages_of_pydantic_that_hold_input_are_replaced():
    assert _refused(_json({"pet": {"kind": SECRET}, "key": SECRET}), Owner) == (
        "pet: Input tag does not match any of the expected tags; key: Input should be a valid UUID"
    )


def test_a_long_key_of_a_mapping_is_no_part_of_the_path():
    assert "labels.*: Input should be a valid integer" in _refused(_json({"labels": {"k" * 65: "x"}}), Account)


def test_the_text_is_bounded():
    message = _refused(_json([{"orderCount": 0}] * 5000), list[Order])

    assert message.startswith("0.orderCount: Input should be greater than or equal to 1; ")
    assert message.endswith("and 4990 more")
    assert len(message) < 3000


def test_a_converter_with_options_keeps_them():
    derived = refusing(Patient)

    with pytest.raises(InvalidInputError):
        derived().from_payload(_json({}), Order)
    assert issubclass(derived, Patient)
    assert derived is refusing(Patient)
    assert pickle.loads(pickle.dumps(derived)) is derived


def test_a_converter_that_refuses_already_is_left_as_it_is():
    class Own(InputPayloadConverter):
        pass

    assert refusing(Own) is Own
    assert refusing(InputPayloadConverter) is InputPayloadConverter
