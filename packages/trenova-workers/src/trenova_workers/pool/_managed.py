"""One pool under management: looked after all the time, and decided about now and then."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_errors import ApplicationError
from trenova_workers._fleet._status import WorkerState
from trenova_workers.pool._acting import Acting
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._carried import Carried, foreign
from trenova_workers.pool._contention import judge_contention, unexplained
from trenova_workers.pool._crashes import CrashVerdict, judge_crashes
from trenova_workers.pool._figures import Figures, KnownSlots, QueueObserver, SlotCount
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool._plan import Plan, plan
from trenova_workers.pool._worker import PoolView, PoolWorker, WorkerPhase
from trenova_workers.pool.store import KeptDecision, Lease, PoolOrders, PoolPhase, PoolState, PoolStore
from trenova_workers.scaling import (
    Decision,
    ExpectedArrivals,
    FireCalendar,
    Observation,
    ScalingPolicy,
    ScalingState,
    WorkerCounts,
)

Decide = Callable[[Observation, ScalingState, ScalingPolicy], Decision]
"""The control law."""

_KEEP_EVERY: Final = timedelta(seconds=5)
_log = logging.getLogger(__name__)


class ManagedPool:
    """One pool of a manager.

    Args:
        name: Of the pool.
        options: Of the pool.
        service: Whose workers these are, as their identities say.
        backend: Runs them.
        observer: Reads their queues.
        store: Where everything is kept.
        decide: The control law.
        metrics: Told what is done.
        calendar: What schedules will bring; None if nobody knows.
        clock: Returns the time of now.
    """

    def __init__(
        self,
        name: str,
        options: PoolOptions,
        *,
        service: str,
        backend: Backend,
        observer: QueueObserver,
        store: PoolStore,
        decide: Decide,
        metrics: PoolMetrics,
        calendar: FireCalendar | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self.options, self.service = name, options, service
        self.view = PoolView(())
        self.desired: int | None = None
        self._backend, self._observer, self._store = backend, observer, store
        self._decide, self._calendar, self._metrics, self._clock = decide, calendar, metrics, clock
        self._acting = Acting(name, backend, store, metrics)
        self._carried = Carried()
        self._figures = Figures(None)
        self._strangers: list[str] = []
        self._foreign: list[str] = []
        self._kept: PoolState | None = None
        self._written: int | None = None
        self._decided_at: datetime | None = None
        self._new = True
        self._why = ""

    @property
    def due(self) -> bool:
        """Whether it is time to decide again."""
        every = timedelta(seconds=self.options.policy.poll_s)
        return self._decided_at is None or self._clock() - self._decided_at >= every

    async def take_over(self, lease: Lease) -> None:
        """Go on where the last manager was; with the next look come the workers that it has left."""
        kept = await self._store.states.find(lease.scope, self.name)
        self._carried = Carried.of(kept)
        self._written = self._kept = self._decided_at = None
        self._new = True
        self.desired = kept.desired if kept else None

    async def look(self, lease: Lease | None) -> None:
        """See which workers are there."""
        view = await self._backend.look(lease)
        slots = KnownSlots.of(self._figures.workers).by_identity
        self.view = PoolView([_with_slots(one, slots) for one in view.workers], view.ends)

    async def observe(self, scope: str) -> Decision:
        """Read the queues and apply the control law; nothing is changed by it.

        Args:
            scope: Of the manager, for the orders of operators.
        """
        self._decided_at = now = self._clock()
        self._figures = await self._observer.read()
        seen = [
            one.identity
            for one in self._figures.workers
            if one.state is WorkerState.RUNNING and one.service == self.service
        ]
        own = [*self._carried.identities, *(one.identity for one in self.view.workers if one.identity)]
        before, self._strangers = self._strangers, [one for one in seen if one not in own]
        self._foreign = foreign(self._strangers, before, own)
        orders = await self._store.orders.find(scope, self.name)
        return self._decide(await self._observation(now, orders), self._carried.law, self.options.policy)

    async def settle(self, lease: Lease, decision: Decision, allowed: int, why: str = "") -> None:
        """Keep a decision, and want as many workers from now on as the budget allows.

        Args:
            lease: Under which it was made.
            decision: Of the control law.
            allowed: How many of the desired workers the pool may have.
            why: Why not all of them; empty if it may.

        Raises:
            LeaseLostError: Another manager decides.
        """
        orders = await self._store.orders.find(lease.scope, self.name)
        said = decision.why if not why else f"{decision.why} {why}"
        desired = self._wanted if orders.pause is not None else allowed
        document = decision.model_dump(mode="json", by_alias=True)
        kept = KeptDecision(
            pool=self.name,
            action=decision.action,
            before=self._wanted,
            desired=desired,
            why=said if orders.pause is None else f"Paused, so nothing changes. {said}",
            document={**document, "allowed": allowed, "missing": list(self._figures.missing)},
        )
        await self._store.decisions.keep(lease, kept)
        law = decision.state if orders.pause is None else self._carried.law
        self._carried = self._carried.model_copy(update={"law": law})
        self.desired, self._why = desired, kept.why

    async def tend(self, lease: Lease) -> PoolState:
        """Look at the workers and do what brings them nearer to what is wanted; return where the pool is.

        Raises:
            LeaseLostError: Another manager may act.
        """
        now = self._clock()
        await self.look(lease)
        # What ended while nobody looked is no sign of a crash loop: the machine may have been started anew.
        self._carried = self._carried.after(self.view, now, crashes=not self._new)
        self._new = False
        await self._acting.tell_ends(lease, self.view)
        build = await self._backend.build()
        orders = await self._store.orders.find(lease.scope, self.name)
        self._forgive(orders, now)
        crashes = self._judge_crashes(now, build)
        contended = self._judge_contention(now)
        wanted = plan(self._wanted, self.view.workers, build, may_start=crashes.may_start)
        if contended:
            self._written = self._there
        else:
            change = await self._acting.carry_out(lease, wanted, self.view, build)
            self._written = None if change is None else self._there + change
        state = self._state(lease, build, orders, crashes=crashes, contended=contended, wanted=wanted)
        return await self._keep(lease, state, now)

    async def rehearse(self, scope: str) -> str:
        """Say what this manager would do now; nothing is written and nothing changed."""
        kept = await self._store.states.find(scope, self.name)
        self._carried, self.desired = Carried.of(kept), kept.desired if kept else None
        await self.look(None)
        decision = await self.observe(scope)
        build = await self._backend.build()
        wanted = plan(decision.desired, self.view.workers, build)
        acts = f"would start {wanted.start} and drain {len(wanted.drains)}"
        return f"{decision.before} -> {decision.desired}, {acts}. {decision.why}"

    def want_none(self) -> None:
        """Want no worker from now on, because the manager stops; the next one wants again what the load asks for."""
        self.desired, self._why = 0, "The manager stops and drains its workers."

    async def fail(self, lease: Lease, error: ApplicationError) -> None:
        """Say in the pool's state that it could not be looked after."""
        state = self._told(lease, PoolPhase.BLIND, error.message, build=self._kept.build if self._kept else "")
        await self._keep(lease, state, self._clock())

    @property
    def _wanted(self) -> int:
        """How many there should be; before the first decision, as many as there are."""
        return self.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING) if self.desired is None else self.desired

    @property
    def _there(self) -> int:
        return self.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING, WorkerPhase.LOST)

    async def _observation(self, now: datetime, orders: PoolOrders) -> Observation:
        figures, view, policy = self._figures, self.view, self.options.policy
        running = [one for one in view.workers if one.phase is WorkerPhase.RUNNING]
        told = [one for one in running if one.slots is not None]
        upcoming: tuple[ExpectedArrivals, ...] = ()
        if self._calendar is not None and policy.horizon_s:
            until = now + timedelta(seconds=policy.horizon_s)
            try:
                upcoming = tuple(await self._calendar.upcoming(self.name, after=now, until=until))
            except Exception as error:  # noqa: BLE001 - the protocol allows any; the pool is scaled without
                _log.warning("no calendar", extra={"pool": self.name, "error": type(error).__name__})
        return Observation(
            pool=self.name,
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
                planned=self._wanted,
            ),
            slots_used=sum(one.slots_used or 0 for one in told) if told and len(told) == len(running) else None,
            slots=sum(one.slots or 0 for one in told) if told and len(told) == len(running) else None,
            rate_limited=figures.rate_limited,
            open_workflows=figures.open_workflows,
            upcoming=upcoming,
            override=orders.override,
        )

    def _forgive(self, orders: PoolOrders, now: datetime) -> None:
        """Take a resume for the word that what crashed is mended."""
        crashes = self._carried.crashes
        resumed = orders.resumed_at
        if resumed is not None and crashes.looping_since is not None and resumed > crashes.looping_since:
            forgiven = crashes.model_copy(update={"looping_since": None, "forgiven_at": now})
            self._carried = self._carried.model_copy(update={"crashes": forgiven})

    def _judge_crashes(self, now: datetime, build: str) -> CrashVerdict:
        verdict = judge_crashes(
            self._carried.crashed_at,
            self._carried.crashes,
            self.options.crashes,
            now=now,
            build=build,
            since=[one.started_at for one in self.view.workers if one.counts],
        )
        self._carried = self._carried.model_copy(update={"crashes": verdict.state})
        return verdict

    def _judge_contention(self, now: datetime) -> str:
        crashed = sum(end.crashed for end in self.view.ends)
        seen = "" if self._written is None else unexplained(self._written, self._there, crashed)
        if not seen and self._foreign and self.options.contention.exclusive:
            named = ", ".join(self._foreign[:3])
            seen = f"{len(self._foreign)} workers of {self.service} that this manager did not start poll here ({named})"
        verdict = judge_contention(seen, self._carried.contention, self.options.contention, now=now)
        self._carried = self._carried.model_copy(update={"contention": verdict.state})
        return verdict.why

    def _state(
        self, lease: Lease, build: str, orders: PoolOrders, *, crashes: CrashVerdict, contended: str, wanted: Plan
    ) -> PoolState:
        if contended:
            phase, why = PoolPhase.CONTENDED, contended
        elif crashes.looping:
            phase, why = PoolPhase.CRASHING, crashes.why
        elif orders.pause is not None:
            phase, why = PoolPhase.PAUSED, f"{orders.pause.by} paused it: {orders.pause.reason}"
        elif self._figures.missing:
            phase, why = PoolPhase.BLIND, "; ".join(self._figures.missing)
        elif wanted.why or crashes.why:
            said = "; ".join(part for part in (wanted.why, crashes.why) if part)
            phase, why = PoolPhase.CHANGING, f"{said}. {self._why}".rstrip()
        else:
            phase, why = PoolPhase.STEADY, self._why
        return self._told(lease, phase, f"{why.rstrip('.')}." if why else "", build=build)

    def _told(self, lease: Lease, phase: PoolPhase, why: str, *, build: str) -> PoolState:
        counts = {str(one): self.view.count(one) for one in WorkerPhase}
        return PoolState(
            pool=self.name,
            phase=phase,
            why=why,
            desired=self._wanted,
            written=self._there if self._written is None else self._written,
            counts={**counts, "foreign": len(self._foreign)},
            build=build,
            fence=lease.fence,
            updated_at=self._clock(),
            workers=tuple(one.model_dump(mode="json", by_alias=True) for one in self.view.workers),
            carried=self._carried.model_dump(mode="json"),
        )

    async def _keep(self, lease: Lease, state: PoolState, now: datetime) -> PoolState:
        """Write the state where it says something new, and every few seconds, as a sign of life."""
        before = self._kept
        self._metrics.show(state)
        unlike = before is None or _said(before) != _said(state)
        if unlike or before is None or before.updated_at is None or now - before.updated_at >= _KEEP_EVERY:
            if unlike and (before is None or before.phase is not state.phase):
                _log.info("pool", extra={"pool": self.name, "phase": str(state.phase), "why": state.why})
            await self._store.states.keep(lease, state)
            self._kept = state
        return state


def _said(state: PoolState) -> object:
    return state.phase, state.desired, state.written, dict(state.counts), state.build, state.carried


def _with_slots(worker: PoolWorker, slots: Mapping[str, SlotCount]) -> PoolWorker:
    known = slots.get(worker.identity) if worker.identity else None
    return worker if known is None else worker.model_copy(update={"slots_used": known.used, "slots": known.total})
