"""When a schedule fires, as JSON: the cron string where one is known to fit, else what the server keeps."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from pydantic import TypeAdapter
from temporalio.api.schedule.v1 import Range, ScheduleSpec, StructuredCalendarSpec

_PARTS: Final[Mapping[str, str]] = {
    "second": "0",
    "minute": "0",
    "hour": "0",
    "day_of_month": "1-31",
    "month": "1-12",
    "day_of_week": "0-6",
    "year": "",
}
"""The parts of a calendar, and what each is where nothing is said."""
_DURATION: Final = TypeAdapter(timedelta)


def when_of(spec: ScheduleSpec, cron: str | None) -> dict[str, Any]:
    """Return what says when, without zone and limits; keys that say nothing are left out.

    Args:
        spec: As the server describes it, or as it is about to be sent.
        cron: The string that the calendars were made of, where that is known.
    """
    calendars = [calendar_of(one) for one in spec.structured_calendar]
    said = {
        "cron": cron,
        "calendars": calendars if cron is None else [],
        "intervals": [_interval(one.interval, one.phase) for one in spec.interval],
        "exclusions": [calendar_of(one) for one in spec.exclude_structured_calendar],
    }
    return {name: value for name, value in said.items() if value}


def calendar_of(calendar: StructuredCalendarSpec) -> dict[str, str]:
    """Return a calendar in cron's notation, without the parts that are as when nothing is said."""
    parts = {name: _ranges(getattr(calendar, name)) for name in _PARTS}
    said = {name: text for name, text in parts.items() if text and text != _PARTS[name]}
    return {**said, "comment": calendar.comment} if calendar.comment else said


def duration_text(duration: Duration | timedelta) -> str:
    """Return a duration in ISO 8601, e.g. ``PT5M``."""
    value = duration if isinstance(duration, timedelta) else duration.ToTimedelta()
    return str(_DURATION.dump_python(value, mode="json"))


def _interval(every: Duration, phase: Duration) -> str:
    offset = phase.ToTimedelta()
    return duration_text(every) + (f"+{duration_text(offset)}" if offset else "")


def _ranges(ranges: Iterable[Range]) -> str:
    return ",".join(_range(one.start, max(one.start, one.end), max(1, one.step)) for one in ranges)


def _range(start: int, end: int, step: int) -> str:
    if end == start:
        return str(start)
    return f"{start}-{end}" + (f"/{step}" if step > 1 else "")
