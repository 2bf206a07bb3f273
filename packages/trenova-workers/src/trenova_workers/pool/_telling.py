"""Where a pool is, in a word and a sentence, kept where everybody can read it."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from trenova_workers.pool._crashes import CrashVerdict
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._parts import Parts
from trenova_workers.pool._plan import Plan
from trenova_workers.pool._sights import WHOLE, Sight
from trenova_workers.pool._watching import QueueWatch
from trenova_workers.pool._worker import PoolVersion
from trenova_workers.pool.store import Lease, PoolBounds, PoolOrders, PoolPhase, PoolState, PoolStates
from trenova_workers.scaling import ScalingPolicy

_KEEP_EVERY: Final = timedelta(seconds=5)
_log = logging.getLogger(__name__)


def phase_of(
    orders: PoolOrders, crashes: CrashVerdict, plan: Plan, *, contended: str, missing: tuple[str, ...], decided: str
) -> tuple[PoolPhase, str]:
    """Return where a pool is and why; of several reasons, the one that somebody has to do something about.

    Args:
        orders: Of operators.
        crashes: What may be started.
        plan: What is done next.
        contended: What another writer does; empty if there is none.
        missing: What could not be read.
        decided: The sentence of the last decision.
    """
    if contended:
        phase, why = PoolPhase.CONTENDED, contended
    elif crashes.looping:
        phase, why = PoolPhase.CRASHING, crashes.why
    elif orders.pause is not None:
        phase, why = PoolPhase.PAUSED, f"{orders.pause.by} paused it: {orders.pause.reason}"
    elif missing:
        phase, why = PoolPhase.BLIND, "; ".join(missing)
    elif plan.why or crashes.why:
        under_way = "; ".join(part for part in (plan.why, crashes.why) if part)
        phase, why = PoolPhase.CHANGING, f"{under_way[:1].upper()}{under_way[1:]}. {decided}".rstrip()
    else:
        phase, why = PoolPhase.STEADY, decided
    return phase, f"{why.rstrip('.')}." if why else ""


def told_versions(parts: Parts, sights: Mapping[str, Sight]) -> Iterator[dict[str, Any]]:
    """Yield what is told of each version of a pool whose workers are versioned, the most important first."""
    for build in [*sights, *(one for one in parts.builds if one not in sights)]:
        if build == WHOLE:
            continue
        sight = sights.get(build, Sight(build, leads=False, share=0.0))
        told = PoolVersion(
            build=build,
            state=sight.told,
            percent=sight.share,
            desired=parts.wanted_of(build),
            counts=parts.of(build).counts,
            backlog=sight.figures.backlog,
            open_runs=sight.figures.open_workflows,
            why=sight.needed.why if sight.needed else "",
        )
        yield told.model_dump(mode="json", by_alias=True)


def state_of(
    pool: str,
    phase: PoolPhase,
    why: str,
    *,
    parts: Parts,
    watch: QueueWatch,
    policy: ScalingPolicy,
    written: int | None,
) -> PoolState:
    """Return what is kept of a pool; who writes it, and when, is still to be told.

    Args:
        pool: Its name.
        phase: Where it is.
        why: The sentence of that.
        parts: Its workers.
        watch: Its queues.
        policy: In force.
        written: Workers that the manager left, drains apart; None if it does not know.
    """
    view = parts.view
    return PoolState(
        pool=pool,
        phase=phase,
        why=why,
        desired=parts.wanted,
        written=view.there if written is None else written,
        counts={**view.counts, "foreign": len(watch.foreign)},
        workers=tuple(one.model_dump(mode="json", by_alias=True) for one in view.workers),
        bounds=PoolBounds.model_validate(policy, from_attributes=True),
        versions=tuple(told_versions(parts, watch.sights)),
        carried=parts.carried.model_dump(mode="json"),
    )


class PoolScribe:
    """Keeps the state of one pool.

    Args:
        states: Of the store.
        metrics: Told the same.
    """

    def __init__(self, states: PoolStates, metrics: PoolMetrics) -> None:
        self._states, self._metrics = states, metrics
        self.last: PoolState | None = None

    async def keep(self, lease: Lease, state: PoolState, now: datetime) -> None:
        """Write a state where it says something new, and every few seconds, as a sign of life.

        Raises:
            LeaseLostError: Another manager may write it.
        """
        before = self.last
        self._metrics.show(state)
        news = before is None or _said(before) != _said(state)
        if before is None or (before.phase, before.desired) != (state.phase, state.desired):
            _log.info("pool %r is %s and wants %d: %s", state.pool, state.phase, state.desired, state.why)
        if news or before is None or before.updated_at is None or now - before.updated_at >= _KEEP_EVERY:
            await self._states.keep(lease, state)
            self.last = state


def _said(state: PoolState) -> object:
    return state.phase, state.desired, state.written, dict(state.counts), state.build, state.versions, state.carried
