"""When the clocks of a zone change, by the time zone database of this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from temporalio.api.schedule.v1 import ScheduleSpec

from trenova_errors import InvalidInputError

# Changes closer together than this could be overlooked; the closest since 1970 lie four weeks apart.
_STRIDE = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LONGEST_FOLD = timedelta(days=2)  # one that takes a date twice, a day, and some


@dataclass(frozen=True, kw_only=True)
class OffsetChange:
    """One change of a zone's distance to UTC.

    Attributes:
        at: First instant of the new offset, UTC, whole seconds.
        before: Offset until then.
        after: Offset from then on; more than ``before`` skips wall clock times, less repeats some.
    """

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def size(self) -> timedelta:
        """How far the clocks move; positive is forward, thus a gap, negative back, thus a fold."""
        return self.after - self.before

    @property
    def wall(self) -> tuple[datetime, datetime]:
        """Wall clock times, naive, that do not exist or exist twice; the second is the first that is sound."""
        naive = self.at.replace(tzinfo=None)
        return naive + min(self.before, self.after), naive + max(self.before, self.after)


def zone_of(spec: ScheduleSpec) -> ZoneInfo:
    """Return the zone in which the calendars of a specification are read.

    Raises:
        InvalidInputError: This machine does not know it.
    """
    if spec.timezone_data:
        return ZoneInfo.from_file(BytesIO(spec.timezone_data), key=spec.timezone_name or None)
    return zone_named(spec.timezone_name or "UTC")


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of this IANA name.

    Raises:
        InvalidInputError: This machine does not know it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"Time zone {name!r} is not known here; give an IANA name such as 'UTC' or 'Europe/Berlin', "
            "or install a newer tzdata.",
            time_zone=name,
        ) from error


def offset_at(zone: ZoneInfo, at: datetime) -> timedelta:
    """Return the distance to UTC in force at an instant."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def offset_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[OffsetChange]:
    """Yield the changes after ``start`` and not after ``end``, in order."""
    left, before = start, offset_at(zone, start)
    while left < end:
        right = min(left + _STRIDE, end)
        if (after := offset_at(zone, right)) != before:
            yield OffsetChange(at=_first_of(zone, left, right, before), before=before, after=after)
        left, before = right, after


def clear_of_folds(zone: ZoneInfo, at: datetime) -> datetime:
    """Return ``at``, or if its wall clock time exists twice, the last second before the first of them.

    The server answers for the times after an instant. Asked about one inside a fold, it may take it for the other
    one and leave out what follows, so that no window may begin there.
    """
    for change in reversed(list(offset_changes(zone, at - _LONGEST_FOLD, at + _LONGEST_FOLD))):
        if change.size < timedelta(0) and change.at + change.size <= at < change.at - change.size:
            at = change.at + change.size - _SECOND
    return at


def _first_of(zone: ZoneInfo, left: datetime, right: datetime, before: timedelta) -> datetime:
    low, high = int(left.timestamp()), int(right.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, datetime.fromtimestamp(middle, UTC)) == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
