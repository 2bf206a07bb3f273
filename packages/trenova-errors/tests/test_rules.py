"""Rules that could not work are refused where they are written."""

import logging
from datetime import timedelta

import pytest

from trenova_errors import (
    AmbiguousOutcomeError,
    ConfigurationError,
    ErrorKind,
    HintOptions,
    Rule,
    RuleSet,
    ThrottledError,
    classify,
)


def rule(**options) -> Rule:
    return Rule(**{"name": "mine", "kind": ErrorKind.CONFLICT, "types": (KeyError,), **options})


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("23505", "'SQLSTATE 23505'"),
        ("http 409", "'HTTP 409'"),
        ("HTTP 0409", "'HTTP 409'"),
        ("sqlstate.40P01", "'SQLSTATE 40P01'"),
        ("SQLSTATE 40p01", "'SQLSTATE 40P01'"),
        ("ENOENT", "'errno ENOENT'"),
        ("errno 2", "'errno ENOENT'"),
        ("grpc unavailable", "'gRPC UNAVAILABLE'"),
        ("451", "'SMTP 451' or 'HTTP 451'"),
        ("HTTP 200", "systems: SQLSTATE"),
        ("FTP 1", "systems: SQLSTATE"),
        (409, "'HTTP 409'"),
        ("", "systems: SQLSTATE"),
    ],
)
def test_a_code_that_no_failure_carries_is_refused_with_what_was_meant(code, hint):
    with pytest.raises(ConfigurationError, match="The rule 'mine' has the code") as caught:
        rule(codes=(code,))

    assert hint in caught.value.message


@pytest.mark.parametrize(
    "code",
    [
        "SQLSTATE 23505",
        "SQLSTATE 23999",
        "HTTP 409",
        "HTTP 302",
        "SMTP 477",
        "errno EPIPE",
        "AWS SlowDown",
        "gRPC ABORTED",
    ],
)
def test_a_code_that_a_failure_can_carry_is_taken(code):
    assert rule(codes=[code]).codes == (code,)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"types": KeyError}, r"Write types=\(KeyError,\)"),
        ({"types": "KeyError"}, r"Write types=\('KeyError',\)"),
        ({"types": 7}, "no tuple"),
        ({"codes": "HTTP 409"}, r"Write codes=\('HTTP 409',\)"),
        ({"types": ("QuotaError",)}, "'my_app.errors.QuotaError'"),
        ({"types": ("print",)}, "without its module"),
        ({"types": (int,)}, "int among its types"),
        ({"types": ()}, "names no types and no codes"),
        ({"types": (), "when": bool}, "names no types and no codes"),
        ({"when": True}, "cannot be called"),
        ({"kind": "transient"}, "Use one of retryable"),
        ({"name": ""}, "needs a name"),
        ({"retry_after": 30}, r"timedelta\(seconds="),
        ({"retry_after": timedelta(seconds=-1)}, "negative retry_after, -1.0 s"),
    ],
)
def test_a_rule_that_means_nothing_or_something_else_is_refused(options, hint):
    with pytest.raises(ConfigurationError, match=hint):
        rule(**options)


def test_what_can_be_completed_is_completed():
    completed = rule(kind="throttle", types=["KeyError", "my_app.errors.QuotaError"], retry_after=timedelta(0))

    assert completed.kind is ErrorKind.THROTTLE
    assert completed.types == ("builtins.KeyError", "my_app.errors.QuotaError")
    assert classify(KeyError(), rules=[completed]).source == "rule mine"


@pytest.mark.parametrize(
    ("rules", "hint"),
    [
        ([rule(), rule()], "Two rules are called 'mine'"),
        ([rule(), KeyError], "was given type"),
        (rule(), r"Write RuleSet\(\[...\]\)"),
        (7, "not int"),
        ("rules", "not str"),
    ],
)
def test_a_set_of_something_else_is_refused(rules, hint):
    with pytest.raises(ConfigurationError, match=hint):
        RuleSet(rules)
    with pytest.raises(ConfigurationError, match=hint):
        classify(KeyError(), rules=rules)


def test_a_list_of_no_rules_decides_nothing():
    assert classify(KeyError(), rules=[]).unclassified
    with pytest.raises(ConfigurationError, match="hints of type dict"):
        RuleSet([], hints={})


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"longest": 60}, "longest=60, which is no timedelta"),
        ({"spread": timedelta(seconds=-1)}, "negative spread"),
        ({"chance": 0.5}, "'chance' that cannot be called"),
        ({"now": None}, "'now' that cannot be called"),
    ],
)
def test_hints_that_are_no_delays_are_refused(options, hint):
    with pytest.raises(ConfigurationError, match=hint):
        HintOptions(**options)
    assert HintOptions(longest=timedelta(0), spread=timedelta(0)).taken(timedelta(1)) == timedelta(0)


def test_a_question_that_raises_does_not_take_the_place_of_the_failure(caplog):
    def fail(error):
        raise ValueError(f"secret {error}")

    rules = [rule(name="raises", when=fail), rule(name="next")]

    assert [classify(KeyError("secret"), rules=rules).source for _ in range(3)] == ["rule next"] * 3
    [line] = caplog.records
    assert (line.levelno, line.rule, line.exception) == (logging.WARNING, "raises", "ValueError")
    assert "secret" not in repr(vars(line))


@pytest.mark.parametrize("cls", [ThrottledError, AmbiguousOutcomeError])
@pytest.mark.parametrize("delay", [30, 1.5, "30"])
def test_a_delay_of_an_error_is_a_timedelta(cls, delay):
    with pytest.raises(TypeError, match=r"Pass timedelta\(seconds=...\)"):
        cls("x", retry_after=delay)
