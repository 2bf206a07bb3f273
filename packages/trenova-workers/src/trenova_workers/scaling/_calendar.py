"""Who knows what schedules will start."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from trenova_workers.scaling._observation import ExpectedArrivals


class FireCalendar(Protocol):
    """Tells what schedules will bring to a pool; a service makes one of its schedules and what earlier fires were."""

    async def upcoming(self, pool: str, *, after: datetime, until: datetime) -> Sequence[ExpectedArrivals]:
        """Return what is expected to arrive, in any order.

        Args:
            pool: Name of the pool whose queue it arrives at.
            after: Aware; not before this moment, inclusive.
            until: Aware; not after this moment, inclusive.

        Raises:
            Exception: Of any kind where it is not known. The pool is then scaled as if nothing were announced.
        """
