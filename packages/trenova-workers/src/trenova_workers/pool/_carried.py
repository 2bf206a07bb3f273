"""What a manager keeps of a pool for itself, or for the next manager."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field, ValidationError

from trenova_workers.pool._contention import ContentionState, judge_contention
from trenova_workers.pool._crashes import CrashState, CrashVerdict, judge_crashes
from trenova_workers.pool._options import ContentionOptions, CrashOptions
from trenova_workers.pool._sights import WHOLE
from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._states import PoolState
from trenova_workers.scaling import ScalingState

_CRASHES_KEPT = 200
_CRASHES_KEPT_S = 86_400
_IDENTITIES_KEPT = 500


class CarriedPart(PoolDocument):
    """What is carried of one part of a pool: of all of it, or of one version of its workers.

    Attributes:
        desired: Workers that it should have; None before the first decision.
        law: Of the control law.
        crashes: Of the judgement about crashes.
        crashed_at: When workers crashed, in order.
    """

    desired: int | None = None
    law: ScalingState = ScalingState()
    crashes: CrashState = CrashState()
    crashed_at: tuple[AwareDatetime, ...] = ()

    def crashed(self, times: int, now: datetime) -> "CarriedPart":
        """Return what is known after so many more crashes."""
        young = [at for at in self.crashed_at if now - at < timedelta(seconds=_CRASHES_KEPT_S)]
        return self.model_copy(update={"crashed_at": tuple([*young, *[now] * times][-_CRASHES_KEPT:])})

    def forgiven(self, resumed_at: datetime | None, now: datetime) -> "CarriedPart":
        """Take a resume that came after the last crash loop began for the word that what crashed is mended."""
        since = self.crashes.looping_since
        if since is None or resumed_at is None or resumed_at <= since:
            return self
        forgiven = self.crashes.model_copy(update={"looping_since": None, "forgiven_at": now})
        return self.model_copy(update={"crashes": forgiven})


class Carried(PoolDocument):
    """What is carried from one look to the next.

    Attributes:
        parts: By the build of a version; a pool without versions has one part, `WHOLE`.
        contention: Of the judgement about other writers.
        identities: Of workers that are or were ours: a server lists them for a while after their end.
    """

    parts: Mapping[str, CarriedPart] = Field(default_factory=dict)
    contention: ContentionState = ContentionState()
    identities: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: PoolState | None) -> "Carried":
        """Read what a manager left; what a version with other fields left is forgotten."""
        if state is None:
            return cls()
        told = dict(state.carried)
        if "parts" not in told:  # as managers left it when no pool had versions
            told["parts"] = {WHOLE: {**told, "desired": state.desired}}
        try:
            return cls.model_validate(told)
        except ValidationError:
            return cls(parts={WHOLE: CarriedPart(desired=state.desired)})

    def part(self, build: str) -> CarriedPart:
        """Return what is carried of a part; of a new one, what is known of those that are there."""
        if build in self.parts:
            return self.parts[build]
        known = [one.law.capacity for one in self.parts.values() if one.law.capacity is not None]
        return CarriedPart(law=ScalingState(capacity=known[-1])) if known else CarriedPart()

    def with_parts(self, parts: Mapping[str, CarriedPart]) -> "Carried":
        """Return it with some parts as they are now."""
        return self.model_copy(update={"parts": {**self.parts, **parts}})

    def only(self, builds: Collection[str]) -> "Carried":
        """Return it without the parts that are no more."""
        return self.model_copy(update={"parts": {one: part for one, part in self.parts.items() if one in builds}})

    def after(self, view: PoolView, now: datetime, crashed: Mapping[str, int]) -> "Carried":
        """Return what is known after a look.

        Args:
            view: What was seen.
            now: When.
            crashed: Crashes that count, by part.
        """
        own = dict.fromkeys([*self.identities, *(one.identity for one in view.workers if one.identity)])
        parts = {build: self.part(build).crashed(times, now) for build, times in crashed.items()}
        return self.with_parts(parts).model_copy(update={"identities": tuple(list(own)[-_IDENTITIES_KEPT:])})

    def judged_crashes(
        self, part: str, options: CrashOptions, *, now: datetime, build: str, since: Sequence[datetime]
    ) -> tuple["Carried", CrashVerdict]:
        """Say what may be started of a part; see `judge_crashes`."""
        known = self.part(part)
        verdict = judge_crashes(known.crashed_at, known.crashes, options, now=now, build=build, since=since)
        return self.with_parts({part: known.model_copy(update={"crashes": verdict.state})}), verdict

    def judged_contention(self, seen: str, options: ContentionOptions, *, now: datetime) -> tuple["Carried", str]:
        """Say why a pool is left alone, empty if it is not; see `judge_contention`."""
        verdict = judge_contention(seen, self.contention, options, now=now)
        return self.model_copy(update={"contention": verdict.state}), verdict.why


def foreign(seen: Sequence[str], before: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the identities of workers that nobody of ours started.

    One counts from the second reading on: ours may poll a moment before this manager has learnt who they are.
    """
    return sorted(set(seen) & set(before) - set(own))
