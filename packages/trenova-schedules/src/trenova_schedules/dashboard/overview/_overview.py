"""What the first page shows, gathered: one list of the server, a few questions to the store, looks that are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_errors import ApplicationError
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import page_of
from trenova_schedules._tick import Tick
from trenova_schedules.dashboard.overview._attention import Attention, attention_of
from trenova_schedules.dashboard.overview._described import Described, completed
from trenova_schedules.dashboard.overview._expected import Expected
from trenova_schedules.dashboard.overview._fleet import Fleet, fleet_of
from trenova_schedules.dashboard.overview._server_concerns import running_of
from trenova_schedules.dashboard.overview._wanted import State, Wanted, labels_of
from trenova_schedules.server._api import Caller
from trenova_schedules.server._routes_ledger import record_of
from trenova_schedules.store import ScheduleStore

ROWS: Final = 100
"""Schedules of one page."""
_TICKS: Final = 12
"""Ticks of a schedule in its row."""
_WEEK: Final = timedelta(days=7)
_PATIENCE: Final = 1.0
"""Seconds that the page waits for looks at schedules that nobody has looked at yet; it shows the others later."""
_FIRES_PATIENCE: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The first page.

    Attributes:
        wanted: What was asked for.
        attention: What needs somebody.
        counts: How many schedules are in which state, among those that match the rest of the filter.
        rows: One page of those that match.
        total: How many match.
        next_cursor: Of the next page; None at the end.
        ticks: The last ticks of each row, by id; empty where they are not known.
        on_time: Of each row the share of ticks of 7 days that began in time, 0 to 1, by id; without those of which
            none was expected.
        owners: Whose schedules there are.
        queues: On which task queues, as far as that is known.
        labels: With which labels, as far as that is known.
        uncounted: Of how many it is not known yet when they fire; 0 where nobody asked.
        now: When all this was read.
    """

    wanted: Wanted
    attention: Attention
    counts: Mapping[State, int]
    rows: Sequence[ListedSchedule]
    total: int
    next_cursor: str | None
    ticks: Mapping[str, Sequence[Tick]]
    on_time: Mapping[str, float]
    owners: Sequence[str]
    queues: Sequence[str]
    labels: Sequence[str]
    uncounted: int
    now: datetime

    @property
    def looks(self) -> Mapping[str, Described]:
        """Looks at schedules, by id."""
        return self.attention.known.looks


async def overview_of(caller: Caller, wanted: Wanted, *, rows: int = ROWS) -> Overview:
    """Gather the page.

    Args:
        caller: Who asks.
        wanted: What for.
        rows: Schedules of one page.

    Raises:
        InvalidInputError: The cursor is none.
        temporalio.service.RPCError: The server could not be asked.
    """
    now, fleet = datetime.now(UTC), fleet_of(caller.request)
    listed = await fleet.lines(caller)
    known = await fleet.descriptions.of(listed, within=_PATIENCE)
    everything = [completed(line, known.looks.get(line.id)) for line in listed]
    attention = await attention_of(caller.api, fleet, everything, known)
    lines = [line for line in everything if wanted.matches(line)]
    if wanted.kind is not None:
        of_kind = attention.ids_of(wanted.kind)
        lines = [line for line in lines if line.id in of_kind]
    lines, uncounted = await _firing(fleet, lines, known.looks, wanted.fires)
    counts = {state: sum(_is(line, state, attention) for line in lines) for state in State}
    shown = [line for line in lines if _is(line, wanted.state, attention)]
    page = page_of(shown, wanted.sort, descending=wanted.descending, limit=rows, cursor=wanted.cursor)
    store = None if attention.trouble else caller.api.store
    ticks, on_time = await _record(store, [line.id for line in page.schedules], now)
    return Overview(
        wanted=wanted,
        attention=attention,
        counts=counts,
        rows=page.schedules,
        total=page.total,
        next_cursor=page.next_cursor,
        ticks=ticks,
        on_time=on_time,
        owners=sorted({line.owner for line in everything if line.owner}),
        queues=sorted({line.task_queue for line in everything if line.task_queue}),
        labels=sorted({label for line in everything for label in labels_of(line)}),
        uncounted=uncounted,
        now=now,
    )


def percent(share: float) -> str:
    """Return a share, rounded down, so that only what is whole says 100%."""
    return f"{int(share * 1000) / 10:g}%"


async def _record(
    store: ScheduleStore | None, ids: Sequence[str], now: datetime
) -> tuple[Mapping[str, Sequence[Tick]], Mapping[str, float]]:
    """Return the last ticks of schedules and how well they kept their times; nothing where nobody knows."""
    if store is None or not ids:
        return {}, {}
    try:
        ticks = await store.ticks.latest(ids, before=now, count=_TICKS)
        counts = await store.ticks.summary(now - _WEEK, now, schedule_ids=ids)
    except ApplicationError:  # what needs attention says so already
        return {}, {}
    shares = {one: record_of(one, found).on_time for one, found in counts.items()}
    return ticks, {one: share for one, share in shares.items() if share is not None}


async def _firing(
    fleet: Fleet,
    lines: list[ListedSchedule],
    looks: Mapping[str, Described],
    span: tuple[datetime, datetime] | None,
) -> tuple[list[ListedSchedule], int]:
    """Return those that fire in a time, and of how many that is not known yet; paused ones do not fire."""
    if span is None:
        return lines, 0
    active = [line for line in lines if not line.paused]
    wanted = [looks[line.id] for line in active if line.id in looks]
    await fleet.expected.count(wanted, within=_FIRES_PATIENCE)
    start, end = (int(at.timestamp()) for at in span)
    start = max(start, int(datetime.now(UTC).timestamp()))
    found: list[tuple[ListedSchedule, Expected | None]] = [
        (line, fleet.expected.of(looks[line.id]) if line.id in looks else None) for line in active
    ]
    firing = [line for line, times in found if times is not None and times.count(start, end)]
    return firing, sum(times is None for _, times in found)


def _is(line: ListedSchedule, state: State, attention: Attention) -> bool:
    return {
        State.ALL: True,
        State.ATTENTION: line.id in attention.ids,
        State.ACTIVE: not line.paused,
        State.PAUSED: line.paused,
        State.RUNNING: running_of(line) is not None,
        State.FAILING: line.id in attention.failing,
        State.FOREIGN: line.owner is None,
    }[state]
