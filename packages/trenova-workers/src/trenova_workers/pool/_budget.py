"""What each pool may have of the workers that all pools share."""

from collections.abc import Mapping, Sequence

from trenova_workers.pool._managed import ManagedPool
from trenova_workers.scaling import Decision


def shared(
    pools: Sequence[ManagedPool], decisions: Mapping[ManagedPool, Decision], budget: int | None
) -> dict[ManagedPool, tuple[int, str]]:
    """Return, for each pool that was decided about, how many workers it may have, and why not all that it wants."""
    del pools, budget
    return {pool: (decision.desired, "") for pool, decision in decisions.items()}
