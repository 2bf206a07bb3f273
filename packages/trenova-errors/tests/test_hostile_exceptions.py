"""Exceptions that nobody would write on purpose: a decision about them never fails and never repeats their text."""

import asyncio
import errno
import socket
import sqlite3
import threading
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from types import SimpleNamespace

import pytest
import temporalio.exceptions
from hypothesis import given, settings
from hypothesis import strategies as st

from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    Classification,
    ErrorKind,
    InvalidInputError,
    RetryableError,
    UnavailableError,
    classify,
    sending,
)

SECRET = "hunter2hunter2"
ATTRIBUTES = (
    *("sqlstate", "pgcode", "sqlite_errorname", "grpc_status_code", "status", "code", "status_code", "response"),
    *("smtp_code", "recipients", "errno", "orig", "headers", "request", "raw_grpc_status", "trailing_metadata"),
    *(
        "__trenova_sent__",
        "reason",
        "__cause__",
        "__context__",
        "__suppress_context__",
        "__module__",
        "type",
        "details",
    ),
)


class RaisesOnEveryAttribute(Exception):  # noqa: N818 - named for what it does
    def __getattr__(self, name: str):
        raise RuntimeError(SECRET)


def with_broken_property(name: str) -> Exception:
    def broken(self):
        raise ValueError(SECRET)

    return type("Broken", (Exception,), {name: property(broken)})(SECRET)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_that_fails_says_nothing(name):
    found = classify(with_broken_property(name))

    assert found.unclassified
    assert SECRET not in repr(found)


def test_an_exception_without_a_single_attribute_is_unclassified():
    assert classify(RaisesOnEveryAttribute(SECRET)).unclassified


@pytest.mark.parametrize("name", ["code", "status", "status_code"])
@pytest.mark.parametrize(
    "value",
    [None, "", "404", SECRET, 404.0, True, -404, 0, 99, 600, 10**4000, object(), [404], {"code": 404}, b"404", int],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_status_is_not_read_as_one(name, value):
    error = RuntimeError(SECRET)
    setattr(error, name, value)

    assert classify(error).unclassified


@pytest.mark.parametrize("name", ["code", "status", "status_code"])
@pytest.mark.parametrize("status", [HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE, 404, 503, 418])
def test_a_status_may_be_a_number_or_the_enum_of_the_standard_library(name, status):
    error = RuntimeError(SECRET)
    setattr(error, name, status)

    assert classify(error).source == f"HTTP {int(status)}"


@pytest.mark.parametrize("number", [-2, 0, 99_999, 2**70, "2", None, [2], 2.0], ids=repr)
@pytest.mark.parametrize("cls", [OSError, ConnectionError, socket.gaierror])
def test_an_errno_that_no_system_knows_leaves_the_type_to_decide(cls, number):
    error = cls(number, SECRET)

    assert classify(error).source.startswith("type builtins.OSError" if cls is OSError else "type ") or (
        cls is socket.gaierror and number == socket.EAI_NONAME
    )


def test_a_method_that_merely_has_the_name_of_one_of_grpc_is_not_called():
    called = threading.Event()

    class Fuse(Exception):  # noqa: N818
        def code(self):
            called.set()
            return SimpleNamespace(name="UNAVAILABLE")

        trailing_metadata = code

    assert classify(Fuse()).unclassified
    assert not called.is_set()


@pytest.mark.parametrize("state", ["hunte", "4000", "400011", "40 01", "", b"40001", 40001, ["40001"]], ids=repr)
def test_what_is_no_sqlstate_is_not_read_as_one(state):
    error = RuntimeError()
    error.sqlstate = state

    assert classify(error).unclassified


def test_a_result_code_of_sqlite_is_repeated_only_in_its_own_alphabet():
    error = sqlite3.OperationalError()
    error.sqlite_errorname = f"SQLITE_BUSY_{SECRET}"

    found = classify(error)
    assert found.source == "type sqlite3.OperationalError"
    assert SECRET not in repr(found)


@dataclass(frozen=True)
class FrozenError(Exception):
    place: str


class SlottedError(ConnectionError):
    __slots__ = ("place",)


class UnwillingError(ConnectionError):
    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


@pytest.mark.parametrize("error", [SlottedError(), UnwillingError(), ConnectionResetError(errno.ECONNRESET, "")])
def test_evidence_is_left_on_any_exception(error):
    with pytest.raises(ConnectionError) as caught, sending("COMMIT"):
        raise error

    assert classify(caught.value).kind is ErrorKind.AMBIGUOUS


def test_evidence_does_not_hide_what_escapes():
    with pytest.raises(FrozenError), sending("COMMIT"):
        raise FrozenError("here")
    with pytest.raises(RaisesOnEveryAttribute), sending("COMMIT"):
        raise RaisesOnEveryAttribute


def test_the_innermost_block_names_what_was_sent():
    with pytest.raises(TimeoutError) as caught, sending("the batch"), sending("COMMIT"):
        raise TimeoutError

    assert "after COMMIT was sent" in classify(caught.value).reason


def nested(depth: int, innermost: BaseException) -> BaseException:
    for _ in range(depth):
        innermost = BaseExceptionGroup("x", [innermost])
    return innermost


def test_groups_a_thousand_deep_are_looked_through():
    found = classify(nested(1000, InvalidInputError("x")))

    assert found.kind is ErrorKind.INVALID_INPUT


def test_evidence_on_a_group_in_between_counts_for_its_members():
    with pytest.raises(BaseExceptionGroup) as caught, sending("COMMIT"):
        raise nested(3, ConnectionResetError())

    assert classify(nested(3, caught.value)).kind is ErrorKind.AMBIGUOUS


def test_groups_that_are_causes_of_each_other_a_thousand_times_end():
    error: BaseException = InvalidInputError("x")
    for _ in range(1000):
        outer = RuntimeError()
        outer.__cause__ = ExceptionGroup("x", [error])
        error = outer

    assert classify(error).unclassified


def test_a_group_that_is_the_cause_of_its_own_member_ends():
    member = RuntimeError()
    member.__cause__ = ExceptionGroup("x", [member, TimeoutError()])

    assert classify(member).kind is ErrorKind.UNAVAILABLE
    assert classify(member.__cause__).kind is ErrorKind.UNAVAILABLE


def test_groups_that_share_their_members_are_weighed_once():
    group = ExceptionGroup("x", [TimeoutError()])
    for _ in range(200):
        group = ExceptionGroup("x", [group, group])

    assert classify(group).kind is ErrorKind.UNAVAILABLE


def test_members_that_share_a_cause_do_not_make_it_a_failure_nobody_decided_about():
    cause = asyncio.CancelledError()
    members = [RuntimeError(), RuntimeError()]
    for member in members:
        member.__cause__ = cause

    assert classify(ExceptionGroup("x", members)).failure is False


def test_ten_thousand_members_are_weighed_by_the_worst():
    found = classify(ExceptionGroup("x", [*(TimeoutError() for _ in range(10_000)), InvalidInputError("x")]))

    assert found.kind is ErrorKind.INVALID_INPUT


values = st.one_of(
    st.none(),
    st.integers(),
    st.integers(min_value=390, max_value=610),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.just(SECRET),
    st.binary(max_size=40),
    st.sampled_from([*HTTPStatus, object(), int, SimpleNamespace(name="UNAVAILABLE"), SimpleNamespace(code=450)]),
    st.dictionaries(
        st.sampled_from(["Error", "Code", "ResponseMetadata", "HTTPStatusCode", "HTTPHeaders", "Retry-After"]),
        st.one_of(st.just(SECRET), st.integers(), st.dictionaries(st.just("Code"), st.just(SECRET))),
    ),
    st.lists(st.integers(), max_size=2),
    st.builds(lambda value: lambda *_: value, st.just(SECRET)),
    st.builds(lambda delay: SimpleNamespace(headers={"Retry-After": delay}, status_code=429), st.text(max_size=12)),
)
plain = st.sampled_from(
    [
        *(Exception, RuntimeError, TypeError, KeyError, OSError, ConnectionResetError, TimeoutError, socket.gaierror),
        *(sqlite3.OperationalError, asyncio.CancelledError, KeyboardInterrupt, RecursionError, MemoryError),
        *(RetryableError, UnavailableError, AmbiguousOutcomeError, InvalidInputError, RaisesOnEveryAttribute),
        *(temporalio.exceptions.ApplicationError, SlottedError),
    ]
)


@st.composite
def exceptions(draw: st.DrawFn) -> BaseException:
    """Draw a few exceptions, decorated at random, and tie them to each other at random, cycles included."""
    pool: list[BaseException] = []
    for _ in range(draw(st.integers(1, 6))):
        if pool and draw(st.booleans()):
            pool.append(BaseExceptionGroup(SECRET, draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))))
            continue
        made = draw(plain)(SECRET)
        for name in draw(st.lists(st.sampled_from(ATTRIBUTES[:16]), max_size=3, unique=True)):
            value = draw(values)
            if isinstance(made, ApplicationError) and name == "code" and isinstance(value, str):
                continue  # the code of an error of ours is there to be shown
            try:
                setattr(made, name, value)
            except (AttributeError, TypeError):
                continue
        pool.append(made)
    for one in pool:
        one.__cause__ = draw(st.none() | st.sampled_from(pool))
        one.__context__ = draw(st.none() | st.sampled_from(pool))
        one.__suppress_context__ = draw(st.booleans())
    return draw(st.sampled_from(pool))


@settings(max_examples=200, deadline=None)
@given(error=exceptions(), idempotent=st.booleans())
def test_no_chain_of_exceptions_fails_to_be_classified_or_gets_its_text_repeated(error, idempotent):
    found = classify(error, idempotent=idempotent)

    assert isinstance(found, Classification)
    assert isinstance(found.code, str)
    assert SECRET not in repr(found)
    assert isinstance(found.exception, BaseException)
    assert found.retry_after is None or timedelta(0) <= found.retry_after <= timedelta(hours=1, seconds=30)
    assert not (found.retryable and found.kind.permanent)
