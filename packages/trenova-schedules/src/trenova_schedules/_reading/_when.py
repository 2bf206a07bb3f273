"""The server's calendars, ranges, durations and times as a document has them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.schedule.v1 import IntervalSpec, Range, StructuredCalendarSpec

from trenova_schedules._reading._document import CalendarDocument, IntervalDocument

_ALL: Final = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "day_of_week": (0, 6),
}
_MICROSECOND: Final = 1000


def calendar_of(calendar: StructuredCalendarSpec) -> CalendarDocument:
    """Return a calendar with each field as cron would write it."""
    fields = {name: _ranges(getattr(calendar, name), whole=whole) for name, whole in _ALL.items()}
    year = _ranges(calendar.year, whole=None) if calendar.year else "*"
    return CalendarDocument(**fields, year=year, comment=calendar.comment)


def interval_of(interval: IntervalSpec) -> IntervalDocument:
    """Return an interval with its offset."""
    return IntervalDocument(every=duration_of(interval.interval), offset=duration_of(interval.phase))


def duration_of(duration: Duration) -> timedelta:
    """Return a duration; what is finer than a microsecond is cut."""
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // _MICROSECOND)


def moment_of(at: Timestamp) -> datetime:
    """Return a time, aware and in UTC."""
    return at.ToDatetime(tzinfo=UTC)


def _ranges(ranges: Iterable[Range], *, whole: tuple[int, int] | None) -> str:
    return ",".join(_range(one, whole) for one in ranges)


def _range(one: Range, whole: tuple[int, int] | None) -> str:
    end, step = max(one.end, one.start), one.step or 1
    if (one.start, end) == whole:
        return "*" if step == 1 else f"*/{step}"
    span = str(one.start) if end == one.start else f"{one.start}-{end}"
    return span if step == 1 else f"{span}/{step}"
