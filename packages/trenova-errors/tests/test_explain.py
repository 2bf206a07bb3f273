"""What ``trenova-errors explain`` says is what ``classify`` decides."""

import asyncio
import builtins
import dataclasses
import errno
import socket
import sqlite3
import sys
from datetime import timedelta

import httpx
import psycopg.errors
import pytest
import temporalio.exceptions

from trenova_errors import ErrorKind, HintOptions, InvalidInputError, Rule, RuleSet, UnavailableError, classify
from trenova_errors._classification import Classification
from trenova_errors._codes import code_of
from trenova_errors._explain import explain
from trenova_errors._explain_codes import TABLES, code_named, codes_like
from trenova_errors._table_http import HTTP
from trenova_errors._type_decisions import NO_FAILURES, TYPES


class QuotaError(Exception):
    """Nobody has decided about it."""


class DepotClosedError(UnavailableError):
    """A kind of its own code."""

    code = "depot.closed"


def same(found: Classification, decided: Classification) -> bool:
    """Compare all that does not depend on the instance."""
    bare = {"exception": None, "retry_after": None}
    return dataclasses.replace(found, **bare) == dataclasses.replace(decided, **bare)


def only(*words: str, rules: RuleSet | None = None):
    [reading] = explain(words) if rules is None else explain(words, rules)
    return reading


STATES = sorted(
    {
        cls.sqlstate
        for cls in vars(psycopg.errors).values()
        if isinstance(cls, type) and isinstance(getattr(cls, "sqlstate", None), str)
    }
)


def test_every_sqlstate_is_explained_as_it_is_classified():
    for state in STATES:
        error = psycopg.errors.lookup(state)()
        assert same(classify(error), only("sqlstate", state).decision)
        assert same(classify(error), only(f"sqlstate.{state}").decision)


def test_every_status_is_explained_as_it_is_classified():
    request = httpx.Request("GET", "http://127.0.0.1/")
    for status in HTTP:
        error = httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request))
        assert same(classify(error), only("http", str(status)).decision)


def test_every_errno_is_explained_by_name_and_by_number_as_it_is_classified():
    for number, name in errno.errorcode.items():
        error = OSError(number, "")
        assert same(classify(error), only("errno", name).decision)
        assert same(classify(error), only("errno", str(number)).decision)


def test_every_class_that_python_itself_has_is_explained_as_it_is_classified():
    for name, cls in vars(builtins).items():
        if not isinstance(cls, type) or not issubclass(cls, BaseException) or issubclass(cls, BaseExceptionGroup):
            continue
        try:
            error = cls()
        except TypeError:  # the Unicode errors take five arguments
            continue
        assert same(classify(error), only(f"builtins.{name}").decision), name
        assert any(same(classify(error), reading.decision) for reading in explain([name])), name


@pytest.mark.parametrize("name", sorted(ErrorKind))
def test_a_kind_is_explained_as_a_failure_of_that_type_is_classified(name):
    kind = ErrorKind(name)
    error = temporalio.exceptions.ApplicationError(
        "", type=name, non_retryable=kind.permanent or kind is ErrorKind.AMBIGUOUS
    )

    assert same(classify(error), explain([name])[-1].decision)
    assert same(classify(error), only("kind", name).decision)


def test_what_stands_in_a_table_can_be_asked_by_the_name_that_stands_there():
    for system, table in TABLES.items():
        for code, decision in table.items():
            if not code.endswith("yz"):
                assert code_named(system, code).decision == decision
    for name, (decision, _) in TYPES.items():
        assert only(name).decision.kind is decision.kind, name
    for name, code in NO_FAILURES.items():
        assert only(name).decision.code == code


@pytest.mark.parametrize(
    ("words", "source"),
    [
        (["40P01"], "SQLSTATE 40P01"),
        (["40p01"], "SQLSTATE 40P01"),
        (["postgres", "57999"], "SQLSTATE 57999"),
        (["http", "429"], "HTTP 429"),
        (["http 429"], "HTTP 429"),
        (["HTTP.429"], "HTTP 429"),
        (["grpc", "UNAVAILABLE"], "gRPC UNAVAILABLE"),
        (["grpc", "unavailable"], "gRPC UNAVAILABLE"),
        (["grpc", "14"], "gRPC UNAVAILABLE"),
        (["grpc", "RpcError"], "type grpc.RpcError"),
        (["redis", "ReadOnlyError"], "type redis.exceptions.ReadOnlyError"),
        (["Redis ReadOnlyError"], "type redis.exceptions.ReadOnlyError"),
        (["botocore", "NoRegionError"], "type botocore.exceptions.NoRegionError"),
        (["sqlalchemy", "NoResultFound"], "type sqlalchemy.exc.NoResultFound"),
        (["sqlalchemy", "connection_invalidated"], "SQLAlchemy connection_invalidated"),
        (["grpc", "StatusCode.DATA_LOSS"], "gRPC DATA_LOSS"),
        (["errno", "ECONNRESET"], "errno ECONNRESET"),
        (["errno", "connreset"], "errno ECONNRESET"),
        (["econnreset"], "errno ECONNRESET"),
        (["ConnectionResetError"], "type builtins.ConnectionError"),
        (["httpx.ReadTimeout"], "type httpx.ReadTimeout"),
        (["type.httpx.ReadTimeout"], "type httpx.ReadTimeout"),
        (["smtp", "451"], "SMTP 451"),
        (["smtp", "459"], "SMTP 459"),
        (["sqlite", "SQLITE_BUSY"], "SQLite SQLITE_BUSY"),
        (["sqlite", "busy"], "SQLite SQLITE_BUSY"),
        (["sqlite", "5"], "SQLite SQLITE_BUSY"),
        (["sqlite", "2067"], "SQLite SQLITE_CONSTRAINT_UNIQUE"),
        (["sqlite_busy_snapshot"], "SQLite SQLITE_BUSY_SNAPSHOT"),
        (["aws", "ThrottlingException"], "AWS ThrottlingException"),
        (["ThrottlingException"], "AWS ThrottlingException"),
        (["redis.exceptions.BusyLoadingError"], "type redis.exceptions.BusyLoadingError"),
        (["redis.BusyLoadingError"], "type redis.exceptions.BusyLoadingError"),
        (["aiohttp.ClientError"], "type aiohttp.client_exceptions.ClientError"),
        (["EAI_AGAIN"], "getaddrinfo EAI_AGAIN"),
        (["dns", "again"], "getaddrinfo EAI_AGAIN"),
        (["getaddrinfo", str(abs(socket.EAI_AGAIN))], "getaddrinfo EAI_AGAIN"),
        (["START_TO_CLOSE"], "timeout START_TO_CLOSE"),
        (["timeout", "schedule-to-start"], "timeout SCHEDULE_TO_START"),
        (["psycopg.errors.DeadlockDetected"], "SQLSTATE 40P01"),
        (["asyncio.CancelledError"], "type asyncio.exceptions.CancelledError"),
        (["ThrottledError"], "raised as throttle"),
        (["temporalio.exceptions.ApplicationError"], "raised as retryable"),
        (["KeyError"], "unclassified"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_code_is_understood_as_people_write_it(words, source):
    assert only(*words).decision.source == source


def test_a_result_code_of_sqlite_has_the_name_that_an_exception_carries():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, UNIQUE (id))")
        connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError) as caught:
            connection.execute("INSERT INTO t VALUES (1)")
    connection.close()

    carried = code_of(caught.value)
    assert code_named("SQLite", str(caught.value.sqlite_errorcode)) == carried


def test_a_bare_number_is_read_in_every_way_that_it_can_be():
    assert {reading.decision.source for reading in explain(["429"])} == {"HTTP 429", "SMTP 429"}
    assert {code.source for code in codes_like("14")} >= {"gRPC UNAVAILABLE", "SQLite SQLITE_CANTOPEN"}
    assert only("23505").decision.source == "SQLSTATE 23505"


def test_a_name_in_one_spelling_means_what_is_spelled_so():
    assert only("UNAVAILABLE").decision.source == "gRPC UNAVAILABLE"
    assert [reading.decision.source for reading in explain(["unavailable"])][-1] == "raised as unavailable"


def test_a_bare_class_name_means_that_of_every_library():
    found = {reading.subject for reading in explain(["ReadTimeout"])}

    assert found == {"httpx.ReadTimeout", "requests.exceptions.ReadTimeout"}


def test_several_are_answered_in_their_order():
    readings = explain(["40P01", "http", "429", "errno ENOENT"])

    assert [one.decision.source for one in readings] == ["SQLSTATE 40P01", "HTTP 429", "errno ENOENT"]


def test_a_library_that_is_not_installed_is_known_all_the_same():
    reading = only("psycopg2.OperationalError")

    assert reading.decision.kind is ErrorKind.UNAVAILABLE
    assert "not installed" in reading.notes[0]


def test_what_is_of_our_own_classes_is_explained_by_its_kind_and_code(monkeypatch):
    monkeypatch.setitem(sys.modules, "depot", sys.modules[__name__])
    decision = only("depot.DepotClosedError").decision

    assert (decision.kind, decision.code) == (ErrorKind.UNAVAILABLE, "depot.closed")
    assert same(classify(DepotClosedError("x")), decision)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ECONNREST"], "Did you mean ECONNRESET"),
        (["grpc", "UNAVAILBLE"], "Did you mean UNAVAILABLE?"),
        (["httpx.ReadTimeot"], "Did you mean httpx.ReadTimeout"),
        (["throtle"], "Did you mean throttle"),
        (["http", "999"], "Nothing is known as HTTP '999'"),
        (["99999"], "Name its system, as in 'http 429': SQLSTATE, "),
        (["my_app.Missing"], "cannot be imported here"),
        (["http"], "'http' names a system; add what is asked about"),
        (["sqlite", "SQLITE_LIMIT_LENGTH"], "Nothing is known as SQLite"),
        (["redis", "ReadOnlyEror"], "or redis.exceptions.ReadOnlyError"),
        (["sqlalchemy", "Nothing"], "Nothing is known as SQLAlchemy 'Nothing'"),
        (["builtins.Nothing"], "Nothing is known as 'builtins.Nothing'"),
        (["aws", "7"], "Nothing is known as AWS '7'"),
        (["grpc", "0"], "Nothing is known as gRPC '0'"),
        (["grpc", "17"], "Nothing is known as gRPC '17'"),
        (["getaddrinfo", "9999"], "Nothing is known as getaddrinfo '9999'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_known_is_refused_with_what_is_near(words, says):
    with pytest.raises(InvalidInputError) as caught:
        explain(words)

    assert says in caught.value.message


@pytest.mark.parametrize("word", ["antigravity", "this", "sys", "KeyboardInterrupt()"])
def test_a_bare_word_imports_nothing(word):
    before = set(sys.modules)
    with pytest.raises(InvalidInputError):
        explain([word])

    assert set(sys.modules) - before == set()


def test_a_module_that_fails_to_be_imported_is_named(tmp_path, monkeypatch):
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('secret')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        InvalidInputError, match=r"The module of 'broken_one\.QuotaError' fails to be imported"
    ) as caught:
        explain(["broken_one.QuotaError"])
    assert "secret" not in caught.value.message


RULES = RuleSet(
    [
        Rule(name="odd", kind=ErrorKind.CONFLICT, codes=("SQLSTATE 23505",), when=lambda error: bool(error.args)),
        Rule(name="race", kind=ErrorKind.RETRYABLE, codes=("SQLSTATE 23505",), code="upsert_race"),
        Rule(name="quota", kind=ErrorKind.THROTTLE, types=(LookupError,), retry_after=timedelta(minutes=1)),
        Rule(name="named", kind=ErrorKind.NON_RETRYABLE, types=("psycopg2.OperationalError",)),
        Rule(name="cancel", kind=ErrorKind.CONFLICT, types=(asyncio.CancelledError, UnavailableError)),
        Rule(name="gone", kind=ErrorKind.UNAVAILABLE, codes=("HTTP 409",)),
    ],
    hints=HintOptions(longest=timedelta(minutes=5), spread=timedelta(seconds=9)),
)


def test_a_rule_that_decides_is_shown_with_what_it_replaces():
    reading = only("23505", rules=RULES)

    assert (reading.decision.kind, reading.decision.code) == (ErrorKind.RETRYABLE, "upsert_race")
    assert reading.decision.source == "rule race"
    assert reading.notes == (
        "The rule 'odd' comes first where its 'when' agrees: 'conflict'.",
        "Without the rule it is 'data_integrity', by SQLSTATE 23505.",
    )
    assert same(
        classify(psycopg.errors.UniqueViolation(), rules=RULES),
        dataclasses.replace(
            reading.decision,
            reason="The rule 'race' means psycopg.errors.UniqueViolation: the same request may succeed later.",
        ),
    )


def test_a_rule_about_a_class_means_its_subclasses_too():
    reading = only("KeyError", rules=RULES)

    assert (reading.decision.source, reading.decision.retry_after) == ("rule quota", timedelta(minutes=1))
    assert reading.delay == "at least 60 s, from the rule"


def test_a_rule_about_a_name_is_found_without_the_library():
    assert only("psycopg2.OperationalError", rules=RULES).decision.source == "rule named"


@pytest.mark.parametrize("name", ["asyncio.CancelledError", "trenova_errors.UnavailableError"])
def test_no_rule_is_asked_about_what_decides_before_rules(name):
    assert not only(name, rules=RULES).decision.source.startswith("rule")


@pytest.mark.parametrize(
    ("words", "rules", "says"),
    [
        ("http 429", RULES, "Retry-After, in seconds or as a date, cut at 300 s, plus up to 9 s by chance"),
        ("http 409", RULES, "Retry-After"),
        ("http 404", None, "no further attempt"),
        ("grpc UNAVAILABLE", None, "google.rpc.RetryInfo in the status, cut at 3600 s"),
        ("aws SlowDown", None, "x-amz-retry-after"),
        ("40P01", None, "as the retry policy says"),
        ("08007", None, "only of what is idempotent: as the retry policy says"),
        ("httpx.HTTPStatusError", None, "Retry-After"),
        ("httpx.ReadTimeout", None, "as the retry policy says"),
        ("temporalio.service.RPCError", None, "google.rpc.RetryInfo"),
        ("throttle", None, "the retry_after that it was raised with"),
        ("asyncio.CancelledError", None, "none; it is no failure"),
    ],
)
def test_the_delay_is_said_to_come_from_where_it_can_come_from(words, rules, says):
    assert says in only(words, rules=rules).delay


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("sqlalchemy.exc.OperationalError", "wrapper"),
        ("ConnectionResetError", "errno"),
        ("KeyError", "mistake in code"),
        ("RuntimeError", "A rule of yours can decide"),
        ("http 503", "With evidence that something was sent"),
        ("temporalio.exceptions.ApplicationError", "non_retryable"),
    ],
)
def test_what_else_may_decide_is_noted(word, says):
    assert any(says in note for note in only(word).notes)
