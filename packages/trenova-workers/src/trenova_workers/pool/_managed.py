"""One pool under management: looked after all the time, and decided about now and then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from trenova_errors import ApplicationError
from trenova_workers.pool._acting import Acting
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._carried import Carried
from trenova_workers.pool._contention import unexplained
from trenova_workers.pool._figures import QueueObserver
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool._plan import Plan, plan
from trenova_workers.pool._telling import PoolScribe, phase_of
from trenova_workers.pool._watching import QueueWatch
from trenova_workers.pool._worker import PoolView, WorkerPhase
from trenova_workers.pool.store import KeptDecision, Lease, PoolBounds, PoolPhase, PoolState, PoolStore
from trenova_workers.scaling import Decision, FireCalendar, Observation, ScalingPolicy, ScalingState

Decide = Callable[[Observation, ScalingState, ScalingPolicy], Decision]
"""The control law."""


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
        self.name, self.options = name, options
        self.view = PoolView(())
        self.desired: int | None = None
        self._asked: int | None = None
        self._backend, self._store, self._decide, self._clock = backend, store, decide, clock
        self._watch = QueueWatch(name, service, observer, calendar)
        self._scribe = PoolScribe(store.states, metrics)
        self._acting = Acting(name, backend, store, metrics)
        self._carried = Carried()
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
        self._written = self._decided_at = self._scribe.last = None
        self._new = True
        self.desired = kept.desired if kept else None

    async def look(self, lease: Lease | None) -> None:
        """See which workers are there."""
        self.view = self._watch.with_slots(await self._backend.look(lease))

    async def observe(self, scope: str) -> Decision:
        """Read the queues and apply the control law; nothing is changed by it.

        Args:
            scope: Of the manager, for the orders of operators.
        """
        self._decided_at = now = self._clock()
        identities = (one.identity for one in self.view.workers if one.identity)
        await self._watch.read({*self._carried.identities, *identities})
        orders = await self._store.orders.find(scope, self.name)
        policy = self.options.policy
        observation = await self._watch.observation(
            now, self.view, planned=self.wanted, override=orders.override, policy=policy
        )
        return self._decide(observation, self._carried.law, policy)

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
        desired = self.wanted if orders.pause is not None else allowed
        document = decision.model_dump(mode="json", by_alias=True)
        kept = KeptDecision(
            pool=self.name,
            action=decision.action,
            before=self.wanted,
            desired=desired,
            why=said if orders.pause is None else f"Paused, so nothing changes. {said}",
            document={**document, "allowed": allowed, "missing": list(self._watch.figures.missing)},
        )
        await self._store.decisions.keep(lease, kept)
        law = decision.state if orders.pause is None else self._carried.law
        self._carried = self._carried.model_copy(update={"law": law})
        self._asked = decision.desired
        self.desired, self._why = desired, kept.why

    async def reallot(self, lease: Lease, allowed: int, why: str) -> None:
        """Want another number of workers because other pools need more or less of the budget.

        Raises:
            LeaseLostError: Another manager decides.
        """
        if (await self._store.orders.find(lease.scope, self.name)).pause is not None:
            return
        kept = KeptDecision(
            pool=self.name,
            action="up" if allowed > self.wanted else "down",
            before=self.wanted,
            desired=allowed,
            why=why or "The budget has again what it wants.",
            document={"trigger": "budget", "asked": self.asked, "allowed": allowed},
        )
        await self._store.decisions.keep(lease, kept)
        self.desired, self._why = allowed, kept.why

    async def tend(self, lease: Lease) -> None:
        """Look at the workers and do what brings them nearer to what is wanted.

        Raises:
            LeaseLostError: Another manager may act.
        """
        now = self._clock()
        await self.look(lease)
        # What ended while nobody looked is no sign of a crash loop: the machine may have been started anew.
        carried = self._carried.after(self.view, now, crashes=not self._new)
        self._new = False
        await self._acting.tell_ends(lease, self.view)
        build = await self._backend.build()
        orders = await self._store.orders.find(lease.scope, self.name)
        started = [one.started_at for one in self.view.workers if one.counts]
        carried, crashes = carried.forgiven(orders.resumed_at, now).judged_crashes(
            self.options.crashes, now=now, build=build, since=started
        )
        self._carried, contended = carried.judged_contention(self._another_writer(), self.options.contention, now=now)
        wanted = self._plan(self.wanted, build, crashes.may_start)
        if contended:
            self._written = self._there
        else:
            change = await self._acting.carry_out(lease, wanted, self.view, build)
            self._written = None if change is None else self._there + change
        missing = self._watch.figures.missing
        phase, why = phase_of(orders, crashes, wanted, contended=contended, missing=missing, decided=self._why)
        await self._scribe.keep(lease, self._state(lease, phase, why, build=build), now)

    async def rehearse(self, scope: str) -> str:
        """Say what this manager would do now; nothing is written and nothing changed."""
        kept = await self._store.states.find(scope, self.name)
        self._carried, self.desired = Carried.of(kept), kept.desired if kept else None
        await self.look(None)
        decision = await self.observe(scope)
        build = await self._backend.build()
        wanted = self._plan(decision.desired, build)
        acts = f"would start {wanted.start} and drain {len(wanted.drains)}"
        return f"{decision.before} -> {decision.desired}, {acts}. {decision.why}"

    def want_none(self) -> None:
        """Want no worker from now on, because the manager stops; the next one wants again what the load asks for."""
        self.desired, self._why = 0, "The manager stops and drains its workers."

    async def fail(self, lease: Lease, error: ApplicationError) -> None:
        """Say in the pool's state that it could not be looked after."""
        build = self._scribe.last.build if self._scribe.last else ""
        state = self._state(lease, PoolPhase.BLIND, error.message, build=build)
        await self._scribe.keep(lease, state, self._clock())

    @property
    def asked(self) -> int:
        """How many the control law wanted last, whatever the budget allowed."""
        return self.wanted if self._asked is None else self._asked

    @property
    def wanted(self) -> int:
        """How many there should be; before the first decision, as many as there are."""
        return self.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING) if self.desired is None else self.desired

    @property
    def _there(self) -> int:
        """How many there are that nobody of ours asked to end; those that fail are still to crash."""
        failing = sum(one.failing for one in self.view.workers)
        return failing + self.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING, WorkerPhase.LOST)

    def _plan(self, desired: int, build: str, may_start: int | None = None) -> Plan:
        replaces = self._backend.capabilities.replaces_builds
        return plan(desired, self.view.workers, build if replaces else None, may_start=may_start)

    def _another_writer(self) -> str:
        """Say what somebody else did or does; empty if nothing."""
        if self.view.contended:
            return self.view.contended
        crashed = sum(end.crashed for end in self.view.ends)
        seen = "" if self._written is None else unexplained(self._written, self._there, crashed)
        strangers = self._watch.foreign
        if seen or not strangers or not self.options.contention.exclusive:
            return seen
        what = f"{len(strangers)} workers of {self._watch.service} that this manager did not start poll its queues"
        return f"{what} ({', '.join(strangers[:3])})"

    def _state(self, lease: Lease, phase: PoolPhase, why: str, *, build: str) -> PoolState:
        counts = {str(one): self.view.count(one) for one in WorkerPhase}
        return PoolState(
            pool=self.name,
            phase=phase,
            why=why,
            desired=self.wanted,
            written=self._there if self._written is None else self._written,
            counts={**counts, "foreign": len(self._watch.foreign)},
            build=build,
            fence=lease.fence,
            updated_at=self._clock(),
            workers=tuple(one.model_dump(mode="json", by_alias=True) for one in self.view.workers),
            bounds=PoolBounds.model_validate(self.options.policy, from_attributes=True),
            carried=self._carried.model_dump(mode="json"),
        )
