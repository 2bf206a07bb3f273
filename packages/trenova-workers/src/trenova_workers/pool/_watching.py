"""What a pool knows of its queues, and the observation that the control law is given."""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from trenova_workers._fleet._status import WorkerState
from trenova_workers.pool._carried import foreign
from trenova_workers.pool._figures import Figures, KnownSlots, QueueObserver
from trenova_workers.pool._heard import heard
from trenova_workers.pool._worker import PoolView, PoolWorker, WorkerPhase
from trenova_workers.scaling import ExpectedArrivals, FireCalendar, Observation, Override, ScalingPolicy, WorkerCounts

_log = logging.getLogger(__name__)


class QueueWatch:
    """The queues of one pool, from one reading to the next.

    Args:
        pool: Name of the pool.
        service: Whose workers these are, as their identities say.
        observer: Reads the queues.
        calendar: What schedules will bring; None if nobody knows.

    Attributes:
        figures: The last reading.
        foreign: Identities of workers of the service that poll here and are nobody's of ours.
    """

    def __init__(self, pool: str, service: str, observer: QueueObserver, calendar: FireCalendar | None = None) -> None:
        self.figures = Figures(None)
        self.foreign: list[str] = []
        self.service = service
        self._pool, self._observer, self._calendar = pool, observer, calendar
        self._strangers: list[str] = []

    async def read(self, own: Collection[str]) -> None:
        """Read the queues.

        Args:
            own: Identities of workers that are or were ours.
        """
        self.figures = await self._observer.read()
        before, self._strangers = (
            self._strangers,
            [
                one.identity
                for one in self.figures.workers
                if one.state is WorkerState.RUNNING and one.service == self.service and one.identity not in own
            ],
        )
        self.foreign = foreign(self._strangers, before, list(own))

    def with_slots(self, view: PoolView) -> PoolView:
        """Return workers with what their heartbeats said of slots."""
        slots = KnownSlots.of(self.figures.workers).by_identity
        statuses = {status.identity: status for status in self.figures.workers}

        def one(worker: PoolWorker) -> PoolWorker:
            if not worker.identity or (status := statuses.get(worker.identity)) is None:
                return worker
            worker = heard(worker, status, self.figures.at)
            known = slots.get(worker.identity or "")
            return (
                worker if known is None else worker.model_copy(update={"slots_used": known.used, "slots": known.total})
            )

        return replace(view, workers=[one(worker) for worker in view.workers])

    async def observation(
        self, now: datetime, view: PoolView, *, planned: int, override: Override | None, policy: ScalingPolicy
    ) -> Observation:
        """Return what the control law decides about.

        Args:
            now: When it decides.
            view: The workers.
            planned: How many there should be until now.
            override: What an operator wants.
            policy: How far ahead the calendar counts.
        """
        figures = self.figures
        running = [one for one in view.workers if one.phase is WorkerPhase.RUNNING]
        known = bool(running) and all(one.slots is not None for one in running)
        return Observation(
            pool=self._pool,
            at=now,
            read_at=figures.read_at,
            backlog=figures.backlog,
            backlog_age_s=figures.backlog_age_s,
            arrival_rate=figures.arrival_rate,
            dispatch_rate=figures.dispatch_rate,
            workers=WorkerCounts(
                running=len(running),
                starting=view.count(WorkerPhase.STARTING),
                draining=view.count(WorkerPhase.DRAINING),
                planned=planned,
            ),
            slots_used=sum(one.slots_used or 0 for one in running) if known else None,
            slots=sum(one.slots or 0 for one in running) if known else None,
            rate_limited=figures.rate_limited,
            open_workflows=figures.open_workflows,
            upcoming=await self._upcoming(now, policy.horizon_s),
            override=override,
        )

    async def _upcoming(self, now: datetime, horizon_s: float) -> tuple[ExpectedArrivals, ...]:
        if self._calendar is None or not horizon_s:
            return ()
        until = now + timedelta(seconds=horizon_s)
        try:
            return tuple(await self._calendar.upcoming(self._pool, after=now, until=until))
        except Exception as error:  # noqa: BLE001 - the protocol allows any; the pool is scaled without
            _log.warning("no calendar", extra={"pool": self._pool, "error": type(error).__name__})
            return ()
