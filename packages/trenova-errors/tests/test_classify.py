"""Decisions about exceptions as the libraries themselves make them."""

import asyncio
import errno
import json
import logging
import pickle
import socket
import sqlite3
import ssl
from datetime import timedelta
from email.message import Message
from enum import Enum
from urllib.error import HTTPError

import asyncpg
import pydantic
import pytest
import temporalio.exceptions
from botocore.exceptions import CredentialRetrievalError, MetadataRetrievalError
from psycopg import errors as postgres
from sqlalchemy import exc as alchemy
from temporalio.exceptions import ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import (
    AmbiguousOutcomeError,
    ConflictError,
    ErrorKind,
    Rule,
    RuleSet,
    ThrottledError,
    UnavailableError,
    classify,
    sending,
)


def raised(error: BaseException, *, cause: BaseException | None = None, context: BaseException | None = None):
    if cause is not None:
        error.__cause__ = cause
    error.__context__ = context
    return error


@pytest.mark.parametrize(
    ("error", "kind", "source"),
    [
        (postgres.DeadlockDetected(), "retryable", "SQLSTATE 40P01"),
        (postgres.TooManyConnections(), "throttle", "SQLSTATE 53300"),
        (postgres.InvalidPassword(), "configuration", "SQLSTATE 28P01"),
        (postgres.TransactionResolutionUnknown(), "ambiguous", "SQLSTATE 08007"),
        (ConnectionResetError(errno.ECONNRESET, "secret"), "unavailable", "errno ECONNRESET"),
        (ConnectionResetError(), "unavailable", "type builtins.ConnectionError"),
        (TimeoutError(), "unavailable", "type builtins.TimeoutError"),
        (OSError(errno.ENOSPC, "secret"), "unavailable", "errno ENOSPC"),
        (OSError("nothing known"), "retryable", "type builtins.OSError"),
        (FileNotFoundError(errno.ENOENT, "secret"), "configuration", "errno ENOENT"),
        (socket.gaierror(socket.EAI_AGAIN, "secret"), "unavailable", "getaddrinfo EAI_AGAIN"),
        (socket.gaierror(socket.EAI_NONAME, "secret"), "configuration", "getaddrinfo EAI_NONAME"),
        (ssl.SSLCertVerificationError(1, "secret"), "configuration", "type ssl.SSLCertVerificationError"),
        (asyncio.IncompleteReadError(b"", 1), "unavailable", "type asyncio.exceptions.IncompleteReadError"),
        (RPCError("secret", RPCStatusCode.UNAVAILABLE, b""), "unavailable", "gRPC UNAVAILABLE"),
        (RPCError("secret", RPCStatusCode.NOT_FOUND, b""), "resource_not_found", "gRPC NOT_FOUND"),
        (ConflictError("secret"), "conflict", "raised as conflict"),
        (temporalio.exceptions.ApplicationError("secret", type="throttle"), "throttle", "raised as throttle"),
        (temporalio.exceptions.ApplicationError("secret", type="Other"), "retryable", "raised as retryable"),
        (KeyError("secret"), "retryable", "unclassified"),
        (RPCError("secret", RPCStatusCode.PERMISSION_DENIED, b""), "configuration", "gRPC PERMISSION_DENIED"),
        (RPCError("secret", RPCStatusCode.FAILED_PRECONDITION, b""), "non_retryable", "gRPC FAILED_PRECONDITION"),
        (HTTPError("http://x/", 402, "secret", Message(), None), "configuration", "HTTP 402"),
        (HTTPError("http://x/", 403, "secret", Message(), None), "configuration", "HTTP 403"),
        (json.JSONDecodeError("secret", "secret", 0), "data_integrity", "type json.decoder.JSONDecodeError"),
        (UnicodeDecodeError("utf-8", b"secret", 0, 1, ""), "data_integrity", "type builtins.UnicodeDecodeError"),
        (UnicodeEncodeError("ascii", "secret", 0, 1, ""), "invalid_input", "type builtins.UnicodeError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_an_exception_is_decided_by_its_code_or_type_and_its_text_is_never_repeated(error, kind, source):
    found = classify(error)

    assert (found.kind, found.source) == (kind, source)
    assert found.exception is error
    assert "secret" not in repr(found)
    assert found.reason.endswith(".")


def test_the_fields_follow_from_the_kind():
    benign, passing, broken = (classify(error) for error in (ConflictError("x"), TimeoutError(), MemoryError()))

    assert (benign.category, benign.log_level, benign.http_status) == (
        ApplicationErrorCategory.BENIGN,
        logging.INFO,
        409,
    )
    assert (passing.retryable, passing.log_level, passing.http_status) == (True, logging.WARNING, 503)
    assert classify(postgres.UndefinedTable()).log_level == logging.ERROR
    assert broken.runbook == "error-decisions#unavailable"
    assert passing.benign is False
    assert benign.benign is True


def test_a_delay_that_an_error_carries_is_kept_as_it_is():
    assert classify(ThrottledError("x", retry_after=timedelta(seconds=7))).retry_after == timedelta(seconds=7)
    assert classify(ConflictError("x", retry_after=timedelta(seconds=7))).retry_after is None


def test_a_sqlite_lock_is_retryable_by_its_result_code(tmp_path):
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, timeout=0)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
    finally:
        holder.close()
        other.close()

    found = classify(caught.value)
    assert (found.kind, found.code) == (ErrorKind.RETRYABLE, "sqlite.SQLITE_BUSY")


def test_a_violated_constraint_of_sqlite_is_permanent():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError) as caught:
            connection.execute("INSERT INTO t VALUES (1)")
    connection.close()

    assert classify(caught.value).kind is ErrorKind.DATA_INTEGRITY


def test_input_that_does_not_validate_is_the_caller_s():
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(int).validate_python("secret")

    found = classify(caught.value)
    assert found.kind is ErrorKind.INVALID_INPUT
    assert "secret" not in found.reason


def test_a_wrapper_asks_what_it_wraps():
    wrapped = alchemy.OperationalError("SELECT secret", {}, postgres.DeadlockDetected())
    found = classify(raised(wrapped, cause=wrapped.orig))

    assert found.source == "SQLSTATE 40P01"


def test_a_wrapper_that_wraps_nothing_known_decides_itself():
    found = classify(alchemy.OperationalError("SELECT 1", {}, Exception()))

    assert (found.kind, found.source) == (ErrorKind.UNAVAILABLE, "type sqlalchemy.exc.OperationalError")


def test_an_error_out_of_a_pickle_still_tells_what_it_wrapped():
    wrapped = pickle.loads(pickle.dumps(alchemy.OperationalError("SELECT 1", {}, sqlite3.OperationalError())))

    assert classify(wrapped).source == "type sqlite3.OperationalError"


def test_the_outermost_that_says_something_definite_decides():
    found = classify(raised(UnavailableError("x"), cause=postgres.UniqueViolation()))

    assert found.kind is ErrorKind.UNAVAILABLE


def test_an_unknown_exception_is_looked_through():
    assert classify(raised(RuntimeError(), cause=postgres.DeadlockDetected())).source == "SQLSTATE 40P01"
    assert classify(raised(RuntimeError(), context=TimeoutError())).kind is ErrorKind.UNAVAILABLE


def test_a_mistake_in_code_is_not_blamed_on_what_was_being_handled():
    assert classify(raised(TypeError(), context=TimeoutError())).unclassified
    assert classify(raised(TypeError(), cause=TimeoutError())).kind is ErrorKind.UNAVAILABLE


def test_a_suppressed_context_is_left_alone():
    error = raised(RuntimeError(), context=TimeoutError())
    error.__suppress_context__ = True

    assert classify(error).unclassified


def test_a_cycle_of_causes_ends():
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first

    assert classify(first).unclassified


def test_a_chain_of_ten_thousand_causes_ends():
    innermost = error = RuntimeError()
    for _ in range(10_000):
        error = raised(RuntimeError(), cause=error)

    assert classify(error).unclassified
    assert innermost is not error


def test_of_a_group_the_permanent_member_weighs_most():
    group = ExceptionGroup("x", [TimeoutError(), postgres.UndefinedTable(), AmbiguousOutcomeError("x")])

    assert classify(group).source == "SQLSTATE 42P01"
    assert classify(ExceptionGroup("x", [TimeoutError(), AmbiguousOutcomeError("x")])).kind is ErrorKind.AMBIGUOUS
    assert classify(raised(RuntimeError(), cause=group)).source == "SQLSTATE 42P01"


def test_of_a_group_the_longest_delay_is_kept():
    waits = [ThrottledError("x", retry_after=timedelta(seconds=seconds)) for seconds in (3, 9, 5)]

    assert classify(ExceptionGroup("x", waits)).retry_after == timedelta(seconds=9)


def test_a_cancellation_is_no_failure_even_in_a_group_or_under_an_activity():
    for error in (asyncio.CancelledError(), temporalio.exceptions.CancelledError()):
        found = classify(error)
        assert (found.failure, found.code, found.retryable, found.log_level) == (
            False,
            "cancelled",
            False,
            logging.DEBUG,
        )
    group = BaseExceptionGroup("x", [asyncio.CancelledError(), TimeoutError()])
    assert classify(group).kind is ErrorKind.UNAVAILABLE
    assert classify(group).failure


@pytest.mark.parametrize(
    ("of", "kind"),
    [("START_TO_CLOSE", "ambiguous"), ("HEARTBEAT", "ambiguous"), ("SCHEDULE_TO_START", "unavailable")],
)
def test_a_time_out_of_temporal_is_ambiguous_only_where_work_had_begun(of, kind):
    error = temporalio.exceptions.TimeoutError(
        "x", type=temporalio.exceptions.TimeoutType[of], last_heartbeat_details=[]
    )

    assert classify(error).kind == kind


def test_an_unknown_outcome_is_tried_again_only_by_what_is_idempotent():
    error = postgres.StatementCompletionUnknown()

    assert classify(error).retryable is False
    assert classify(error, idempotent=True).retryable is True
    assert classify(AmbiguousOutcomeError("x"), idempotent=True).retryable is True
    assert classify(AmbiguousOutcomeError("x", idempotent=True)).retryable is True


def test_a_lost_connection_is_ambiguous_only_with_evidence_that_something_was_sent():
    with pytest.raises(ConnectionResetError) as caught, sending("COMMIT"):
        raise ConnectionResetError

    assert classify(ConnectionResetError()).kind is ErrorKind.UNAVAILABLE
    found = classify(caught.value)
    assert found.kind is ErrorKind.AMBIGUOUS
    assert "after COMMIT was sent" in found.reason


def test_what_the_database_says_for_sure_stays_so_while_something_is_sent():
    with pytest.raises(postgres.SerializationFailure) as caught, sending("COMMIT"):
        raise postgres.SerializationFailure

    assert classify(caught.value).kind is ErrorKind.RETRYABLE


def test_evidence_on_a_wrapper_counts_for_what_it_wraps():
    with pytest.raises(alchemy.DBAPIError) as caught, sending("COMMIT"):
        raise alchemy.DBAPIError("COMMIT", {}, ConnectionResetError()) from ConnectionResetError(errno.EPIPE, "")

    assert classify(caught.value).kind is ErrorKind.AMBIGUOUS


@pytest.mark.parametrize(
    ("driver", "kind", "source"),
    [
        (asyncpg.InterfaceError("secret"), "unavailable", "SQLAlchemy connection_invalidated"),
        (Exception("secret"), "unavailable", "SQLAlchemy connection_invalidated"),
        (postgres.AdminShutdown(), "unavailable", "SQLSTATE 57P01"),
        (raised(Exception("secret"), cause=postgres.AdminShutdown()), "unavailable", "SQLSTATE 57P01"),
        (ConnectionResetError(errno.ECONNRESET, "secret"), "unavailable", "errno ECONNRESET"),
    ],
)
def test_a_connection_that_sqlalchemy_gave_up_is_lost_and_the_driver_s_code_says_more(driver, kind, source):
    found = classify(alchemy.InterfaceError("SELECT", {}, driver, connection_invalidated=True))

    assert (found.kind, found.source) == (kind, source)


def test_a_connection_that_sqlalchemy_kept_goes_by_what_the_driver_raised():
    kept = alchemy.InterfaceError("SELECT", {}, asyncpg.InterfaceError("secret"), connection_invalidated=False)

    assert classify(kept).source == "type asyncpg.exceptions.InterfaceError"


def test_a_commit_on_a_connection_that_sqlalchemy_gave_up_has_an_unknown_outcome():
    with pytest.raises(alchemy.InterfaceError) as caught, sending("COMMIT"):
        raise alchemy.InterfaceError("COMMIT", {}, asyncpg.InterfaceError("secret"), connection_invalidated=True)

    assert classify(caught.value).kind is ErrorKind.AMBIGUOUS


@pytest.mark.parametrize("state", [postgres.SqlserverRejectedEstablishmentOfSqlconnection, postgres.CannotConnectNow])
def test_a_server_that_let_nobody_in_took_nothing(state):
    with pytest.raises(state) as caught, sending("COMMIT"):
        raise state

    assert classify(caught.value).kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize("name", ["CANCELLED", "UNKNOWN", "NOT_FOUND", "INTERNAL"])
def test_a_status_of_the_application_s_own_is_no_status_of_grpc(name):
    refused = RuntimeError("secret")
    refused.status = Enum("ShipmentStatus", [name])[name]

    assert classify(refused).unclassified


def test_what_pgbouncer_says_of_a_client_that_waited_too_long_is_tried_again():
    assert classify(postgres.ProtocolViolation()).retryable


def test_credentials_that_cannot_be_had_go_by_what_their_provider_met():
    refused = CredentialRetrievalError(provider="container-role", error_msg="secret")
    late = MetadataRetrievalError(error_msg="secret")

    assert classify(refused).kind is ErrorKind.CONFIGURATION
    assert classify(raised(refused, context=late)).kind is ErrorKind.UNAVAILABLE


def test_rules_come_before_the_tables_and_after_what_was_raised_with_a_type():
    rules = RuleSet([Rule(name="race", kind=ErrorKind.RETRYABLE, codes=("SQLSTATE 23505",), code="upsert_race")])

    found = classify(postgres.UniqueViolation(), rules=rules)
    assert (found.kind, found.code, found.source) == (ErrorKind.RETRYABLE, "upsert_race", "rule race")
    assert (
        classify(raised(ConflictError("x"), cause=postgres.UniqueViolation()), rules=rules).kind is ErrorKind.CONFLICT
    )


def test_the_first_rule_that_means_an_exception_decides():
    rules = RuleSet(
        [
            Rule(
                name="odd",
                kind=ErrorKind.CONFLICT,
                types=("builtins.LookupError",),
                when=lambda error: bool(error.args),
            ),
            Rule(name="all", kind=ErrorKind.THROTTLE, types=(LookupError,), retry_after=timedelta(seconds=3)),
        ]
    )

    assert classify(KeyError("x"), rules=rules).source == "rule odd"
    found = classify(KeyError(), rules=rules)
    assert (found.source, found.code, found.retry_after) == ("rule all", "rule.all", timedelta(seconds=3))


@pytest.mark.parametrize("member", list(ErrorKind))
def test_every_kind_has_a_status_an_advice_and_a_runbook(member):
    found = classify(temporalio.exceptions.ApplicationError("x", type=member.value, non_retryable=member.permanent))

    assert found.kind is member
    assert 400 <= found.http_status <= 599
    assert (
        found.retryable is (member is not ErrorKind.AMBIGUOUS and not member.permanent) or member is ErrorKind.AMBIGUOUS
    )


def test_a_class_written_in_c_goes_by_its_public_name_and_one_of_a_script_is_not_taken_for_a_builtin():
    own = type("TimeoutError", (Exception,), {"__module__": "__main__"})

    with pytest.raises(pickle.UnpicklingError) as caught:
        pickle.loads(b"no pickle")
    assert classify(caught.value).source == "type pickle.UnpicklingError"
    assert classify(own()).reason.startswith("Nobody has decided about __main__.TimeoutError yet")
