"""What a manager keeps of a pool for itself, or for the next manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, ValidationError

from trenova_workers.pool._contention import ContentionState
from trenova_workers.pool._crashes import CrashState
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


def foreign(seen: Sequence[str], before: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the identities of workers that nobody of ours started.

    One counts from the second reading on: ours may poll a moment before this manager has learnt who they are.
    """
    return sorted(set(seen) & set(before) - set(own))
