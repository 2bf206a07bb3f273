from dataclasses import dataclass, field
from datetime import UTC, datetime

from trenova_workers.pool import PoolOptions, PoolView, PoolWorker, WorkerPhase
from trenova_workers.pool._budget import Allowance, allowances
from trenova_workers.scaling import Budget, BusinessClass

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BUDGET = Budget(
    workers=6,
    classes={"dispatch": BusinessClass(rank=1, guarantee=3), "office": BusinessClass(rank=2, guarantee=1)},
)


@dataclass(eq=False)
class Pool:
    """What the budget sees of a managed pool."""

    name: str
    business_class: str
    wanted: int
    asked: int
    running: int = 0
    draining: int = 0
    options: PoolOptions = field(init=False)

    def __post_init__(self):
        self.options = PoolOptions(business_class=self.business_class, process={"module": "x"})

    @property
    def least(self):
        return self.options.policy.min_workers

    @property
    def view(self):
        phases = [WorkerPhase.RUNNING] * self.running + [WorkerPhase.DRAINING] * self.draining
        return PoolView(
            [
                PoolWorker(id=str(n), pool=self.name, phase=one, started_at=NOW, build="1")
                for n, one in enumerate(phases)
            ]
        )


@dataclass
class Wants:
    desired: int


def test_without_a_budget_each_pool_has_what_it_wants():
    pool = Pool("a", "", wanted=1, asked=1)
    assert allowances([pool], {pool: Wants(9)}, None) == {pool: Allowance(9)}


def test_a_pool_grows_only_by_what_is_free_and_is_told_why_not_more():
    dispatch = Pool("tenders", "dispatch", wanted=1, asked=1, running=1)
    office = Pool("invoices", "office", wanted=5, asked=5, running=5)
    got = allowances([dispatch, office], {dispatch: Wants(4)}, BUDGET)
    assert got[dispatch].desired == 1
    assert got[dispatch].why == "Gets 1 of 4 now and waits for 3 that others give back by draining."
    assert got[office] == Allowance(2, "Gives back 3 by draining: it has 5 and its share is 2.")


def test_what_drains_still_counts_and_what_has_gone_is_given_on():
    dispatch = Pool("tenders", "dispatch", wanted=1, asked=4, running=1)
    office = Pool("invoices", "office", wanted=2, asked=5, running=2, draining=3)
    assert allowances([dispatch, office], {office: Wants(5)}, BUDGET)[office].desired == 2
    office.draining = 0
    got = allowances([dispatch, office], {office: Wants(5)}, BUDGET)
    assert got[dispatch] == Allowance(4)
    assert got[office].desired == 2


def test_a_pool_whose_share_does_not_change_is_left_alone():
    dispatch = Pool("tenders", "dispatch", wanted=2, asked=2, running=2)
    office = Pool("invoices", "office", wanted=2, asked=2, running=2)
    assert allowances([dispatch, office], {dispatch: Wants(3)}, BUDGET) == {dispatch: Allowance(3)}
