"""What the page of one schedule shows, gathered: one look at the server, a few at the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_errors import ApplicationError
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._reading._document import RunDocument
from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.dashboard.schedule._strip import MOST_MARKS, Strip, strip_of
from trenova_schedules.store import AlertState, ScheduleStore

MOST_TICKS: Final = 12_000
"""Ticks of one page: a week of one a minute, and a little."""
SHOWN_TICKS: Final = MOST_MARKS
"""Rows of the table: every mark of the row leads to one."""
_NEXT: Final = 10
_RUNNING: Final = 3


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that is looked at.

    Attributes:
        start: Its beginning.
        end: Its end, itself left out; now or earlier.
    """

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: datetime | None, end: datetime | None) -> "Window":
        """Return the window that was asked for: the last week by default, 31 days at most."""
        now = datetime.now(UTC).replace(microsecond=0)
        stop = min(end or now, now)
        begin = start if start is not None and start < stop else stop - timedelta(days=7)
        return cls(start=max(begin, stop - timedelta(days=31)), end=stop)

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def is_now(self) -> bool:
        """Whether it reaches to now, so that what comes next belongs on its row."""
        return self.end >= datetime.now(UTC) - timedelta(minutes=1)

    def last(self, length: timedelta) -> "Window":
        """Return a window of another length with the same end."""
        return Window(start=self.end - length, end=self.end)

    @property
    def earlier(self) -> "Window":
        """The window before."""
        return Window(start=self.start - self.length, end=self.start)

    @property
    def later(self) -> "Window":
        """The window after, up to now at most."""
        return Window.of(self.end, self.end + self.length)


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    """One schedule.

    Attributes:
        document: As the server has it.
        window: The time that is looked at.
        only: Of which class ticks are listed; None for all.
        listed: How many ticks there are to list.
        ticks: What became of each tick in it, the newest first; cut at :data:`SHOWN_TICKS`.
        strip: The same as a row, with the next fires.
        running: Some of the runs that have not ended, with when they began where the server says.
        known_since: The first tick that the ledger knows; None where it knows none, or there is no database.
        standing: Whether it is failing; None without a database.
        ledger: Whether there is a database, so that ticks can be known.
        trouble: Why ticks could not be read, in words; empty where they could.
    """

    document: ScheduleDocument
    window: Window
    only: TickClass | None
    listed: int
    ticks: Sequence[Tick]
    strip: Strip
    running: Sequence[RunDocument]
    known_since: datetime | None
    standing: AlertState | None
    ledger: bool
    trouble: str = ""


async def schedule_view(
    document: ScheduleDocument, store: ScheduleStore | None, window: Window, *, only: TickClass | None = None
) -> ScheduleView:
    """Gather what the page shows; a database that does not answer takes only its part away.

    Args:
        document: The schedule.
        store: Where ticks are; None where there is no database.
        window: The time to look at.
        only: Of which class ticks are listed; the row and the counts are of all.
    """
    fires = document.next_fires[:_NEXT] if window.is_now and not document.paused else ()
    ticks: list[Tick] = []
    known_since, standing, trouble = None, None, ""
    if store is not None:
        try:
            ticks = await store.ticks.read(document.id, window.start, window.end, limit=MOST_TICKS)
            known_since = await store.ticks.first(document.id)
            standing = await store.alerts.find(document.id)
        except ApplicationError as error:
            trouble = error.message
    wanted = [tick for tick in ticks if only is None or tick.state is only]
    return ScheduleView(
        document=document,
        window=window,
        only=only,
        listed=len(wanted),
        ticks=wanted[-SHOWN_TICKS:][::-1],
        strip=strip_of(ticks, fires, zone=document.time_zone),
        running=_running(document),
        known_since=known_since,
        standing=standing,
        ledger=store is not None,
        trouble=trouble,
    )


def _running(document: ScheduleDocument) -> list[RunDocument]:
    """Return the runs under way; the server tells when one began among the last runs only."""
    began = {run.workflow_id: run.started_at for run in document.recent_runs}
    return [one.model_copy(update={"started_at": began.get(one.workflow_id)}) for one in document.running[:_RUNNING]]
