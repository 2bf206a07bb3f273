"""One pool under management: looked after all the time, and decided about now and then."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trenova_errors import ApplicationError
from trenova_workers.pool._acting import Acting
from trenova_workers.pool._asked import Asked
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._carried import Carried
from trenova_workers.pool._contention import unexplained
from trenova_workers.pool._crashes import CrashVerdict, gravest
from trenova_workers.pool._dependencies import DependencyHealth
from trenova_workers.pool._figures import QueueObserver
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool._parts import Parts
from trenova_workers.pool._plan import Plan, merged, plan
from trenova_workers.pool._telling import PoolScribe, phase_of, told_versions
from trenova_workers.pool._versioned import VersionObserver
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
        versions: Reads the versions of its workers; None where they are not versioned.
        dependencies: Knows whether what its tasks need works; None if nobody does.
        clock: Returns the time of now.

    Attributes:
        kin: Identities of workers on its queues that are another pool's of this manager, or were.
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
        versions: VersionObserver | None = None,
        dependencies: DependencyHealth | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self.options = name, options
        self.kin: Collection[str] = ()
        self._asked: Asked | None = None
        self._parts = Parts(versioned=versions is not None)
        self._backend, self._store, self._decide, self._clock = backend, store, decide, clock
        self._watch = QueueWatch(
            name, service, observer, calendar=calendar, versions=versions, dependencies=dependencies
        )
        self._scribe = PoolScribe(store.states, metrics)
        self._acting = Acting(name, backend, store, metrics)
        self._written: int | None = None
        self._decided_at: datetime | None = None
        self._new = True
        self._ends = False
        self._why = ""

    @property
    def due(self) -> bool:
        """Whether it is time to decide again."""
        every = timedelta(seconds=self.options.policy.poll_s)
        return self._decided_at is None or self._clock() - self._decided_at >= every

    async def take_over(self, lease: Lease) -> None:
        """Go on where the last manager was; with the next look come the workers that it has left."""
        self._parts.carried = Carried.of(await self._store.states.find(lease.scope, self.name))
        self._written = self._decided_at = self._scribe.last = None
        self._new, self._ends = True, False

    async def observe(self, scope: str) -> Asked:
        """Read the queues and apply the control law to each part; nothing is changed by it.

        Args:
            scope: Of the manager, for the orders of operators.
        """
        self._decided_at = now = self._clock()
        parts = self._parts
        identities = (one.identity for one in self.view.workers if one.identity)
        own = {*parts.carried.identities, *identities, *self.kin}
        await self._watch.read(own, build=await self._backend.build(), there=parts.there)
        override = (await self._store.orders.find(scope, self.name)).override
        decisions = {}
        for build, sight in self._watch.sights.items():
            policy, planned = sight.policy(self.options.policy), parts.wanted_of(build)
            observation = await self._watch.observation(
                now, sight, parts.of(build), planned=planned, override=override, policy=policy
            )
            decisions[build] = self._decide(observation, parts.carried.part(build).law, policy)
        working = (WorkerPhase.STARTING, WorkerPhase.RUNNING)
        stuck = {one: parts.of(one).count(*working) for one in decisions if one and self._backend.cannot_start(one)}
        return Asked(self.name, decisions, self._watch.sights, self.options.policy.max_workers, stuck)

    async def settle(self, lease: Lease, asked: Asked, allowed: int, why: str = "") -> None:
        """Keep what was decided, and want as many workers from now on as the budget allows.

        Args:
            lease: Under which it was made.
            asked: By the control law.
            allowed: How many of the desired workers the pool may have.
            why: Why not all of them; empty if it may.

        Raises:
            LeaseLostError: Another manager decides.
        """
        paused = (await self._store.orders.find(lease.scope, self.name)).pause is not None
        before = {build: self._parts.wanted_of(build) for build in asked.decisions}
        shares = before if paused else asked.shared_out(allowed)
        said = []
        for build in asked.decisions:
            kept = asked.kept(
                build, before=before[build], desired=shares[build], why=why, missing=self._watch.figures.missing
            )
            if paused:
                kept = kept.model_copy(update={"why": f"Paused, so nothing changes. {kept.why}"})
            await self._store.decisions.keep(lease, kept)
            said.append(kept.why)
        self._parts.want(shares, None if paused else {build: one.state for build, one in asked.decisions.items()})
        self._asked, self._why = asked, " ".join(said)

    async def reallot(self, lease: Lease, allowed: int, why: str) -> None:
        """Want another number of workers because other pools need more or less of the budget.

        Raises:
            LeaseLostError: Another manager decides.
        """
        if self._asked is None or (await self._store.orders.find(lease.scope, self.name)).pause is not None:
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
        self._parts.want(self._asked.shared_out(allowed))
        self._why = kept.why

    async def tend(self, lease: Lease) -> None:
        """Look at the workers and do what brings them nearer to what is wanted.

        Raises:
            LeaseLostError: Another manager may act.
        """
        now, parts = self._clock(), self._parts
        view = await self._ordered(lease, self._watch.with_slots(await self._backend.look(lease)))
        orders = await self._store.orders.find(lease.scope, self.name)
        # What ended while nobody looked is no sign of a crash loop: the machine may have been started anew.
        parts.saw(view, now, crashes=not self._new, resumed_at=orders.resumed_at)
        self._new = False
        await self._acting.tell_ends(lease, view)
        build = await self._backend.build()
        crashes = parts.judged(self.options.crashes, now, build)
        parts.carried, contended = parts.carried.judged_contention(
            self._another_writer(), self.options.contention, now=now
        )
        if self._ends:  # ours are drained, whatever others do
            contended = ""
        plans, stuck = self._plans(build, crashes)
        if contended:
            self._written = self._there
        else:
            change = await self._acting.carry_out(lease, plans, view)
            self._written = None if change is None else self._there + change
        missing = (*self._watch.figures.missing, *stuck)
        phase, why = phase_of(
            orders, gravest(crashes), merged(plans), contended=contended, missing=missing, decided=self._why
        )
        await self._scribe.keep(lease, self._state(lease, phase, why, build=build), now)

    async def rehearse(self, scope: str) -> str:
        """Say what this manager would do now; nothing is written and nothing changed."""
        self._parts.carried = Carried.of(await self._store.states.find(scope, self.name))
        self._parts.view = await self._backend.look(None)
        asked = await self.observe(scope)
        build = await self._backend.build()
        plans = [self._plan(one, decision.desired, build) for one, decision in asked.decisions.items()]
        before = sum(decision.before for decision in asked.decisions.values())
        drains = sum(len(one.drains) for one in plans)
        acts = f"would start {sum(one.start for one in plans)} and drain {drains}"
        return f"{before} -> {asked.desired}, {acts}. {' '.join(map(asked.said, asked.decisions))}"

    def want_none(self) -> None:
        """Want no worker from now on, because the manager stops; the next one wants again what the load asks for.

        What is ours is then drained also where another writer is.
        """
        self._ends = True
        self._parts.want(dict.fromkeys(self._parts.builds, 0))
        self._why = "The manager stops and drains its workers."

    async def fail(self, lease: Lease, error: ApplicationError) -> None:
        """Say in the pool's state that it could not be looked after."""
        build = self._scribe.last.build if self._scribe.last else ""
        state = self._state(lease, PoolPhase.BLIND, error.message, build=build)
        await self._scribe.keep(lease, state, self._clock())

    @property
    def view(self) -> PoolView:
        """All workers, as last seen."""
        return self._parts.view

    @property
    def strangers(self) -> tuple[str, list[str]]:
        """The service, and the identities of its workers on our queues that are not meant to be there."""
        return self._watch.service, self._watch.foreign if self.options.contention.exclusive else []

    @property
    def asked(self) -> int:
        """How many the control law wanted last, whatever the budget allowed."""
        return self.wanted if self._asked is None else self._asked.desired

    @property
    def least(self) -> int:
        """How many it needs whatever the budget allows."""
        return max(self.options.policy.min_workers, self._asked.least if self._asked else 0)

    @property
    def wanted(self) -> int:
        """How many there should be; before the first decision, as many as there are."""
        return self._parts.wanted

    @property
    def _there(self) -> int:
        """How many there are that nobody of ours asked to end; those that fail are still to crash."""
        failing = sum(one.failing for one in self.view.workers)
        return failing + self.view.count(WorkerPhase.STARTING, WorkerPhase.RUNNING, WorkerPhase.LOST)

    async def _ordered(self, lease: Lease, view: PoolView) -> PoolView:
        """Return the workers with what operators want of them; orders about those that have ended are forgotten."""
        drains = await self._store.drains.find(lease.scope, self.name)
        gone = set(drains) - {one.id for one in view.workers}
        if gone:
            await self._store.drains.forget(lease, self.name, gone)
        return view.ordered(drains)

    def _plans(self, build: str, crashes: Mapping[str, CrashVerdict]) -> tuple[dict[str, Plan], list[str]]:
        """Return what is done next, by the build that is started for it, and what would be and cannot."""
        plans, stuck = {}, []
        for part, verdict in crashes.items():
            wanted = self._plan(part, self._parts.wanted_of(part), build, verdict.may_start)
            cannot = self._backend.cannot_start(part) if part and wanted.start else ""
            if cannot:
                stuck.append(f"Version {part} should have {wanted.start} more workers, and {cannot}")
            plans[part or build] = replace(wanted, start=0) if cannot else wanted
        return plans, stuck

    def _plan(self, part: str, desired: int, build: str, may_start: int | None = None) -> Plan:
        """Return what brings a part nearer to what it should be; workers of a version are of no other build."""
        replaces = self._backend.capabilities.replaces_builds
        return plan(desired, self._parts.of(part).workers, part or build if replaces else None, may_start=may_start)

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
        return PoolState(
            pool=self.name,
            phase=phase,
            why=why,
            desired=self.wanted,
            written=self._there if self._written is None else self._written,
            counts={**self.view.counts, "foreign": len(self._watch.foreign)},
            build=build,
            fence=lease.fence,
            updated_at=self._clock(),
            workers=tuple(one.model_dump(mode="json", by_alias=True) for one in self.view.workers),
            bounds=PoolBounds.model_validate(self.options.policy, from_attributes=True),
            versions=tuple(told_versions(self._parts, self._watch.sights)),
            carried=self._parts.carried.model_dump(mode="json"),
        )
