"""What a log line or a history shows can be asked about as it stands there."""

from datetime import timedelta

import pytest

from trenova_errors import ErrorKind, InvalidInputError, Rule, RuleSet, UnavailableError
from trenova_errors._explain import explain

RULES = RuleSet(
    [
        Rule(name="quota", kind=ErrorKind.THROTTLE, types=(KeyError,), retry_after=timedelta(seconds=3)),
        Rule(name="race", kind=ErrorKind.RETRYABLE, codes=("SQLSTATE 23505",), code="upsert_race", when=bool),
    ]
)


class HarbourClosedError(UnavailableError):
    """An error class of another package."""

    code = "harbour.closed"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unclassified", "retryable"),
        ("payload", "invalid_input"),
        ("argument_count", "invalid_input"),
        ("undecodable", "unavailable"),
        ("timeout.heartbeat", "ambiguous"),
        ("harbour.closed", "unavailable"),
        ("error-decisions#conflict", "conflict"),
        ("docs/error-decisions.md#conflict", "conflict"),
    ],
)
def test_a_code_or_a_runbook_out_of_a_log_is_known(code, kind):
    [reading] = explain([code])

    assert reading.decision.kind == kind
    assert "#" in code or reading.decision.code == code


def test_a_cancellation_is_ours_and_grpc_s():
    ours, theirs = explain(["cancelled"])

    assert (ours.decision.failure, theirs.decision.code) == (False, "grpc.CANCELLED")
    assert not explain(["continued_as_new"])[0].decision.failure


def test_a_rule_is_found_by_its_code():
    [quota] = explain(["rule.quota"], RULES)
    [race] = explain(["upsert_race"], RULES)

    assert (quota.decision.kind, quota.decision.code) == (ErrorKind.THROTTLE, "rule.quota")
    assert quota.notes == ("It is about builtins.KeyError.",)
    assert race.notes == ("It is about SQLSTATE 23505, where its 'when' agrees.",)
    with pytest.raises(InvalidInputError, match="--rules"):
        explain(["rule.quota"])
    with pytest.raises(InvalidInputError, match="The rules are quota, race"):
        explain(["rule.other"], RULES)


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("ValidationError", {"AWS ValidationError", "type pydantic_core.ValidationError"}),
        ("ConnectionError", {"type builtins.ConnectionError", "type requests.exceptions.ConnectionError"}),
        ("TimeoutError", {"type builtins.TimeoutError", "type sqlalchemy.exc.TimeoutError"}),
        ("UniqueViolation", {"SQLSTATE 23505"}),
        ("UniqueViolationError", {"SQLSTATE 23505"}),
        ("unique_violation", {"SQLSTATE 23505"}),
    ],
)
def test_a_bare_name_shows_every_reading_of_the_tables(name, sources):
    found = [reading.decision.source for reading in explain([name])]

    assert sources <= set(found)
    assert len(found) == len(set(found)) or name not in {"UniqueViolation", "unique_violation"}


def test_a_group_is_explained_by_its_members():
    [reading] = explain(["ExceptionGroup"])

    assert "its members are asked" in reading.notes[0]
