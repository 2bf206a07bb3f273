"""A budget of workers for several pools: what each class of business is guaranteed, borrows and gives back."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from trenova_workers.scaling._document import ScalingDocument

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class BusinessClass(ScalingDocument):
    """Pools that are treated alike when workers are scarce.

    Attributes:
        rank: 1 is served first. Two classes may not have the same.
        guarantee: Workers that its pools have together whenever they want them, whatever others want.
        limit: Workers that they have together at most; None for the whole budget.
    """

    model_config = ConfigDict(extra="forbid")

    rank: int = Field(ge=1)
    guarantee: int = Field(default=0, ge=0)
    limit: int | None = Field(default=None, ge=0)


class Budget(ScalingDocument):
    """Workers that there may be, all pools together, and the classes that share them.

    Attributes:
        workers: How many. Those that drain count, as they still take up memory.
        classes: By name, e.g. ``dispatch``, ``tracking``, ``billing``, ``retention``.
    """

    model_config = ConfigDict(extra="forbid")

    workers: int = Field(ge=0)
    classes: dict[Name, BusinessClass] = Field(min_length=1)

    @model_validator(mode="after")
    def _hold_together(self) -> "Budget":
        promised = sum(one.guarantee for one in self.classes.values())
        if promised > self.workers:
            said = (
                "the guarantees come to {promised} workers and 'workers' is {workers}: not all can be kept. Lower "
                "some, or raise 'workers' to {promised}"
            )
            raise PydanticCustomError("budget", said, {"promised": promised, "workers": self.workers})
        ranks: dict[int, str] = {}
        for name, one in self.classes.items():
            if one.rank in ranks:
                said = "the classes {first!r} and {second!r} both have rank {rank}. Give each its own"
                raise PydanticCustomError("budget", said, {"first": ranks[one.rank], "second": name, "rank": one.rank})
            ranks[one.rank] = name
            if one.limit is not None and one.limit < one.guarantee:
                said = "class {name!r} is limited to {limit} and guaranteed {guarantee}. Raise 'limit'"
                raise PydanticCustomError(
                    "budget", said, {"name": name, "limit": one.limit, "guarantee": one.guarantee}
                )
        return self


class PoolDemand(ScalingDocument):
    """What one pool wants.

    Attributes:
        pool: Its name.
        business_class: One of the budget's.
        wanted: Workers, as `decide` said.
        running: That it has now, those that start included.
        draining: That it has told to leave and that still finish their tasks.
        least: That it is given before anything else, e.g. 1 for a version that must not be without.
    """

    pool: Name
    business_class: Name
    wanted: int = Field(ge=0)
    running: int = Field(default=0, ge=0)
    draining: int = Field(default=0, ge=0)
    least: int = Field(default=0, ge=0)


class Allocation(ScalingDocument):
    """What one pool gets.

    Attributes:
        pool: Its name.
        share: Workers that it is entitled to now.
        desired: Workers that it shall have at once: never more than are free, since nobody is killed for them.
        borrowed: Of ``share``, workers beyond what its class is guaranteed.
        awaited: Workers of its share that others have yet to give back by draining.
        why: One plain sentence.
    """

    pool: str
    share: int
    desired: int
    borrowed: int
    awaited: int
    why: str


def arbitrate(demands: Sequence[PoolDemand], budget: Budget) -> tuple[Allocation, ...]:
    """Return what each pool gets, in the order of the demands. Pure.

    First every pool gets its ``least``, by rank; then each class up to its guarantee; then what nobody has claimed goes
    to the classes by rank, each as far as it wants and its limit allows. Within a class workers go one by one to the
    pool that has the smallest part of what it wants. A pool above its share is told to shrink, which drains; one below
    it grows only by what is free, and waits for the rest.

    Raises:
        ValueError: A demand names a class that the budget has not, or a pool stands twice.
    """
    _check(demands, budget)
    shares = _shares(demands, budget)
    free = budget.workers - sum(max(one.running, 0) + one.draining for one in demands)
    desired: dict[str, int] = {}
    for one in sorted(demands, key=lambda demand: budget.classes[demand.business_class].rank):
        more = min(max(0, shares[one.pool] - one.running), max(0, free))
        free -= more
        desired[one.pool] = min(shares[one.pool], one.running) + more
    borrowed = _borrowed(demands, budget, shares)
    return tuple(_allocation(one, shares[one.pool], desired[one.pool], borrowed[one.pool]) for one in demands)


def _check(demands: Sequence[PoolDemand], budget: Budget) -> None:
    seen: set[str] = set()
    for one in demands:
        if one.business_class not in budget.classes:
            known = ", ".join(sorted(budget.classes))
            raise ValueError(
                f"Pool {one.pool!r} is of class {one.business_class!r}; the budget has {known}. Add it there."
            )
        if one.pool in seen:
            raise ValueError(f"Pool {one.pool!r} stands twice among the demands. Name each pool once.")
        seen.add(one.pool)


def _shares(demands: Sequence[PoolDemand], budget: Budget) -> Mapping[str, int]:
    shares = {one.pool: 0 for one in demands}
    left = budget.workers
    ranked = sorted(budget.classes.items(), key=lambda item: item[1].rank)

    def give(of_class: str, most: int, wants: Callable[[PoolDemand], int]) -> None:
        nonlocal left
        members = [one for one in demands if one.business_class == of_class]
        while left > 0 and sum(shares[one.pool] for one in members) < most:
            hungry = [one for one in members if shares[one.pool] < wants(one)]
            if not hungry:
                return
            poorest = min(hungry, key=lambda one: (shares[one.pool] / wants(one), -wants(one), one.pool))
            shares[poorest.pool] += 1
            left -= 1

    def limit_of(one: BusinessClass) -> int:
        return budget.workers if one.limit is None else one.limit

    for name, one in ranked:
        give(name, limit_of(one), lambda demand: min(demand.least, demand.wanted))
    for name, one in ranked:
        give(name, min(one.guarantee, limit_of(one)), lambda demand: demand.wanted)
    for name, one in ranked:
        give(name, limit_of(one), lambda demand: demand.wanted)
    return shares


def _borrowed(demands: Sequence[PoolDemand], budget: Budget, shares: Mapping[str, int]) -> Mapping[str, int]:
    """Return by pool what its class has beyond its guarantee, in proportion to shares."""
    borrowed: dict[str, int] = {}
    for name, one in budget.classes.items():
        members = [demand for demand in demands if demand.business_class == name]
        held = sum(shares[demand.pool] for demand in members)
        left = over = max(0, held - one.guarantee)
        for demand in members:
            part = min(left, math.ceil(over * shares[demand.pool] / held)) if held else 0
            borrowed[demand.pool] = part
            left -= part
    return borrowed


def _allocation(demand: PoolDemand, share: int, desired: int, borrowed: int) -> Allocation:
    awaited = max(0, share - desired)
    if demand.running > share:
        given = demand.running - share
        why = f"Gives back {given} by draining: it has {demand.running} and its share is {share}."
    elif awaited:
        why = f"Gets {desired} of {share} now and waits for {awaited} that others give back by draining."
    elif share < demand.wanted:
        why = f"Gets {share} of the {demand.wanted} that it wants: the budget has no more for its class."
    elif borrowed:
        why = f"Gets the {share} that it wants, {borrowed} of them borrowed from what others do not need."
    else:
        why = f"Gets the {share} that it wants."
    return Allocation(pool=demand.pool, share=share, desired=desired, borrowed=borrowed, awaited=awaited, why=why)
