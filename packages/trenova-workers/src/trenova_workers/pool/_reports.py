"""What people and programs are told of pools, over HTTP and on the command line."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from trenova_workers.pool._worker import PoolVersion, PoolWorker
from trenova_workers.pool.store import LeaseHolder, PoolBounds, PoolOrders, PoolPhase, PoolState
from trenova_workers.pool.store._documents import PoolDocument

UNSEEN_AFTER = timedelta(seconds=20)
"""A manager writes each pool every five seconds; one that it has not written for so long is looked after by nobody."""


class ManagerReport(PoolDocument):
    """Who acts.

    Attributes:
        scope: On which pools.
        holder: Identity of the manager that has the lease, or had it last; empty if none ever did.
        fence: Number of the lease.
        acting: Whether the lease holds now.
    """

    scope: str
    holder: str = ""
    fence: int = 0
    acting: bool = False


class PoolReport(PoolDocument):
    """One pool.

    Attributes:
        name: Of the pool.
        phase: Where it is, by its manager; None before a manager has seen it.
        why: That in one sentence.
        desired: How many workers it should have.
        counts: How many it has, by what they do; ``foreign`` are on its queues and not its own.
        build: What new workers run.
        managed: Whether a manager looks after it; if not, the rest is as of ``seen_at``.
        seen_at: When its manager last wrote it.
        orders: What operators want.
        bounds: Of its policy; None where nobody has told it.
        versions: Each version of its workers that has any or needs some; none where they are not versioned.
    """

    name: str
    phase: PoolPhase | None = None
    why: str = ""
    desired: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    build: str = ""
    managed: bool = False
    seen_at: AwareDatetime | None = None
    orders: PoolOrders
    bounds: PoolBounds | None = None
    versions: tuple[PoolVersion, ...] = ()


class PoolsReport(PoolDocument):
    """All pools of a scope, and who acts on them."""

    manager: ManagerReport
    pools: tuple[PoolReport, ...]


class WorkersReport(PoolDocument):
    """All workers of a scope, as their manager saw them last."""

    workers: tuple[PoolWorker, ...]


def manager_report(scope: str, holder: LeaseHolder | None) -> ManagerReport:
    """Return who acts."""
    if holder is None:
        return ManagerReport(scope=scope)
    return ManagerReport(scope=scope, holder=holder.holder, fence=holder.fence, acting=holder.seconds_left > 0)


def pool_report(name: str, state: PoolState | None, orders: PoolOrders, *, acting: bool, now: datetime) -> PoolReport:
    """Return one pool as it is told.

    Args:
        name: Of the pool.
        state: As its manager left it; None if none ever saw it.
        orders: What operators want.
        acting: Whether a manager has the lease.
        now: By the clock of the database.
    """
    if state is None or state.updated_at is None:
        return PoolReport(name=name, why="No manager has seen it yet.", orders=orders)
    unseen = now - state.updated_at
    managed = acting and unseen < UNSEEN_AFTER
    lead = "" if managed else f"No manager has looked at it for {unseen.total_seconds():.0f} s; before: "
    return PoolReport(
        name=name,
        phase=state.phase,
        why=f"{lead}{state.why}",
        desired=state.desired,
        counts=dict(state.counts),
        build=state.build,
        managed=managed,
        seen_at=state.updated_at,
        orders=orders,
        bounds=state.bounds,
        versions=tuple(PoolVersion.model_validate(one) for one in state.versions),
    )
