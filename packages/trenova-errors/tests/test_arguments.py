import functools

import pytest
from errors_scenarios import Order
from temporalio.converter import PayloadConverter

from trenova_errors import InvalidInputError
from trenova_errors._arguments import fit
from trenova_errors.pydantic import InputPayloadConverter


def none():
    pass


def one(order: Order):
    pass


def one_or_two(order: Order, note: str = "none"):
    pass


def untyped(order, note="none"):
    pass


def any_number(order: Order, *notes: str):
    pass


class Callable:
    def __call__(self, order: Order, note: str = "none"):
        pass

    def method(self, order: Order):
        pass


def _fit(fn, args, **options):
    return fit(fn, args, InputPayloadConverter, subject="Activity 'x'", **options)


def _unused() -> PayloadConverter:
    raise AssertionError


@pytest.mark.parametrize(
    ("fn", "args", "expected"),
    [
        (none, [1], "Activity 'x' takes 0 arguments, got 1."),
        (one, [], "Activity 'x' takes 1 argument (order), got 0."),
        (one, [1, 2], "Activity 'x' takes 1 argument (order), got 2."),
        (one_or_two, [], "Activity 'x' takes 1 to 2 arguments (order, note), got 0."),
        (one_or_two, [1, 2, 3], "Activity 'x' takes 1 to 2 arguments (order, note), got 3."),
        (any_number, [], "Activity 'x' takes 1 to any number of arguments (order), got 0."),
        (Callable(), [], "Activity 'x' takes 1 to 2 arguments (order, note), got 0."),
        (Callable().method, [], "Activity 'x' takes 1 argument (order), got 0."),
    ],
)
def test_a_number_of_arguments_that_does_not_fit_is_refused(fn, args, expected):
    with pytest.raises(InvalidInputError) as caught:
        _fit(fn, args)

    assert caught.value.message.startswith(expected)
    assert (caught.value.code, caught.value.facts["given"]) == ("argument_count", len(args))


@pytest.mark.parametrize(
    ("fn", "args"), [(none, []), (one, ["a"]), (one_or_two, ["a", "b"]), (any_number, ["a", "b", "c"])]
)
def test_arguments_that_were_decoded_with_their_types_are_passed_on(fn, args):
    assert fit(fn, args, _unused, subject="Activity 'x'") is args


def test_self_is_no_argument_of_the_caller():
    assert _fit(Callable.method, ["a"], unbound=True) == ["a"]


@pytest.mark.parametrize("fn", [one_or_two, Callable(), functools.wraps(one_or_two)(lambda *args: None)])
def test_where_a_default_is_left_out_the_others_get_their_types_back(fn):
    assert _fit(fn, [{"orderCount": 3}]) == [Order(order_count=3)]
    with pytest.raises(InvalidInputError, match="orderCount: Field required"):
        _fit(fn, [{}])


def test_where_there_are_no_types_the_arguments_are_passed_on():
    assert fit(untyped, ["a"], _unused, subject="Activity 'x'") == ["a"]
