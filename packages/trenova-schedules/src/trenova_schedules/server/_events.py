"""What happens to schedules, whoever does it: one look at the server's list now and then, for everybody who listens."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import Registry, bounded, find_schedules
from trenova_schedules._reading import read_schedule
from trenova_schedules._reading._document import WireDocument
from trenova_schedules.server._options import EventOptions

_AT_ONCE: Final = 16

EventKind = Literal["created", "changed", "ran", "deleted"]


class ScheduleEvent(WireDocument):
    """Something that happened to a schedule.

    Attributes:
        id: Of the event, for ``Last-Event-ID``.
        kind: ``created``, ``changed``, ``ran`` (a run began or ended) or ``deleted``.
        schedule_id: Of the schedule.
        at: When it was noticed.
        paused: Whether the schedule is paused.
        etag: Of the schedule as it is now; None where it is deleted.
        labels: Of the schedule, as far as they are known.
    """

    id: str
    kind: EventKind
    schedule_id: str
    at: datetime
    paused: bool = False
    etag: str | None = None
    labels: Mapping[str, str] = {}


class ScheduleWatch:
    """Looks at the list while somebody listens, and keeps the last events for those who come back.

    Args:
        client: Of the namespace.
        options: How often, and how much is kept.
        registry: Knows schedules that the list has lost for a while.
    """

    def __init__(self, client: Client, options: EventOptions, registry: Registry | None) -> None:
        self._client = client
        self._options = options
        self._registry = registry
        self._life = uuid.uuid4().hex[:8]
        self._number = 0
        self._kept: deque[ScheduleEvent] = deque(maxlen=options.kept)
        self._seen: dict[str, ListedSchedule] | None = None
        self._labels: dict[str, Mapping[str, str]] = {}
        self._looking = asyncio.Lock()
        self._looked = 0.0
        self.listeners = 0

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return f"{self._life}-{self._number}"

    def knows(self, event_id: str) -> bool:
        """Whether every event after this one is still kept."""
        life, _, number = event_id.rpartition("-")
        if life != self._life or not number.isdecimal() or int(number) > self._number:
            return False
        return int(number) >= self._number - len(self._kept)

    async def begin(self) -> None:
        """Look once if nobody has yet, so that what happens from now on is noticed."""
        if self._seen is None or self.listeners == 1:
            await self._look(forced=self._seen is None)

    async def after(self, event_id: str) -> AsyncIterator[ScheduleEvent | None]:
        """Yield the events after one that is known, and None where nothing has happened for a while; for ever."""
        number = int(event_id.rpartition("-")[2])
        quiet = 0.0
        while True:
            await self._look()
            fresh = [event for event in self._kept if _number(event) > number]
            for event in fresh:
                number = _number(event)
                yield event
            quiet = 0.0 if fresh else quiet + self._options.every_s
            if quiet >= self._options.heartbeat_s:
                quiet = 0.0
                yield None
            await asyncio.sleep(self._options.every_s)

    async def _look(self, *, forced: bool = False) -> None:
        """Look, unless somebody has a moment ago; a server that does not answer is asked again next time."""
        now = asyncio.get_running_loop().time
        async with self._looking:
            if not forced and now() - self._looked < self._options.every_s * 0.9:
                return
            self._looked = now()
            try:
                lines = await find_schedules(
                    self._client, ScheduleFilter(), registry=self._registry, live=True, at_once=_AT_ONCE
                )
            except (RPCError, ApplicationError):
                return
            found = {line.id: line for line in lines}
            if self._seen is not None:
                await self._compare(self._seen, found)
            self._seen = found

    async def _compare(self, before: Mapping[str, ListedSchedule], after: Mapping[str, ListedSchedule]) -> None:
        kinds = {one: _kind(before.get(one), after.get(one)) for one in before.keys() | after.keys()}
        changed = sorted(one for one, kind in kinds.items() if kind is not None)

        async def event_of(schedule_id: str) -> ScheduleEvent:
            return await self._event(schedule_id, kinds[schedule_id] or "changed", after.get(schedule_id))

        for event in await bounded(_AT_ONCE, changed, event_of):
            self._number += 1
            self._kept.append(event.model_copy(update={"id": f"{self._life}-{self._number}"}))

    async def _event(self, schedule_id: str, kind: EventKind, line: ListedSchedule | None) -> ScheduleEvent:
        etag: str | None = None
        try:
            document = (await read_schedule(self._client, schedule_id)).document
        except (RPCError, ApplicationError):
            kind = "deleted" if line is None else kind
        else:
            self._labels[schedule_id], etag = document.labels, document.etag
        return ScheduleEvent(
            id="",
            kind=kind,
            schedule_id=schedule_id,
            at=datetime.now(UTC),
            paused=line is not None and line.paused,
            etag=etag,
            labels=self._labels.get(schedule_id, {} if line is None else line.labels),
        )


def _kind(before: ListedSchedule | None, after: ListedSchedule | None) -> EventKind | None:
    if before is None:
        return "created"
    if after is None:
        return "deleted"
    if _told(before) != _told(after):
        return "changed"
    return None if before.recent_runs == after.recent_runs else "ran"


def _told(line: ListedSchedule) -> ListedSchedule:
    """Return what of a line is somebody's doing: not the clock's, and not what a registry has learnt meanwhile."""
    return line.model_copy(
        update={"next_fires": (), "recent_runs": (), "source": "list", "labels": {}, "task_queue": "", "document": None}
    )


def _number(event: ScheduleEvent) -> int:
    return int(event.id.rpartition("-")[2])
