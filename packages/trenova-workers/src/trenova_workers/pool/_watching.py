"""What a pool knows of its queues, and the observation that the control law is given."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from trenova_workers._fleet._status import WorkerState
from trenova_workers.pool._carried import foreign
from trenova_workers.pool._dependencies import DependencyHealth
from trenova_workers.pool._figures import Figures, KnownSlots, QueueObserver
from trenova_workers.pool._heard import heard
from trenova_workers.pool._sights import WHOLE, Sight
from trenova_workers.pool._versioned import VersionObserver
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
        versions: Reads the versions of the workers; None where they are not versioned.
        dependencies: Knows whether what the tasks need works; None if nobody does.

    Attributes:
        figures: The last reading.
        sights: The parts of the pool at the last reading, by the builds of versions; the most important first.
        down: Names of what the tasks need and what is down.
        foreign: Identities of workers of the service that poll here and are nobody's of ours.
    """

    def __init__(
        self,
        pool: str,
        service: str,
        observer: QueueObserver,
        *,
        calendar: FireCalendar | None = None,
        versions: VersionObserver | None = None,
        dependencies: DependencyHealth | None = None,
    ) -> None:
        self.figures = Figures(None)
        self.sights: Mapping[str, Sight] = {}
        self.down: tuple[str, ...] = ()
        self._versions, self._dependencies = versions, dependencies
        self.foreign: list[str] = []
        self.service = service
        self._pool, self._observer, self._calendar = pool, observer, calendar
        self._strangers: list[str] = []
        self._calendar_known = True

    @property
    def versioned(self) -> bool:
        """Whether the pool has a part for each version of its workers, and not just one."""
        return self._versions is not None

    async def read(self, own: Collection[str], *, build: str, there: Collection[str]) -> None:
        """Read the queues.

        Args:
            own: Identities of workers that are or were ours.
            build: What the pool would start a worker of now.
            there: Builds of which it has workers, or should.
        """
        self.down = await self._are_down()
        if self._versions is None:
            self.figures = await self._observer.read()
            self.sights = {WHOLE: Sight(figures=self.figures)}
        else:
            self.figures, (self.sights, missing) = await asyncio.gather(
                self._observer.read(), self._versions.read(build=build, there=there)
            )
            self.figures = replace(self.figures, missing=(*self.figures.missing, *missing))
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
        self,
        now: datetime,
        sight: Sight,
        view: PoolView,
        *,
        planned: int,
        override: Override | None,
        policy: ScalingPolicy,
    ) -> Observation:
        """Return what the control law decides about.

        Args:
            now: When it decides.
            sight: The part of the pool that it decides about.
            view: The workers of that part.
            planned: How many there should be until now.
            override: What an operator wants.
            policy: How far ahead the calendar counts.
        """
        figures = sight.figures
        running = [one for one in view.workers if one.phase is WorkerPhase.RUNNING]
        slots = KnownSlots.of(self.figures.workers).scarcest(one.identity or "" for one in running)
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
            slots_used=None if slots is None else slots.used,
            slots=None if slots is None else slots.total,
            rate_limited=figures.rate_limited,
            dependency_down=bool(self.down),
            dependencies_down=self.down,
            open_workflows=figures.open_workflows,
            version_state=sight.state,
            upcoming=await self._upcoming(now, policy.horizon_s, sight.share),
            override=override if sight.leads else None,
        )

    async def _are_down(self) -> tuple[str, ...]:
        if self._dependencies is None:
            return ()
        try:
            return tuple(await self._dependencies.down(self._pool))
        except Exception as error:  # noqa: BLE001 - the protocol allows any; the pool is scaled without
            _log.warning("dependencies unknown", extra={"pool": self._pool, "error": type(error).__name__})
            return ()

    async def _upcoming(self, now: datetime, horizon_s: float, percent: float) -> tuple[ExpectedArrivals, ...]:
        if self._calendar is None or not horizon_s or not percent:
            return ()
        until = now + timedelta(seconds=horizon_s)
        try:
            found = await self._calendar.upcoming(self._pool, after=now, until=until)
        except Exception as error:  # noqa: BLE001 - the protocol allows any; the pool is scaled without
            if self._calendar_known:
                _log.warning("no calendar", extra={"pool": self._pool, "error": f"{type(error).__name__}: {error}"})
            self._calendar_known = False
            return ()
        self._calendar_known = True
        share = percent / 100
        return tuple(one.model_copy(update={"tasks": one.tasks and one.tasks * share}) for one in found)
