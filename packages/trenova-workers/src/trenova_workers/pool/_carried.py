"""What a manager keeps of a pool for itself, or for the next manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, ValidationError

from trenova_workers.pool._contention import ContentionState, judge_contention
from trenova_workers.pool._crashes import CrashState, CrashVerdict, judge_crashes
from trenova_workers.pool._options import ContentionOptions, CrashOptions
from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.store._documents import PoolDocument
from trenova_workers.pool.store._states import PoolState
from trenova_workers.scaling import ScalingState

_CRASHES_KEPT = 200
_CRASHES_KEPT_S = 86_400
_IDENTITIES_KEPT = 500


class Carried(PoolDocument):
    """What is carried from one look to the next.

    Attributes:
        law: Of the control law.
        crashes: Of the judgement about crashes.
        contention: Of the judgement about other writers.
        crashed_at: When workers crashed, in order.
        identities: Of workers that are or were ours: a server lists them for a while after their end.
    """

    law: ScalingState = ScalingState()
    crashes: CrashState = CrashState()
    contention: ContentionState = ContentionState()
    crashed_at: tuple[AwareDatetime, ...] = ()
    identities: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: PoolState | None) -> "Carried":
        """Read what a manager left; what a version with other fields left is forgotten."""
        try:
            return cls() if state is None else cls.model_validate(state.carried)
        except ValidationError:
            return cls()

    def after(self, view: PoolView, now: datetime, *, crashes: bool = True) -> "Carried":
        """Return what is known after a look.

        Args:
            view: What was seen.
            now: When.
            crashes: Whether crashes count.
        """
        crashed = [now for end in view.ends if end.crashed and crashes]
        young = [at for at in self.crashed_at if now - at < timedelta(seconds=_CRASHES_KEPT_S)]
        own = dict.fromkeys([*self.identities, *(one.identity for one in view.workers if one.identity)])
        return self.model_copy(
            update={
                "crashed_at": tuple([*young, *crashed][-_CRASHES_KEPT:]),
                "identities": tuple(list(own)[-_IDENTITIES_KEPT:]),
            }
        )

    def forgiven(self, resumed_at: datetime | None, now: datetime) -> "Carried":
        """Take a resume that came after the last crash loop began for the word that what crashed is mended."""
        since = self.crashes.looping_since
        if since is None or resumed_at is None or resumed_at <= since:
            return self
        return self.model_copy(
            update={"crashes": self.crashes.model_copy(update={"looping_since": None, "forgiven_at": now})}
        )

    def judged_crashes(
        self, options: CrashOptions, *, now: datetime, build: str, since: Sequence[datetime]
    ) -> tuple["Carried", CrashVerdict]:
        """Say what may be started; see `judge_crashes`."""
        verdict = judge_crashes(self.crashed_at, self.crashes, options, now=now, build=build, since=since)
        return self.model_copy(update={"crashes": verdict.state}), verdict

    def judged_contention(self, seen: str, options: ContentionOptions, *, now: datetime) -> tuple["Carried", str]:
        """Say why a pool is left alone, empty if it is not; see `judge_contention`."""
        verdict = judge_contention(seen, self.contention, options, now=now)
        return self.model_copy(update={"contention": verdict.state}), verdict.why


def foreign(seen: Sequence[str], before: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the identities of workers that nobody of ours started.

    One counts from the second reading on: ours may poll a moment before this manager has learnt who they are.
    """
    return sorted(set(seen) & set(before) - set(own))
