"""What each pool may have of the workers that all pools share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trenova_workers.pool._asked import Asked
from trenova_workers.pool._managed import ManagedPool
from trenova_workers.pool._worker import WorkerPhase
from trenova_workers.scaling import Budget, PoolDemand, arbitrate


@dataclass(frozen=True)
class Allowance:
    """How many workers a pool may have now, and why not what it wants; empty if it may have that."""

    desired: int
    why: str = ""


def allowances(
    pools: Sequence[ManagedPool], decisions: Mapping[ManagedPool, Asked], budget: Budget | None
) -> dict[ManagedPool, Allowance]:
    """Return what each pool may have that was decided about, and each other one whose share has changed by that.

    Args:
        pools: All of the manager, whose demands compete.
        decisions: Those that were taken now.
        budget: That they share; None is no limit.
    """
    if budget is None:
        return {pool: Allowance(decision.desired) for pool, decision in decisions.items()}
    demands = [_demand(pool, decisions.get(pool)) for pool in pools]
    found: dict[ManagedPool, Allowance] = {}
    for pool, demand, got in zip(pools, demands, arbitrate(demands, budget), strict=True):
        if pool in decisions or got.desired != pool.wanted:
            found[pool] = Allowance(got.desired, got.why if got.desired != demand.wanted else "")
    return found


def _demand(pool: ManagedPool, decision: Asked | None) -> PoolDemand:
    return PoolDemand(
        pool=pool.name,
        business_class=pool.options.business_class,
        wanted=pool.asked if decision is None else decision.desired,
        running=pool.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING),
        draining=pool.view.count(WorkerPhase.DRAINING),
        least=pool.least,
    )
