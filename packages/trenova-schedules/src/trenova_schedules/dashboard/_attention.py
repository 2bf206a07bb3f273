"""What somebody has to look at now, the worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_errors import ApplicationError
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._tick import TickClass
from trenova_schedules.dashboard._looks import FAILED, Look, look_of
from trenova_schedules.dashboard._words import plural
from trenova_schedules.store import AlertState, ScheduleStore, TickSpan

LOOKED_BACK: Final = timedelta(hours=24)
"""How far back ticks that are missing count as news."""
_BEHIND: Final = timedelta(hours=1)
_MISSING: Final = (TickClass.REAL_MISS, TickClass.MISSED_CATCHUP, TickClass.DROPPED_BUFFER)
_RUN_FAILED: Final = frozenset({"failed", "timed_out", "terminated"})
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Concern:
    """One thing to look at.

    Attributes:
        schedule_id: Of which schedule.
        look: How it is shown.
        text: What it is.
        since: Since when.
        start: Where a window begins that shows all of it; None for the usual one.
        end: Where it ends.
    """

    schedule_id: str
    look: Look
    text: str
    since: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Attention:
    """What needs attention, and what it rests on.

    Attributes:
        concerns: The worst first.
        failing: Schedules that miss their objective, by id.
        observed: When the ledger was filled last; None if never, or without a database.
        ledger: Whether there is a database.
        trouble: Why it could not be asked, in words; empty where it could.
    """

    concerns: Sequence[Concern]
    failing: Mapping[str, AlertState]
    observed: datetime | None
    ledger: bool
    trouble: str = ""

    @property
    def behind(self) -> bool:
        """Whether the ledger has not been filled for longer than it should take."""
        return self.ledger and (self.observed is None or datetime.now(UTC) - self.observed > _BEHIND)

    @property
    def ids(self) -> frozenset[str]:
        """The schedules that it is about."""
        return frozenset(one.schedule_id for one in self.concerns)


async def attention_of(lines: Sequence[ListedSchedule], store: ScheduleStore | None) -> Attention:
    """Find what needs attention among schedules; a database that does not answer takes only its part away.

    Args:
        lines: Those that the caller may look at.
        store: Of the ledger; None where there is no database.
    """
    by_id = {line.id: line for line in lines}
    failing: dict[str, AlertState] = {}
    spans: Mapping[str, Mapping[TickClass, TickSpan]] = {}
    observed, trouble = None, ""
    if store is not None:
        now = datetime.now(UTC)
        try:
            failing = {one.schedule_id: one for one in await store.alerts.failing() if one.schedule_id in by_id}
            spans = await store.ticks.spans(now - LOOKED_BACK, now, states=_MISSING)
            observed = await store.ticks.observed()
        except ApplicationError as error:
            trouble = error.message
    concerns = [*_missing(spans, by_id), *map(_failing, failing.values()), *_last_failed(lines, failing)]
    return Attention(concerns=concerns, failing=failing, observed=observed, ledger=store is not None, trouble=trouble)


def _missing(spans: Mapping[str, Mapping[TickClass, TickSpan]], known: Mapping[str, ListedSchedule]) -> list[Concern]:
    found = [
        Concern(
            schedule_id=schedule_id,
            look=look_of(state),
            text=f"{plural(span.count, 'tick')} {look_of(state).word}",
            since=span.first,
            start=span.first,
            end=span.last + _SECOND,
        )
        for schedule_id, of in spans.items()
        if schedule_id in known
        for state, span in of.items()
    ]
    return sorted(found, key=lambda one: (one.since or datetime.max.replace(tzinfo=UTC), one.schedule_id))


def _failing(state: AlertState) -> Concern:
    text = f"misses its objective, {plural(state.bad, 'bad tick')} in a row" if state.bad else "misses its objective"
    return Concern(schedule_id=state.schedule_id, look=FAILED, text=text, since=state.failing_since)


def _last_failed(lines: Sequence[ListedSchedule], failing: Mapping[str, AlertState]) -> list[Concern]:
    """Return the schedules whose last run ended badly, unless that is told by their objective."""
    return [
        Concern(
            schedule_id=line.id,
            look=FAILED,
            text=f"its last run {last.status.replace('_', ' ')}",
            since=last.started_at or last.scheduled_at,
        )
        for line in sorted(lines, key=lambda line: line.id)
        if line.id not in failing and (last := next(reversed(line.recent_runs), None)) and last.status in _RUN_FAILED
    ]
