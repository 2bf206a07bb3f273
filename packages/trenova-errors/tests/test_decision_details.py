"""Each field of a decision, for each thing that can decide."""

import asyncio
import logging
from datetime import UTC, timedelta

import pytest
import temporalio.exceptions
from psycopg import errors as postgres
from temporalio.exceptions import ApplicationErrorCategory

from trenova_errors import (
    AmbiguousOutcomeError,
    Classification,
    ConflictError,
    ErrorKind,
    HintOptions,
    Rule,
    RuleSet,
    ThrottledError,
    UnavailableError,
    classify,
    sending,
)
from trenova_errors import _table_types as tables
from trenova_errors._chain import chain
from trenova_errors._classification import classification
from trenova_errors._retry_after import _now
from trenova_errors._type_decisions import TYPES, _per_class, _types, names_of, qualified_name


def expected(error: BaseException, kind: str, **fields: object) -> Classification:
    """Write a decision with the fields that most of the retryable ones share."""
    shared = {
        "code": kind,
        "retryable": True,
        "retry_after": None,
        "category": ApplicationErrorCategory.UNSPECIFIED,
        "log_level": logging.WARNING,
        "http_status": 503,
        "runbook": f"error-decisions#{kind}",
        "reason": "",
        "source": "",
    }
    return Classification(kind=ErrorKind(kind), exception=error, **{**shared, **fields})


def check(found: Classification, wanted: Classification) -> None:
    assert found == wanted
    assert found.exception is wanted.exception


def test_what_a_code_decides():
    error = postgres.DeadlockDetected()

    check(
        classify(error),
        expected(
            error,
            "retryable",
            code="sqlstate.40P01",
            reason="SQLSTATE 40P01 (deadlock_detected): the same request may succeed later.",
            source="SQLSTATE 40P01",
        ),
    )


def test_what_a_type_decides():
    error = BrokenPipeError()

    check(
        classify(error),
        expected(
            error,
            "unavailable",
            code="type.builtins.ConnectionError",
            reason="builtins.BrokenPipeError (connection failed): what the work depends on cannot be reached or is not "
            "there yet.",
            source="type builtins.ConnectionError",
        ),
    )


def test_what_a_rule_decides():
    error = postgres.UniqueViolation()
    rule = Rule(
        name="race", kind=ErrorKind.THROTTLE, types=(postgres.UniqueViolation,), retry_after=timedelta(seconds=3)
    )

    check(
        classify(error, rules=RuleSet([rule])),
        expected(
            error,
            "throttle",
            code="rule.race",
            http_status=429,
            retry_after=timedelta(seconds=3),
            reason="The rule 'race' means psycopg.errors.UniqueViolation: the other side asks for fewer requests.",
            source="rule race",
        ),
    )


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_rule_may_make_an_outcome_unknown(idempotent):
    rules = RuleSet([Rule(name="lost", kind=ErrorKind.AMBIGUOUS, types=(KeyError,))])

    assert classify(KeyError(), rules=rules, idempotent=idempotent).retryable is idempotent


def test_a_rule_that_is_retried_keeps_the_delay_of_the_other_side():
    error = RuntimeError()
    error.headers = {"Retry-After": "7"}
    rules = RuleSet(
        [Rule(name="busy", kind=ErrorKind.THROTTLE, types=(RuntimeError,))], HintOptions(chance=lambda: 0.0)
    )

    assert classify(error, rules=rules).retry_after == timedelta(seconds=7)
    assert isinstance(rules.rules, tuple)


def test_what_is_no_failure():
    error = asyncio.CancelledError()

    check(
        classify(error),
        expected(
            error,
            "non_retryable",
            code="cancelled",
            retryable=False,
            category=ApplicationErrorCategory.BENIGN,
            log_level=logging.DEBUG,
            http_status=500,
            reason="asyncio.exceptions.CancelledError is no failure.",
            source="type asyncio.exceptions.CancelledError",
            failure=False,
        ),
    )


def test_what_was_raised_as_one_of_ours():
    error = ThrottledError("x", retry_after=timedelta(seconds=4))
    error.code = "quota"

    check(
        classify(error),
        expected(
            error,
            "throttle",
            code="quota",
            http_status=429,
            retry_after=timedelta(seconds=4),
            reason="trenova_errors.ThrottledError was raised: the other side asks for fewer requests.",
            source="raised as throttle",
        ),
    )


def test_what_was_raised_with_a_type_of_ours_keeps_the_code_of_its_details():
    error = temporalio.exceptions.ApplicationError("x", {"code": "quota"}, type="throttle")

    found = classify(error)
    assert (found.code, found.source) == ("quota", "raised as throttle")
    assert found.reason.startswith("temporalio.exceptions.ApplicationError was raised: ")


@pytest.mark.parametrize("details", [(), ("quota",), ({},), ({"code": 5},), ("x", {"code": "quota"})])
def test_details_without_a_code_leave_the_kind(details):
    assert classify(temporalio.exceptions.ApplicationError("x", *details, type="throttle")).code == "throttle"


@pytest.mark.parametrize("named", ["Other", None, 5, ["throttle"]])
def test_an_application_error_of_another_type_goes_by_its_flag(named):
    passing = classify(temporalio.exceptions.ApplicationError("x", type=named))
    lasting = classify(temporalio.exceptions.ApplicationError("x", type=named, non_retryable=True))

    assert (passing.kind, passing.retryable) == (ErrorKind.RETRYABLE, True)
    assert (lasting.kind, lasting.retryable) == (ErrorKind.NON_RETRYABLE, False)
    assert passing.reason.startswith("An application error of another type was raised: ")


def test_a_flag_may_only_take_retries_away():
    flagged = temporalio.exceptions.ApplicationError("x", type="unavailable", non_retryable=True)
    unflagged = temporalio.exceptions.ApplicationError("x", type="conflict")

    assert classify(flagged).retryable is False
    assert classify(flagged, idempotent=True).retryable is False
    assert classify(unflagged).retryable is False
    assert classify(unflagged, idempotent=True).retryable is False
    assert classify(AmbiguousOutcomeError("x")).retryable is False


@pytest.mark.parametrize(
    ("kind", "decided", "idempotent", "retryable"),
    [
        ("START_TO_CLOSE", "ambiguous", False, False),
        ("START_TO_CLOSE", "ambiguous", True, True),
        ("SCHEDULE_TO_START", "unavailable", False, True),
        (None, "unavailable", False, True),
    ],
)
def test_what_a_time_out_of_temporal_decides(kind, decided, idempotent, retryable):
    error = temporalio.exceptions.TimeoutError(
        "x", type=kind and temporalio.exceptions.TimeoutType[kind], last_heartbeat_details=[]
    )
    name = kind or "UNSPECIFIED"
    advice = {
        "ambiguous": "it may have taken effect; look before doing it again",
        "unavailable": "what the work depends on cannot be reached or is not there yet",
    }[decided]

    check(
        classify(error, idempotent=idempotent),
        expected(
            error,
            decided,
            code=f"timeout.{name.lower()}",
            retryable=retryable,
            log_level=logging.WARNING if retryable else logging.ERROR,
            http_status=504 if decided == "ambiguous" else 503,
            reason=f"Temporal's time-out {name}: {advice}.",
            source=f"timeout {name}",
        ),
    )


def test_what_nobody_has_decided_about():
    error = KeyError("secret")

    check(
        classify(error),
        expected(
            error,
            "retryable",
            code="unclassified",
            reason="Nobody has decided about builtins.KeyError yet: the same request may succeed later.",
            source="unclassified",
        ),
    )
    assert classify(error).unclassified


def test_a_permanent_kind_takes_no_delay():
    found = classification(
        ErrorKind.CONFLICT, code="c", subject="It", source="s", retry_after=timedelta(seconds=5), retryable=None
    )

    assert (found.retryable, found.retry_after, found.failure) == (False, None, True)
    assert (found.log_level, found.benign, found.exception) == (logging.INFO, True, None)


def test_what_is_below_an_unknown_exception_is_asked_before_a_wrapper_decides():
    wrapper = OSError("wrapper")
    unknown = RuntimeError()
    wrapper.__cause__, unknown.__cause__ = unknown, TimeoutError()

    assert classify(wrapper).source == "type builtins.TimeoutError"
    unknown.__cause__ = None
    assert classify(wrapper).source == "type builtins.OSError"


def test_what_is_definite_is_not_asked_what_caused_it():
    cancelled, ruled = asyncio.CancelledError(), KeyError()
    late = temporalio.exceptions.TimeoutError(
        "x", type=temporalio.exceptions.TimeoutType.HEARTBEAT, last_heartbeat_details=[]
    )
    for error in (cancelled, ruled, late):
        error.__cause__ = ConflictError("x")
    rules = RuleSet([Rule(name="quota", kind=ErrorKind.THROTTLE, types=(KeyError,))])

    assert classify(cancelled).failure is False
    assert classify(ruled, rules=rules).kind is ErrorKind.THROTTLE
    assert classify(late).kind is ErrorKind.AMBIGUOUS


def test_a_cause_comes_before_what_a_driver_error_was_made_from_and_both_before_the_context():
    error, cause, orig, context = RuntimeError(), TimeoutError(), ConflictError("x"), MemoryError()
    error.__context__, error.orig = context, orig
    assert list(chain(error)) == [error, orig]
    error.__cause__ = cause
    assert list(chain(error)) == [error, cause]
    error.__cause__, error.orig = None, "text"
    error.__suppress_context__ = False
    assert list(chain(error)) == [error, context]
    error.__suppress_context__ = True
    assert list(chain(error)) == [error]


def test_what_httpcore_hides_is_asked_all_the_same():
    hidden = type("ReadError", (Exception,), {"__module__": "httpcore"})()
    hidden.__context__, hidden.__suppress_context__ = ConnectionResetError(), True

    assert list(chain(hidden)) == [hidden, hidden.__context__]


def test_the_hundredth_link_is_the_last():
    error = innermost = ConflictError("x")
    for _ in range(150):
        outer = RuntimeError()
        outer.__cause__ = error
        error = outer

    assert len(list(chain(error))) == 100
    assert innermost not in list(chain(error))


def test_members_at_every_depth_are_weighed():
    inner = ExceptionGroup("x", [KeyError(), ExceptionGroup("x", [ConflictError("x")])])

    assert classify(ExceptionGroup("x", [inner, TimeoutError()])).kind is ErrorKind.CONFLICT
    assert classify(ExceptionGroup("x", [TimeoutError(), inner])).kind is ErrorKind.CONFLICT
    assert classify(ExceptionGroup("x", [inner, inner])).kind is ErrorKind.CONFLICT
    after = ExceptionGroup("x", [ExceptionGroup("x", [TimeoutError()]), ConflictError("x")])
    assert classify(after).kind is ErrorKind.CONFLICT


def test_evidence_on_a_group_that_lies_in_another_counts_for_its_members():
    with pytest.raises(ExceptionGroup) as caught, sending("COMMIT"):
        raise ExceptionGroup("x", [ConnectionResetError()])

    assert classify(ExceptionGroup("x", [caught.value])).kind is ErrorKind.AMBIGUOUS


def test_the_outermost_evidence_names_what_was_sent():
    with pytest.raises(ConnectionResetError) as caught, sending("COMMIT"):
        raise ConnectionResetError
    with pytest.raises(RuntimeError) as outer, sending("the batch"):
        raise RuntimeError from caught.value

    assert "after the batch was sent" in classify(outer.value).reason


def test_a_member_that_is_there_twice_is_weighed_once():
    error = KeyError()

    assert "builtins.KeyError" in classify(ExceptionGroup("x", [error, error])).reason


def test_a_group_that_caused_its_only_member_is_named_itself():
    member = RuntimeError()
    member.__cause__ = ExceptionGroup("x", [member])

    assert "builtins.ExceptionGroup" in classify(member.__cause__).reason


def test_a_cycle_is_gone_round_once():
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first

    assert list(chain(first)) == [first, second]


def nested_causes(depth: int) -> BaseException:
    error: BaseException = ConflictError("x")
    for _ in range(depth):
        outer = RuntimeError()
        outer.__cause__ = ExceptionGroup("x", [error])
        error = outer
    return error


def test_groups_that_cause_each_other_are_followed_twenty_deep():
    assert classify(nested_causes(20)).kind is ErrorKind.CONFLICT
    assert classify(nested_causes(21)).unclassified


def test_of_a_group_a_delay_of_less_than_a_second_weighs_more_than_none():
    short = ThrottledError("x", retry_after=timedelta(milliseconds=300))

    assert classify(ExceptionGroup("x", [UnavailableError("x"), short])).kind is ErrorKind.THROTTLE
    assert classify(ExceptionGroup("x", [short, UnavailableError("x")])).kind is ErrorKind.THROTTLE


def test_of_a_group_what_was_asked_first_decides_between_equals():
    assert classify(ExceptionGroup("x", [MemoryError(), TimeoutError()])).source == "type builtins.MemoryError"


def test_a_group_of_unknown_exceptions_names_the_first():
    found = classify(ExceptionGroup("x", [KeyError(), ValueError()]))

    assert "builtins.KeyError" in found.reason


def test_the_clock_knows_its_zone():
    assert _now().tzinfo is UTC


def test_the_tables_of_types_are_read_and_name_nothing_twice(monkeypatch):
    assert _types() == TYPES
    assert {name: wrapper for name, (_, wrapper) in _types().items()}["sqlalchemy.exc.DBAPIError"] is True
    assert {name: wrapper for name, (_, wrapper) in _types().items()}["builtins.TimeoutError"] is False
    monkeypatch.setattr(tables, "TABLES", ("a.B retryable one\n", "a.B* conflict other\n"))

    with pytest.raises(ValueError, match=r"^a\.B stands in two tables\.$"):
        _types()


def test_the_answer_for_a_class_is_remembered():
    asked = []
    remembered = _per_class(asked.append)
    remembered(KeyError)
    remembered(KeyError)

    assert asked == [KeyError]
    assert remembered.cache_info().maxsize == 4096


def test_names_leave_private_modules_out():
    moved = type("Failure", (TimeoutError,), {"__module__": "a._b.c"})
    odd = type("Odd", (Exception,), {"__module__": 5})

    assert qualified_name(moved) == "a.c.Failure"
    assert qualified_name(odd) == "builtins.Odd"
    assert {"a.c.Failure", "builtins.TimeoutError", "builtins.object"} <= names_of(moved)
