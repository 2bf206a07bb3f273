"""One pool under management: looked after all the time, and decided about now and then."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from trenova_errors import ApplicationError
from trenova_workers.pool._acting import Acting
from trenova_workers.pool._asked import Asked, Decide
from trenova_workers.pool._backend import Backend
from trenova_workers.pool._carried import Carried
from trenova_workers.pool._contention import another_writer
from trenova_workers.pool._crashes import gravest
from trenova_workers.pool._dependencies import DependencyHealth
from trenova_workers.pool._figures import QueueObserver
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool._parts import Parts
from trenova_workers.pool._plan import merged
from trenova_workers.pool._planner import Planner
from trenova_workers.pool._telling import PoolScribe, phase_of, state_of
from trenova_workers.pool._versioned import VersionObserver
from trenova_workers.pool._watching import QueueWatch
from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.store import Lease, PoolPhase, PoolStore
from trenova_workers.scaling import FireCalendar


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
        self._planner = Planner(backend)
        self._written: int | None = None
        self._decided_at: datetime | None = None
        self._new, self._ends = True, False
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
        own = {*parts.carried.identities, *self.view.identities, *self.kin}
        await self._watch.read(own, build=await self._backend.build(), there=parts.there)
        override = (await self._store.orders.find(scope, self.name)).override
        decisions = {}
        for build, sight in self._watch.sights.items():
            policy, planned = sight.policy(self.options.policy), parts.wanted_of(build)
            observation = await self._watch.observation(
                now, sight, parts.of(build), planned=planned, override=override, policy=policy
            )
            decisions[build] = self._decide(observation, parts.carried.part(build).law, policy)
        stuck = {one: parts.of(one).working for one in decisions if one and self._backend.cannot_start(one)}
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
        kept = self._asked.kept_budget(before=self.wanted, allowed=allowed, why=why)
        await self._store.decisions.keep(lease, kept)
        self._parts.want(self._asked.shared_out(allowed))
        self._why = kept.why

    async def tend(self, lease: Lease) -> None:
        """Look at the workers and do what brings them nearer to what is wanted.

        Raises:
            LeaseLostError: Another manager may act.
        """
        now, parts = self._clock(), self._parts
        view = await self._acting.ordered(lease, self._watch.with_slots(await self._backend.look(lease)))
        orders = await self._store.orders.find(lease.scope, self.name)
        # What ended while nobody looked is no sign of a crash loop: the machine may have been started anew.
        parts.saw(view, now, crashes=not self._new, resumed_at=orders.resumed_at)
        self._new = False
        await self._acting.tell_ends(lease, view)
        build = await self._backend.build()
        crashes = parts.judged(self.options.crashes, now, build)
        parts.carried, contended = parts.carried.judged_contention(
            another_writer(parts.view, self._written, self.strangers), self.options.contention, now=now
        )
        contended = "" if self._ends else contended  # ours are drained at the end, whatever others do
        plans, stuck = self._planner.plans(parts, build, crashes)
        if contended:
            self._written = self.view.there
        else:
            change = await self._acting.carry_out(lease, plans, view)
            self._written = None if change is None else self.view.there + change
        missing = (*self._watch.figures.missing, *stuck)
        phase, why = phase_of(
            orders, gravest(crashes), merged(plans), contended=contended, missing=missing, decided=self._why
        )
        await self._keep(lease, phase, why, build=build)

    async def rehearse(self, scope: str) -> str:
        """Say what this manager would do now; nothing is written and nothing changed."""
        self._parts.carried = Carried.of(await self._store.states.find(scope, self.name))
        self._parts.view = await self._backend.look(None)
        asked = await self.observe(scope)
        build = await self._backend.build()
        plans = [
            self._planner.plan(self._parts, one, decision.desired, build) for one, decision in asked.decisions.items()
        ]
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
        await self._keep(lease, PoolPhase.BLIND, error.message, build=build)

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

    async def _keep(self, lease: Lease, phase: PoolPhase, why: str, *, build: str) -> None:
        now = self._clock()
        state = state_of(
            self.name,
            phase,
            why,
            parts=self._parts,
            watch=self._watch,
            policy=self.options.policy,
            written=self._written,
        )
        told = {"build": build, "fence": lease.fence, "updated_at": now}
        await self._scribe.keep(lease, state.model_copy(update=told), now)
