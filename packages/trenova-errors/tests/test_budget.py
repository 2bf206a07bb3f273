from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from trenova_errors import BudgetOptions, ConfigurationError, ErrorKind
from trenova_errors._budget import RetryBudget

DOWN = ErrorKind.UNAVAILABLE


def _spend(budget, dependency="db", *, kind=DOWN, times=1000):
    """Take until it is refused and return how often it was granted, and the refusal."""
    for granted in range(times):
        verdict = budget.take(dependency, kind, activity_type="a")
        if not verdict.granted:
            return granted, verdict
    raise AssertionError("never refused")


def test_the_numbers_are_those_of_botocore():
    assert _spend(RetryBudget())[0] == 500 // 14
    assert _spend(RetryBudget(), kind=ErrorKind.THROTTLE)[0] == 500 // 5


def test_only_the_first_refusal_says_that_it_is_spent():
    budget = RetryBudget()

    _, first = _spend(budget)

    assert first.just_spent
    assert not budget.take("db", DOWN, activity_type="a").just_spent


def test_each_dependency_has_a_budget_of_its_own():
    budget = RetryBudget()
    _spend(budget, "db")

    assert budget.take("mail", DOWN, activity_type="b").granted


def test_a_success_after_a_retry_returns_what_the_retry_cost():
    budget = RetryBudget()
    budget.take("db", DOWN, activity_type="a")

    budget.succeeded("a", attempt=2)

    assert budget.tokens("db") == 500


def test_a_success_at_the_first_attempt_returns_one_token():
    budget = RetryBudget()
    budget.take("db", DOWN, activity_type="a")

    budget.succeeded("a", attempt=1)
    budget.succeeded("another", attempt=1)

    assert budget.tokens("db") == 500 - 14 + 1


def test_it_is_said_again_only_after_the_budget_had_half_recovered():
    budget = RetryBudget(BudgetOptions(tokens=100, retry_cost=10, throttle_cost=10))
    _spend(budget)
    for _ in range(3):
        budget.succeeded("a", attempt=2)
    assert not _spend(budget)[1].just_spent

    for _ in range(5):
        budget.succeeded("a", attempt=2)

    assert _spend(budget)[1].just_spent


def test_a_stretched_delay_is_longer_and_spread():
    budget = RetryBudget()

    delays = {budget.stretched(timedelta(seconds=2)) for _ in range(200)}

    assert len(delays) > 100
    assert all(timedelta(seconds=9) <= delay <= timedelta(seconds=16) for delay in delays)


def test_stretching_ends_somewhere_and_never_shortens():
    budget = RetryBudget()

    assert budget.stretched(timedelta(minutes=4)) <= timedelta(minutes=5)
    assert budget.stretched(timedelta(minutes=9)) == timedelta(minutes=9)


def test_the_number_of_dependencies_is_bounded_and_the_unused_one_goes_first():
    budget = RetryBudget(BudgetOptions(max_dependencies=2))
    for name in ("one", "two", "one", "three"):
        budget.take(name, DOWN, activity_type="a")

    assert budget.tokens("one") == 500 - 2 * 14
    assert budget.tokens("two") == 500
    assert budget.tokens("three") == 500 - 14


def test_threads_never_spend_a_token_twice():
    budget = RetryBudget()

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: budget.take("db", DOWN, activity_type="a"), range(200)))

    assert sum(verdict.granted for verdict in verdicts) == 500 // 14
    assert sum(verdict.just_spent for verdict in verdicts) == 1


@pytest.mark.parametrize(
    "values", [{"tokens": 1}, {"retry_cost": 0}, {"stretch": 0.5}, {"success_refund": -1}, {"max_dependencies": 0}]
)
def test_options_that_cannot_work_are_refused(values):
    with pytest.raises(ConfigurationError, match="cannot be used"):
        BudgetOptions(**values)
