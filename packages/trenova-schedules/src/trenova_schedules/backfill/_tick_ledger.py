"""The store's tick ledger, asked what a backfill wants to know."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from trenova_schedules._tick import Tick, TickClass

_PAGE: Final = 10_000
_OPEN: Final = frozenset({TickClass.PENDING, TickClass.INCONCLUSIVE})
"""Classes that say neither, where there is no run."""


class TickReader(Protocol):
    """What reads ticks, such as ``ScheduleStore.ticks``."""

    async def read(self, schedule_id: str, start: datetime, end: datetime, *, limit: int = ...) -> Sequence[Tick]:
        """Return ticks in order of time."""


class TickLedgerRuns:
    """A :class:`RunLedger` out of the store: what it classified conclusively, for as long as it is kept.

    Args:
        ticks: ``ScheduleStore.ticks``.
    """

    def __init__(self, ticks: TickReader) -> None:
        self._ticks = ticks

    async def ran(self, schedule_id: str, start: datetime, end: datetime) -> dict[datetime, bool]:
        """Say of the ticks in ``[start, end)`` that were classified conclusively whether a run was started for them."""
        found: dict[datetime, bool] = {}
        begin = start
        while begin < end:
            page = await self._ticks.read(schedule_id, begin, end, limit=_PAGE)
            told = (tick for tick in page if tick.started_at is not None or tick.state not in _OPEN)
            found |= {tick.nominal_at or tick.at: not tick.is_hole for tick in told}
            if len(page) < _PAGE:
                break
            begin = page[-1].at + timedelta(seconds=1)
        return found
