"""What somebody wants to see of the first page, as it stands in the address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import ScheduleSort
from trenova_schedules.dashboard.overview._concern import Kind
from trenova_schedules.server._parameters import Cursor, Moment, Text


class State(StrEnum):
    """Which schedules are listed."""

    ALL = "all"
    ATTENTION = "attention"
    ACTIVE = "active"
    PAUSED = "paused"
    RUNNING = "running"
    FAILING = "failing"
    FOREIGN = "foreign"


class Span(StrEnum):
    """How far ahead the load is shown."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for.

    Attributes:
        search: Text in the id, the workflow, the owner, the note or a label.
        owner: Of whom; empty for anybody.
        queue: On which task queue; empty for any.
        label: With which label, as ``name=value``; empty for any.
        state: Which.
        kind: Of which something is wrong; None for all.
        fires_from: Only those that fire from then on; None for all.
        fires_to: And before then.
        sort: By what.
        descending: Whether the last come first.
        cursor: Of the page before; None for the first.
        span: How far ahead the load is shown.
    """

    search: str = ""
    owner: str = ""
    queue: str = ""
    label: str = ""
    state: State = State.ALL
    kind: Kind | None = None
    fires_from: datetime | None = None
    fires_to: datetime | None = None
    sort: ScheduleSort = ScheduleSort.ID
    descending: bool = False
    cursor: str | None = None
    span: Span = Span.DAY

    @property
    def fires(self) -> tuple[datetime, datetime] | None:
        """The time in which those listed fire; None where it does not matter."""
        return (self.fires_from, self.fires_to) if self.fires_from and self.fires_to else None

    @property
    def narrowed(self) -> bool:
        """Whether anything but the state keeps schedules out of the list."""
        return bool(self.search or self.owner or self.queue or self.label or self.kind or self.fires)

    def address(self, **changes: str | None) -> str:
        """Return the query string of this with some of it changed; a change begins at the first page."""
        told = {
            "q": self.search,
            "owner": self.owner,
            "queue": self.queue,
            "label": self.label,
            "state": "" if self.state is State.ALL else str(self.state),
            "kind": str(self.kind or ""),
            "fires_from": _iso(self.fires_from),
            "fires_to": _iso(self.fires_to),
            "sort": "" if self.sort is ScheduleSort.ID else str(self.sort),
            "descending": "true" if self.descending else "",
            "span": "" if self.span is Span.DAY else str(self.span),
            **changes,
        }
        return "?" + urlencode({name: value for name, value in told.items() if value})

    def sorted_by(self, sort: ScheduleSort) -> str:
        """Return the query string of this in another order; the same order once more turns it around."""
        again = sort is self.sort and not self.descending
        told = "" if sort is ScheduleSort.ID else str(sort)
        return self.address(sort=told, descending="true" if again else "")

    def matches(self, line: ListedSchedule) -> bool:
        """Whether a schedule is among those wanted, as far as its line says."""
        return (
            self.owner in {"", line.owner or ""}
            and self.queue in {"", line.task_queue}
            and (not self.label or self.label in labels_of(line))
            and mentions(line, self.search)
        )


def labels_of(line: ListedSchedule) -> list[str]:
    """Return its labels as ``name=value``."""
    return [f"{name}={value}" for name, value in line.labels.items()]


def mentions(line: ListedSchedule, text: str) -> bool:
    """Whether a text is somewhere in what a line says; upper and lower case are the same."""
    parts = (line.id, line.workflow, line.owner or "", line.note, line.task_queue, *labels_of(line))
    return text.casefold() in "\n".join(parts).casefold()


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat().replace("+00:00", "Z")


def _wanted(  # noqa: PLR0917  # what stands in the address
    q: Text = "",
    owner: Text = "",
    queue: Text = "",
    label: Text = "",
    state: Annotated[State, Query()] = State.ALL,
    kind: Annotated[Kind | None, Query()] = None,
    fires_from: Annotated[Moment | None, Query()] = None,
    fires_to: Annotated[Moment | None, Query()] = None,
    sort: Annotated[ScheduleSort, Query()] = ScheduleSort.ID,
    descending: Annotated[bool, Query()] = False,  # noqa: FBT002
    cursor: Cursor = None,
    span: Annotated[Span, Query()] = Span.DAY,
) -> Wanted:
    return Wanted(
        search=q.strip(),
        owner=owner,
        queue=queue,
        label=label,
        state=state,
        kind=kind,
        fires_from=fires_from,
        fires_to=fires_to,
        sort=sort,
        descending=descending,
        cursor=cursor,
        span=span,
    )


Asked = Annotated[Wanted, Depends(_wanted)]
"""What stands in the address of a request."""
