"""The parts of a pool: all of its workers as one, or those of each version by themselves."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from trenova_workers.pool._carried import Carried
from trenova_workers.pool._crashes import CrashVerdict
from trenova_workers.pool._options import CrashOptions
from trenova_workers.pool._sights import WHOLE
from trenova_workers.pool._worker import PoolView, WorkerPhase
from trenova_workers.scaling import ScalingState


class Parts:
    """What there is of each part, and how many workers it should have. A part is known by its build.

    Args:
        versioned: Whether each build is a part; else there is only `WHOLE`.

    Attributes:
        view: All workers, as last seen.
        carried: What the next look needs, or the next manager.
    """

    def __init__(self, *, versioned: bool) -> None:
        self._versioned = versioned
        self.view = PoolView(())
        self.carried = Carried()

    @property
    def there(self) -> list[str]:
        """Those that have workers, or should have some."""
        if not self._versioned:
            return [WHOLE]
        draining = WorkerPhase.DRAINING
        working = {one.build for one in self.view.workers if one.phase is not draining}
        return sorted(working | {build for build, part in self.carried.parts.items() if build and part.desired})

    @property
    def builds(self) -> list[str]:
        """All that are known."""
        return sorted({*self.there, *(build for build in self.carried.parts if bool(build) is self._versioned)})

    @property
    def wanted(self) -> int:
        """How many workers there should be of all together."""
        return sum(map(self.wanted_of, self.builds))

    def wanted_of(self, build: str) -> int:
        """Return how many there should be of one; before the first decision, as many as there are."""
        desired = self.carried.part(build).desired
        return self.of(build).count(WorkerPhase.STARTING, WorkerPhase.RUNNING) if desired is None else desired

    def of(self, build: str) -> PoolView:
        """Return what was seen of one."""
        return self.view.of(build) if self._versioned else self.view

    def want(self, shares: Mapping[str, int], laws: Mapping[str, ScalingState] | None = None) -> None:
        """Want so many workers of these parts from now on, and forget parts of which nothing is left.

        Args:
            shares: Workers.
            laws: States of the control law, where it has decided.
        """
        changed = {}
        for build, desired in shares.items():
            part = self.carried.part(build)
            law = part.law if laws is None else laws[build]
            changed[build] = part.model_copy(update={"desired": desired, "law": law})
        self.carried = self.carried.with_parts(changed).only([*shares, *self.there])

    def saw(self, view: PoolView, now: datetime, *, crashes: bool, resumed_at: datetime | None) -> None:
        """Take note of a look.

        Args:
            view: What was seen.
            now: When.
            crashes: Whether crashes count.
            resumed_at: When an operator last resumed the pool.
        """
        self.view = view
        crashed = Counter(end.build if self._versioned else WHOLE for end in view.ends if end.crashed and crashes)
        carried = self.carried.after(view, now, crashed)
        self.carried = carried.with_parts(
            {build: part.forgiven(resumed_at, now) for build, part in carried.parts.items()}
        )

    def judged(self, options: CrashOptions, now: datetime, build: str) -> dict[str, CrashVerdict]:
        """Say what may be started of each part after its crashes.

        Args:
            options: What is allowed.
            now: By the clock of the looks.
            build: What a pool without versions would start.
        """
        found = {}
        for part in self.builds:
            since = [one.started_at for one in self.of(part).workers if one.counts]
            self.carried, found[part] = self.carried.judged_crashes(
                part, options, now=now, build=part or build, since=since
            )
        return found
