"""One line of a list of schedules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field
from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.client import Client

from trenova_schedules._definition import OWNER_MEMO
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._reading._document import (
    CalendarDocument,
    IntervalDocument,
    RunDocument,
    ScheduleDocument,
    WireDocument,
)
from trenova_schedules._reading._memo import decoded
from trenova_schedules._reading._snapshot import run_of
from trenova_schedules._reading._when import calendar_of, interval_of, moment_of


class KnownSchedule(Protocol):
    """What a registry knows of a schedule without asking the server."""

    @property
    def schedule_id(self) -> str:
        """Its id."""
        ...

    @property
    def owner(self) -> str | None:
        """Who answers for it."""
        ...

    @property
    def workflow(self) -> str:
        """Wire name of its workflow; empty if that is not known."""
        ...

    @property
    def task_queue(self) -> str:
        """Where its runs start; empty if that is not known."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it was paused when it was last seen."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        ...


class ListedSchedule(WireDocument):
    """What a list says of a schedule; camelCase on the wire.

    Attributes:
        id: Of the schedule.
        owner: Who answers for it; None for one that is not ours.
        workflow: Wire name.
        task_queue: Where runs start; empty where only the server's list was asked, which does not say.
        labels: Its labels; empty where only the server's list was asked.
        paused: Whether it is.
        note: Of operators and of the server.
        time_zone: In which calendars are read.
        intervals: When it fires.
        calendars: When it fires, besides.
        next_fires: The next five at most.
        recent_runs: The last five at most, oldest first.
        source: ``list`` of the server, which is late by a moment; ``describe``; or ``registry``, where only an
            earlier look is known.
        document: All of it, where details were asked for.
    """

    id: str
    owner: str | None = None
    workflow: str = ""
    task_queue: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    paused: bool = False
    note: str = ""
    time_zone: str = ""
    intervals: tuple[IntervalDocument, ...] = ()
    calendars: tuple[CalendarDocument, ...] = ()
    next_fires: tuple[datetime, ...] = ()
    recent_runs: tuple[RunDocument, ...] = ()
    source: str = "list"
    document: ScheduleDocument | None = None

    def matches(self, wanted: ScheduleFilter) -> bool:
        """Whether it is among those wanted, as far as is known of it; the query is the server's to judge."""
        return (
            (not wanted.ids or self.id in wanted.ids)
            and self.id.startswith(wanted.prefix)
            and (wanted.owner is None or (self.owner or "") == wanted.owner)
            and wanted.workflow in {"", self.workflow}
            and wanted.task_queue in {"", self.task_queue}
            and (wanted.paused is None or self.paused == wanted.paused)
            and all(self.labels.get(name) == value for name, value in wanted.labels.items())
            and self._mentions(wanted.search)
        )

    def _mentions(self, text: str) -> bool:
        labels = (part for label in self.labels.items() for part in label)
        return text.casefold() in "\n".join((self.id, self.workflow, self.owner or "", self.note, *labels)).casefold()


def listed_of_entry(entry: ScheduleListEntry, owner: str | None, known: KnownSchedule | None) -> ListedSchedule:
    """Join an entry of the server's list with what a registry knows of the schedule."""
    info = entry.info
    return ListedSchedule.model_construct(  # nothing here needs to be validated, and there may be thousands
        id=entry.schedule_id,
        owner=owner,
        workflow=info.workflow_type.name,
        task_queue="" if known is None else known.task_queue,
        labels={} if known is None else dict(known.labels),
        paused=info.paused,
        note=info.notes,
        time_zone=info.spec.timezone_name or "UTC",
        intervals=tuple(map(interval_of, info.spec.interval)),
        calendars=tuple(map(calendar_of, info.spec.structured_calendar)),
        next_fires=tuple(map(moment_of, info.future_action_times)),
        recent_runs=tuple(map(run_of, info.recent_actions)),
        source="list",
        document=None,
    )


async def owners_of(client: Client, entries: Sequence[ScheduleListEntry]) -> list[str | None]:
    """Return the owner of each entry; all of them are decoded at once."""
    payloads = [entry.memo.fields[OWNER_MEMO] for entry in entries if OWNER_MEMO in entry.memo.fields]
    try:
        found = iter(await client.data_converter.decode(payloads) if payloads else [])
    except Exception:  # noqa: BLE001 - one that cannot be decoded must not hide the others
        return [await _owner(client, entry) for entry in entries]
    return [str(next(found)) if OWNER_MEMO in entry.memo.fields else None for entry in entries]


async def _owner(client: Client, entry: ScheduleListEntry) -> str | None:
    memo = await decoded(client.data_converter, entry.memo.fields, frozenset({OWNER_MEMO}))
    owner = memo.values.get(OWNER_MEMO)
    return None if owner is None else str(owner)


def listed_of_document(document: ScheduleDocument) -> ListedSchedule:
    """Return the line of a schedule that was looked at."""
    same = ("id", "owner", "workflow", "task_queue", "labels", "paused", "note", "time_zone", "intervals", "calendars")
    fields = {name: getattr(document, name) for name in same}
    return ListedSchedule(
        **fields,
        next_fires=document.next_fires[:5],
        recent_runs=document.recent_runs[-5:],
        source="describe",
        document=document,
    )


def listed_of_known(known: KnownSchedule) -> ListedSchedule:
    """Return the line of a schedule of which only a registry knows."""
    return ListedSchedule.model_construct(  # as above
        id=known.schedule_id,
        owner=known.owner,
        workflow=known.workflow,
        task_queue=known.task_queue,
        labels=dict(known.labels),
        paused=known.paused,
        source="registry",
    )
