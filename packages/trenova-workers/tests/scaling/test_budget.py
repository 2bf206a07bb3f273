import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trenova_workers.scaling import Budget, BusinessClass, PoolDemand, arbitrate

BUDGET = Budget(
    workers=20,
    classes={
        "dispatch": BusinessClass(rank=1, guarantee=8),
        "tracking": BusinessClass(rank=2, guarantee=4),
        "billing": BusinessClass(rank=3, guarantee=3),
        "retention": BusinessClass(rank=4, guarantee=1),
    },
)


def shares_of(demands, budget=BUDGET):
    return {one.pool: one for one in arbitrate(demands, budget)}


def test_the_worked_example_of_the_documents():
    """A night: dispatch sleeps, billing borrows. Then dispatch wakes, and gets back what drains."""
    night = [
        PoolDemand(pool="tenders", business_class="dispatch", wanted=2, running=2),
        PoolDemand(pool="positions", business_class="tracking", wanted=3, running=3),
        PoolDemand(pool="invoices", business_class="billing", wanted=14, running=3),
        PoolDemand(pool="purge", business_class="retention", wanted=4, running=1),
    ]
    asleep = shares_of(night)
    assert {pool: (one.share, one.desired, one.borrowed) for pool, one in asleep.items()} == {
        "tenders": (2, 2, 0),
        "positions": (3, 3, 0),
        "invoices": (14, 14, 11),
        "purge": (1, 1, 0),
    }
    assert asleep["invoices"].why == "Gets the 14 that it wants, 11 of them borrowed from what others do not need."
    assert asleep["purge"].why == "Gets 1 of the 4 that it wants: the budget has no more for its class."

    morning = [
        night[0].model_copy(update={"wanted": 10}),
        night[1],
        night[2].model_copy(update={"running": 14}),
        night[3].model_copy(update={"wanted": 1}),
    ]
    awake = shares_of(morning)
    # 10 + 3 + 1 are claimed by those before billing and the guarantee after it: 6 are left.
    assert awake["invoices"].share == 6
    assert (awake["tenders"].share, awake["tenders"].desired, awake["tenders"].awaited) == (10, 2, 8)
    assert awake["tenders"].why == "Gets 2 of 10 now and waits for 8 that others give back by draining."
    assert (awake["invoices"].desired, awake["invoices"].why) == (
        6,
        "Gives back 8 by draining: it has 14 and its share is 6.",
    )

    half = shares_of([morning[0], morning[1], morning[2].model_copy(update={"running": 6, "draining": 5}), morning[3]])
    # 3 of the 8 have gone; 5 still finish their tasks and count.
    assert (half["tenders"].desired, half["tenders"].awaited) == (5, 5)


def test_the_worker_that_a_version_must_not_be_without_comes_first():
    budget = Budget(workers=2, classes={"dispatch": BusinessClass(rank=1), "billing": BusinessClass(rank=2)})
    demands = [
        PoolDemand(pool="tenders", business_class="dispatch", wanted=5),
        PoolDemand(pool="invoices-v2", business_class="billing", wanted=1, least=1),
    ]

    assert {pool: one.share for pool, one in shares_of(demands, budget).items()} == {"tenders": 1, "invoices-v2": 1}


def test_pools_of_a_class_share_in_proportion_to_what_they_want():
    budget = Budget(workers=6, classes={"dispatch": BusinessClass(rank=1)})
    demands = [
        PoolDemand(pool="large", business_class="dispatch", wanted=10),
        PoolDemand(pool="small", business_class="dispatch", wanted=5),
    ]

    assert {pool: one.share for pool, one in shares_of(demands, budget).items()} == {"large": 4, "small": 2}


def test_a_limit_holds_also_while_others_are_idle():
    budget = Budget(workers=20, classes={"retention": BusinessClass(rank=4, limit=3)})

    assert shares_of([PoolDemand(pool="purge", business_class="retention", wanted=9)], budget)["purge"].share == 3


@pytest.mark.parametrize(
    ("workers", "classes", "said"),
    [
        (3, {"a": {"rank": 1, "guarantee": 2}, "b": {"rank": 2, "guarantee": 2}}, "raise 'workers' to 4"),
        (3, {"a": {"rank": 1}, "b": {"rank": 1}}, "both have rank 1. Give each its own"),
        (9, {"a": {"rank": 1, "guarantee": 4, "limit": 2}}, "limited to 2 and guaranteed 4. Raise 'limit'"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(workers, classes, said):
    with pytest.raises(ValidationError, match=said):
        Budget.model_validate({"workers": workers, "classes": classes})


def test_a_demand_of_no_known_class_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"class 'disptach'; the budget has billing, dispatch, retention, tracking"):
        arbitrate([PoolDemand(pool="tenders", business_class="disptach", wanted=1)], BUDGET)
    twice = PoolDemand(pool="tenders", business_class="dispatch", wanted=1)
    with pytest.raises(ValueError, match="'tenders' stands twice"):
        arbitrate([twice, twice], BUDGET)


CLASSES = sorted(BUDGET.classes)
DEMANDS = st.lists(
    st.fixed_dictionaries(
        {
            "pool": st.sampled_from([f"pool-{n}" for n in range(8)]),
            "business_class": st.sampled_from(CLASSES),
            "wanted": st.integers(0, 30),
            "running": st.integers(0, 30),
            "draining": st.integers(0, 10),
            "least": st.integers(0, 2),
        }
    ).map(PoolDemand.model_validate),
    unique_by=lambda one: one.pool,
    max_size=8,
)


@given(DEMANDS)
def test_nobody_gets_more_than_there_is_or_than_is_wanted_and_guarantees_are_kept(demands):
    given_ = shares_of(demands)

    assert sum(one.share for one in given_.values()) <= BUDGET.workers
    assert all(given_[one.pool].share <= one.wanted for one in demands)
    least = sum(min(one.least, one.wanted) for one in demands)
    for name, one in BUDGET.classes.items():
        members = [demand for demand in demands if demand.business_class == name]
        held = sum(given_[demand.pool].share for demand in members)
        wanted = sum(demand.wanted for demand in members)
        assert held >= min(one.guarantee, wanted) or least
        assert sum(given_[demand.pool].borrowed for demand in members) == max(0, held - one.guarantee)


@given(DEMANDS)
def test_a_pool_grows_only_into_what_is_free(demands):
    given_ = shares_of(demands)

    there = sum(one.running + one.draining for one in demands)
    grown = sum(max(0, given_[one.pool].desired - one.running) for one in demands)
    assert grown <= max(0, BUDGET.workers - there)
    assert all(given_[one.pool].desired <= max(one.running, given_[one.pool].share) for one in demands)


@given(DEMANDS)
def test_nothing_is_idle_while_somebody_wants_it(demands):
    given_ = shares_of(demands)

    unmet = any(given_[one.pool].share < one.wanted for one in demands)
    assert not unmet or sum(one.share for one in given_.values()) == BUDGET.workers
