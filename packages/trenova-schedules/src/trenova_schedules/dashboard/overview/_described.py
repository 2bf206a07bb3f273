"""What the server's list does not say of schedules: a look at each, kept in the process for a while."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._pausing import paused_since
from trenova_schedules._reading import ScheduleDocument, read_schedule
from trenova_schedules.dashboard.overview._backlog import Backlog

FRESH: Final = timedelta(minutes=5)
"""After which a schedule is looked at again although its list has not changed: counters are not in the list."""
_AT_ONCE: Final = 4
_FEW: Final = 150
"""Schedules whose looks a page waits for; with more to look at, it shows what is known, and the others later."""
_MOST: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Described:
    """One look.

    Attributes:
        document: What the server said.
        spec: When it fires, as the server keeps it.
        fires: The same as bytes; two schedules with the same ones fire at the same times.
        paused_since: When one of our pauses was made; None where it is not paused, or by another tool.
        at: When it was looked at.
    """

    document: ScheduleDocument
    spec: ScheduleSpec
    fires: bytes
    paused_since: datetime | None
    at: datetime


@dataclass(frozen=True)
class Known:
    """What is known of the schedules of a page.

    Attributes:
        looks: By id.
        wanted: Of how many schedules looks were wanted.
        oldest: The oldest look; None where there is none.
    """

    looks: Mapping[str, Described]
    wanted: int
    oldest: datetime | None

    @property
    def missing(self) -> int:
        """How many have not been looked at yet."""
        return self.wanted - len(self.looks)


class Descriptions:
    """The looks of one process.

    Args:
        client: Of the namespace.

    Attributes:
        backlog: The looks that are still to be taken.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looks: dict[str, Described] = {}
        self._lines: dict[str, tuple[object, ...]] = {}
        self.backlog = Backlog(self._look, at_once=_AT_ONCE)

    async def of(self, lines: Sequence[ListedSchedule], *, within: float) -> Known:
        """Return what is known of schedules; what is not, has changed in the list or is old is looked at meanwhile.

        Args:
            lines: As the list has them now.
            within: How many seconds to wait for those that are new or have changed, where these are few.
        """
        news = self._news(lines)
        self.backlog.add(news)
        if 0 < len(news) <= _FEW:
            await self.backlog.settle(within)
        before = datetime.now(UTC) - FRESH
        self.backlog.add(line.id for line in lines if line.id in self._looks and self._looks[line.id].at < before)
        looks = {line.id: look for line in lines if (look := self._looks.get(line.id)) is not None}
        return Known(looks, len(lines), min((look.at for look in looks.values()), default=None))

    def _news(self, lines: Iterable[ListedSchedule]) -> list[str]:
        """Return those that nobody has looked at, and those that are not as they were when somebody did."""
        found = []
        for line in lines:
            told = (line.paused, line.note, line.recent_runs, line.intervals, line.calendars, line.time_zone)
            if line.id not in self._looks or self._lines.get(line.id) != told:
                found.append(line.id)
            self._lines[line.id] = told
        return found

    async def _look(self, schedule_id: str) -> None:
        # What has been deleted is not shown any more: its page is gone from the list.
        snapshot = await read_schedule(self._client, schedule_id)
        since = await paused_since(self._client, snapshot) if snapshot.document.paused else None
        spec = snapshot.raw.schedule.spec
        told = spec.SerializeToString(deterministic=True)
        self._looks.pop(schedule_id, None)
        self._looks[schedule_id] = Described(
            document=snapshot.document,
            spec=spec,
            # The server delays each schedule by a jitter of its own.
            fires=told + schedule_id.encode() if spec.HasField("jitter") else told,
            paused_since=since,
            at=datetime.now(UTC),
        )
        while len(self._looks) > _MOST:
            oldest = next(iter(self._looks))
            del self._looks[oldest]
            self._lines.pop(oldest, None)


def completed(line: ListedSchedule, look: Described | None) -> ListedSchedule:
    """Return a line with what only a look tells: the task queue, and labels."""
    if look is None or (line.task_queue == look.document.task_queue and line.labels == look.document.labels):
        return line
    return line.model_copy(update={"task_queue": look.document.task_queue, "labels": look.document.labels})
