"""What the first page shows, gathered: one list of the server, a few questions to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from trenova_errors import ApplicationError
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import ScheduleSort, page_of
from trenova_schedules._tick import Tick
from trenova_schedules.dashboard._attention import Attention, attention_of
from trenova_schedules.server._api import Caller
from trenova_schedules.server._permitted import permitted_lines

ROWS: Final = 100
"""Schedules of one page."""
_TICKS: Final = 12
"""Ticks of a schedule in its row."""


class State(StrEnum):
    """Which schedules are listed."""

    ALL = "all"
    ATTENTION = "attention"
    ACTIVE = "active"
    PAUSED = "paused"
    RUNNING = "running"
    FAILING = "failing"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, as it stands in the address.

    Attributes:
        search: Text in the id, the workflow, the owner, the note or a label.
        owner: Of whom; empty for anybody.
        queue: On which task queue; empty for any.
        state: Which.
        sort: By what.
        descending: Whether the last come first.
        cursor: Of the page before; None for the first.
    """

    search: str = ""
    owner: str = ""
    queue: str = ""
    state: State = State.ALL
    sort: ScheduleSort = ScheduleSort.ID
    descending: bool = False
    cursor: str | None = None

    def address(self, **changes: str | None) -> str:
        """Return the query string of this with some of it changed; a change begins at the first page."""
        told = {
            "q": self.search,
            "owner": self.owner,
            "queue": self.queue,
            "state": "" if self.state is State.ALL else str(self.state),
            "sort": "" if self.sort is ScheduleSort.ID else str(self.sort),
            "descending": "true" if self.descending else "",
            **changes,
        }
        return "?" + urlencode({name: value for name, value in told.items() if value})


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
        owners: Whose schedules there are.
        queues: On which task queues, as far as that is known.
        now: When all this was read.
    """

    wanted: Wanted
    attention: Attention
    counts: Mapping[State, int]
    rows: Sequence[ListedSchedule]
    total: int
    next_cursor: str | None
    ticks: Mapping[str, Sequence[Tick]]
    owners: Sequence[str]
    queues: Sequence[str]
    now: datetime


async def overview_of(caller: Caller, wanted: Wanted) -> Overview:
    """Gather the page.

    Raises:
        InvalidInputError: The cursor is none.
        temporalio.service.RPCError: The server could not be asked.
    """
    store = caller.api.store
    now = datetime.now(UTC)
    everything = await permitted_lines(caller, ScheduleFilter())
    attention = await attention_of(everything, store)
    narrowed = ScheduleFilter(search=wanted.search, owner=wanted.owner or None, task_queue=wanted.queue)
    lines = [line for line in everything if _matches(line, narrowed)]
    counts = {state: sum(_is(line, state, attention) for line in lines) for state in State}
    shown = [line for line in lines if _is(line, wanted.state, attention)]
    page = page_of(shown, wanted.sort, descending=wanted.descending, limit=ROWS, cursor=wanted.cursor)
    ticks: Mapping[str, Sequence[Tick]] = {}
    if store is not None and not attention.trouble:
        try:
            ticks = await store.ticks.latest([line.id for line in page.schedules], before=now, count=_TICKS)
        except ApplicationError:
            ticks = {}
    return Overview(
        wanted=wanted,
        attention=attention,
        counts=counts,
        rows=page.schedules,
        total=page.total,
        next_cursor=page.next_cursor,
        ticks=ticks,
        owners=sorted({line.owner for line in everything if line.owner}),
        queues=sorted({line.task_queue for line in everything if line.task_queue}),
        now=now,
    )


def _matches(line: ListedSchedule, wanted: ScheduleFilter) -> bool:
    return line.matches(wanted) and wanted.task_queue in {"", line.task_queue}


def _is(line: ListedSchedule, state: State, attention: Attention) -> bool:
    return {
        State.ALL: True,
        State.ATTENTION: line.id in attention.ids,
        State.ACTIVE: not line.paused,
        State.PAUSED: line.paused,
        State.RUNNING: any(run.status == "running" for run in line.recent_runs),
        State.FAILING: line.id in attention.failing,
        State.FOREIGN: line.owner is None,
    }[state]
