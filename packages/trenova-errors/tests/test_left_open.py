"""Evidence that something was sent wins wherever it is, and over everything that is not known for sure."""

import asyncio
import errno

import asyncpg
import grpc
import httpx
import psycopg
import pytest
import sqlalchemy.exc
import sqlalchemy.orm.exc
from psycopg import errors as postgres
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ErrorKind, RetryableError, Rule, RuleSet, classify, sending
from trenova_errors._left_open import _REFUSED
from trenova_errors._type_decisions import TYPES


class OwnError(Exception):
    """Something that no table has."""


def within(error: BaseException, *, cause: BaseException | None = None) -> BaseException:
    with pytest.raises(type(error)) as caught, sending("A"):
        raise error from cause
    return caught.value


def while_handling(first: BaseException, second: BaseException) -> BaseException:
    with pytest.raises(type(second)) as caught:
        try:
            raise first
        finally:
            raise second
    return caught.value


@pytest.mark.parametrize(
    "later",
    [
        ConnectionResetError(),
        ConnectionRefusedError(errno.ECONNREFUSED, ""),
        TimeoutError(),
        OwnError(),
        TypeError(),
        OSError(),
        postgres.SerializationFailure(),
        postgres.TooManyConnections(),
        httpx.HTTPStatusError("", request=httpx.Request("GET", "http://x/"), response=httpx.Response(503)),
        ExceptionGroup("", [TimeoutError()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_answer_stays_lost_whatever_fails_after_it(later):
    error = while_handling(within(ConnectionResetError()), later)

    found = classify(error)
    assert (found.kind, found.retryable) == (ErrorKind.AMBIGUOUS, False)
    assert found.reason.count("after A was sent") == 1
    assert classify(error, idempotent=True).retryable


def test_it_stays_lost_behind_from_none_and_beside_a_cause():
    hidden = while_handling(within(ConnectionResetError()), TimeoutError())
    hidden.__suppress_context__ = True
    beside = while_handling(within(ConnectionResetError()), TimeoutError())
    beside.__cause__ = OSError(errno.ENETDOWN, "")
    grouped = while_handling(ExceptionGroup("", [within(ConnectionResetError())]), TimeoutError())

    assert [classify(one).kind for one in (hidden, beside, grouped)] == [ErrorKind.AMBIGUOUS] * 3


def test_a_time_out_around_the_block_finds_the_cancellation_inside():
    async def late() -> None:
        async with asyncio.timeout(0.01):
            with sending("A"):
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(late())

    assert classify(caught.value).kind is ErrorKind.AMBIGUOUS


@pytest.mark.parametrize(
    "first",
    [postgres.SerializationFailure(), ConnectionRefusedError(), postgres.UniqueViolation(), TypeError()],
    ids=lambda error: type(error).__name__,
)
def test_what_surely_did_nothing_is_no_evidence_for_what_fails_after_it(first):
    assert classify(while_handling(within(first), ConnectionResetError())).kind is ErrorKind.UNAVAILABLE


def test_a_permanent_failure_a_rule_and_an_error_with_a_type_are_not_overruled():
    lost = within(ConnectionResetError())
    rules = RuleSet([Rule(name="mine", kind=ErrorKind.RETRYABLE, types=(OwnError,))])

    assert classify(while_handling(lost, postgres.UndefinedTable())).kind is ErrorKind.CONFIGURATION
    assert classify(while_handling(lost, OwnError()), rules=rules).kind is ErrorKind.RETRYABLE
    assert classify(while_handling(lost, RetryableError("x"))).kind is ErrorKind.RETRYABLE


@pytest.mark.parametrize(
    "error",
    [
        OwnError(),
        ValueError(),
        OSError(),
        psycopg.InterfaceError(),
        asyncpg.InterfaceError(""),
        asyncpg.InternalClientError(),
        sqlalchemy.exc.InterfaceError("COMMIT", {}, OwnError()),
        RPCError("", RPCStatusCode.UNKNOWN, b""),
        RPCError("", RPCStatusCode.INTERNAL, b""),
        grpc.RpcError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_nobody_knows_leaves_the_outcome_open_in_the_block(error):
    found = classify(within(error))

    assert (found.kind, found.retryable) == (ErrorKind.AMBIGUOUS, False)
    assert found.reason.count("after A was sent") == 1


def test_what_nobody_knows_is_still_counted_as_unclassified():
    assert classify(within(OwnError())).unclassified


def test_evidence_below_a_wrapper_that_decides_counts():
    wrapper = sqlalchemy.exc.OperationalError("COMMIT", {}, Exception())
    wrapper.__cause__ = within(OwnError())

    assert classify(wrapper).kind is ErrorKind.AMBIGUOUS
    own = OwnError()
    own.__cause__ = within(OwnError())
    assert classify(own).kind is ErrorKind.AMBIGUOUS


@pytest.mark.parametrize("error", [TypeError(), AttributeError(), KeyError(), AssertionError(), ZeroDivisionError()])
def test_a_mistake_in_code_is_none_of_the_other_side_s(error):
    found = classify(within(error))

    assert (found.kind, found.unclassified) == (ErrorKind.RETRYABLE, True)
    assert classify(while_handling(OwnError(), within(error))).kind is ErrorKind.RETRYABLE
    own = OwnError()
    own.__cause__ = within(error)
    assert classify(own).kind is ErrorKind.RETRYABLE


@pytest.mark.parametrize(
    "error",
    [sqlalchemy.orm.exc.StaleDataError(), postgres.DeadlockDetected(), RPCError("", RPCStatusCode.ABORTED, b"")],
)
def test_what_was_surely_refused_may_be_tried_again(error):
    assert classify(within(error)).kind is ErrorKind.RETRYABLE


def test_what_the_driver_knows_for_sure_counts_more_than_its_wrapper():
    driver = postgres.SerializationFailure()
    error = within(sqlalchemy.exc.OperationalError("COMMIT", {}, driver), cause=driver)

    assert (classify(error).kind, classify(error).source) == (ErrorKind.RETRYABLE, "SQLSTATE 40001")


def test_types_that_refuse_stand_in_the_tables_as_retryable():
    assert {name: TYPES[name][0].kind for name in _REFUSED} == dict.fromkeys(_REFUSED, ErrorKind.RETRYABLE)
