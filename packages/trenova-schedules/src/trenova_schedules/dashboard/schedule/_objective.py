"""Whether one schedule keeps what is expected of it: shares, counts and thresholds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._slo import ScheduleSlo
from trenova_schedules._tick import TickClass
from trenova_schedules.dashboard._looks import Look, look_of
from trenova_schedules.server._routes_ledger import record_of
from trenova_schedules.store import AlertState, ScheduleStore

PERIODS: Final = (timedelta(days=7), timedelta(days=30))
_ORDER: Final = tuple(TickClass)


@dataclass(frozen=True)
class Count:
    """Ticks of one class.

    Attributes:
        state: The class.
        look: How it looks.
        count: How many.
    """

    state: TickClass
    look: Look
    count: int


@dataclass(frozen=True, kw_only=True)
class Period:
    """How well a schedule has kept its times for a while.

    Attributes:
        length: How long.
        start: The first time that counts.
        end: The first that no longer counts.
        counts: Ticks by class, without those that there were none of.
        expected: Ticks that should have begun, as far as is known: neither paused, pending nor inconclusive.
        on_time: The share of them that did in time, 0 to 1; None where none was expected.
    """

    length: timedelta
    start: datetime
    end: datetime
    counts: Sequence[Count]
    expected: int
    on_time: float | None

    @property
    def percent(self) -> str:
        """The share, rounded down, so that only what is whole says 100%."""
        if self.on_time is None:
            return ""
        return f"{int(self.on_time * 1000) / 10:g}%"


@dataclass(frozen=True, kw_only=True)
class ObjectiveView:
    """What is expected of a schedule and what it keeps.

    Attributes:
        slo: What is expected; the defaults of the ledger where nothing was said.
        said: Whether something was.
        periods: Shortest first.
        standing: How many ticks in a row were bad or good, and since when it is failing.
        known_since: The first tick that the ledger knows; None where it knows none.
    """

    slo: ScheduleSlo
    said: bool
    periods: Sequence[Period]
    standing: AlertState
    known_since: datetime | None


async def objective_view(document: ScheduleDocument, store: ScheduleStore, now: datetime) -> ObjectiveView:
    """Gather it.

    Raises:
        UnavailableError: The store cannot be reached.
    """
    return ObjectiveView(
        slo=document.slo or ScheduleSlo(),
        said=document.slo is not None,
        periods=[await _period(document.id, store, now - length, now) for length in PERIODS],
        standing=await store.alerts.find(document.id),
        known_since=await store.ticks.first(document.id),
    )


async def _period(schedule_id: str, store: ScheduleStore, start: datetime, end: datetime) -> Period:
    found = await store.ticks.summary(start, end, schedule_ids=[schedule_id])
    record = record_of(schedule_id, found.get(schedule_id, Counter()))
    return Period(
        length=end - start,
        start=start,
        end=end,
        counts=[Count(state, look_of(state), record.counts[state]) for state in _ORDER if record.counts.get(state)],
        expected=record.expected,
        on_time=record.on_time,
    )
