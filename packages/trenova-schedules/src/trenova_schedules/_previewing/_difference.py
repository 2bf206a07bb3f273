"""What a change of times takes away, adds and moves."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from temporalio.client import Client

from trenova_errors import InvalidInputError
from trenova_schedules._previewing._limits import require_window
from trenova_schedules._previewing._times import spec_of_saved, times_of
from trenova_schedules._previewing._unsaved import SpecLike, unsaved
from trenova_schedules._previewing._zones import zone_of

MOST_COMPARED: Final = 50_000
"""How many times of either side are compared; a month of minutes is 43,200."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class MovedFire(_Wire):
    """One run that starts at another time of what its zone calls the same day; both UTC."""

    before: datetime
    after: datetime


class DayOfRuns(_Wire):
    """How many runs start on one day, UTC."""

    day: date
    before: int
    after: int


class FireDiff(_Wire):
    """How the fires of two specifications differ from ``start`` until before ``end``; all times UTC.

    Attributes:
        start: Where the comparison begins.
        end: Where it ends; earlier than was asked for if ``truncated``.
        truncated: Whether one of the two fires too often to be compared to the end.
        added: Fires that are new.
        removed: Fires that are no more.
        moved: Fires that are at another time of the same day; in neither of the others.
        unchanged: How many are in both.
        days: Days on which either fires, in order.
    """

    start: datetime
    end: datetime
    truncated: bool
    added: tuple[datetime, ...]
    removed: tuple[datetime, ...]
    moved: tuple[MovedFire, ...]
    unchanged: int
    days: tuple[DayOfRuns, ...]

    @property
    def empty(self) -> bool:
        """Whether both fire at the same times."""
        return not (self.added or self.removed or self.moved)

    @property
    def runs_per_day_before(self) -> float:
        """Mean over the whole of the comparison."""
        return sum(day.before for day in self.days) / self._length

    @property
    def runs_per_day_after(self) -> float:
        """Mean over the whole of the comparison."""
        return sum(day.after for day in self.days) / self._length

    @property
    def _length(self) -> float:
        return max((self.end - self.start) / timedelta(days=1), 1 / 86_400)


async def fire_diff(
    client: Client,
    before: str | SpecLike | None,
    after: str | SpecLike | None,
    *,
    days: int = 30,
    start: datetime | None = None,
) -> FireDiff:
    """Compare when two specifications fire, by the server, without saving either.

    Args:
        client: Of the namespace; it needs the right to create and delete schedules.
        before: Id of a schedule that exists, a specification, or nothing.
        after: The same.
        days: How far to look.
        start: Where to begin; now unless given.

    Raises:
        InvalidInputError: The server refuses one of them, or more than 50 years.
        ResourceNotFoundError: No schedule with that id.
        temporalio.service.RPCError: The server could not be asked.
    """
    if days < 1:
        raise InvalidInputError(f"days must be at least 1; got {days}.", days=days)
    start = start or datetime.now(UTC).replace(microsecond=0)
    start, end = require_window(start, start + timedelta(days=days), MOST_COMPARED)
    old, old_zone = await _fires(client, before, start, end)
    new, new_zone = await _fires(client, after, start, end)
    reached = min([fires[-1] for fires in (old, new) if len(fires) > MOST_COMPARED], default=end)
    old, new = [at for at in old if at < reached], [at for at in new if at < reached]
    return _compare(start, reached, (old, old_zone), (new, new_zone), truncated=reached < end)


async def _fires(
    client: Client, spec: str | SpecLike | None, start: datetime, end: datetime
) -> tuple[list[datetime], ZoneInfo]:
    if spec is None:
        return [], ZoneInfo("UTC")
    wanted = await spec_of_saved(client, spec) if isinstance(spec, str) else spec
    fires: list[datetime] = []
    async with unsaved(client, wanted) as schedule:
        async for at in times_of(client, schedule.id, schedule.spec, start, end):
            fires.append(at)
            if len(fires) > MOST_COMPARED:
                break
        return fires, zone_of(schedule.spec)


def _compare(
    start: datetime,
    end: datetime,
    old: tuple[list[datetime], ZoneInfo],
    new: tuple[list[datetime], ZoneInfo],
    *,
    truncated: bool,
) -> FireDiff:
    kept = set(old[0]) & set(new[0])
    gone = _by_local_day((at for at in old[0] if at not in kept), old[1])
    come = _by_local_day((at for at in new[0] if at not in kept), new[1])
    moved = [
        MovedFire(before=left, after=right)
        for day in sorted(gone)
        for left, right in zip(gone[day], come.get(day, []), strict=False)
    ]
    removed = set(chain.from_iterable(gone.values())) - {pair.before for pair in moved}
    added = set(chain.from_iterable(come.values())) - {pair.after for pair in moved}
    return FireDiff(
        start=start,
        end=end,
        truncated=truncated,
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        moved=tuple(moved),
        unchanged=len(kept),
        days=_days(old[0], new[0]),
    )


def _by_local_day(fires: Iterable[datetime], zone: ZoneInfo) -> dict[date, list[datetime]]:
    days: dict[date, list[datetime]] = defaultdict(list)
    for at in fires:
        days[at.astimezone(zone).date()].append(at)
    return days


def _days(old: list[datetime], new: list[datetime]) -> tuple[DayOfRuns, ...]:
    before, after = Counter(at.date() for at in old), Counter(at.date() for at in new)
    return tuple(DayOfRuns(day=day, before=before[day], after=after[day]) for day in sorted(before | after))
