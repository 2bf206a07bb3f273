import logging

from temporalio.exceptions import ApplicationError as UntypedError

from trenova_errors._evidence import chain_of, organization_of, stack_of, types_of
from trenova_errors._failure_log import Summary, level_of, write
from trenova_errors._settings import idempotent, names

SECRET = "hunter2-hunter2"


class Model:
    organization_id = "org_2"


def test_the_chain_is_bounded_and_a_cycle_ends_it():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert types_of(first) == "ValueError <- KeyError"

    error = ValueError()
    for _ in range(50):
        error, cause = ValueError(), error
        error.__cause__ = cause
    assert len(chain_of(error)) == 10


def test_the_stack_is_that_of_the_innermost_and_holds_no_values():
    def inner(value):
        raise ValueError(value)

    try:
        try:
            inner(SECRET)
        except ValueError as error:
            raise UntypedError(SECRET) from error
    except UntypedError as error:
        stack = stack_of(error)

    assert stack[-1].endswith(" inner")
    assert SECRET not in repr(stack)
    assert stack_of(ValueError()) == []


def test_the_organization_is_found_in_models_mappings_and_fairness_keys():
    assert organization_of([Model()]) == "org_2"
    assert organization_of([{"organizationId": "org_3"}]) == "org_3"
    assert organization_of(["text", 7], "org_4") == "org_4"
    assert organization_of([{"organization_id": 7}, None]) is None
    assert len(organization_of([{"organization_id": "x" * 500}])) == 100


def test_a_benign_failure_is_never_above_info():
    summary = Summary(kind="conflict", code="conflict", benign=True)

    assert level_of(summary, final=True, milestone=False) == logging.INFO
    assert level_of(summary, final=False, milestone=True) == logging.INFO
    assert level_of(summary, final=False, milestone=False) is None


def test_a_key_that_is_not_known_is_left_out(caplog):
    caplog.set_level(logging.INFO)

    write(
        logging.INFO, "e", ValueError(SECRET), Summary(kind="k", code="c", benign=True), {"workflow_id": None, "n": 0}
    )

    [line] = caplog.records
    assert not hasattr(line, "workflow_id")
    assert (line.n, hasattr(line, "error_stack")) == (0, False)
    assert SECRET not in repr(vars(line))


def test_activities_are_named_by_name_or_by_function():
    from errors_scenarios import Activities

    assert names(["a", Activities().take]) == {"a", "take"}


def test_a_function_that_is_no_activity_is_refused():
    import pytest

    with pytest.raises(TypeError, match="is no activity"):
        names([print])


def test_the_mark_of_an_idempotent_activity_is_seen_on_methods_too():
    from trenova_errors._settings import Settings

    class Offers:
        @idempotent
        def offer(self) -> None: ...

        def other(self) -> None: ...

    settings = Settings(idempotent_activities=frozenset({"named"}))
    assert settings.is_idempotent("x", Offers().offer)
    assert settings.is_idempotent("named", Offers().other)
    assert not settings.is_idempotent("x", Offers().other)
