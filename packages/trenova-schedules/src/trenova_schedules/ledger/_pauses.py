"""When a schedule was paused, for certain or possibly."""

from bisect import bisect_right
from collections.abc import Sequence

from trenova_schedules.ledger._evidence import Pause


class Pauses:
    """Finds the pause around a time.

    Args:
        pauses: In order of time.
    """

    def __init__(self, pauses: Sequence[Pause]) -> None:
        self._pauses = pauses
        self._begins = [pause.from_at - 1 for pause in pauses]

    def certain(self, at: float) -> bool:
        """Whether the schedule was paused for certain; a second at each end is not."""
        return any(
            pause.certain_from < at and (pause.certain_to is None or at < pause.certain_to) for pause in self._near(at)
        )

    def possible(self, at: float) -> bool:
        """Whether it may have been paused."""
        return any(pause.to_at is None or at <= pause.to_at + 1 for pause in self._near(at))

    def _near(self, at: float) -> Sequence[Pause]:
        found = bisect_right(self._begins, at)
        return self._pauses[max(0, found - 2) : found]  # two may touch
