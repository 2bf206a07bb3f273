"""Calendars that come off the wire, each field written as in cron."""

import re
from typing import Final

from temporalio.api.schedule.v1 import CalendarSpec
from temporalio.client import ScheduleCalendarSpec, ScheduleRange

from trenova_schedules._reading._document import CalendarDocument

_BOUNDS: Final = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month": (1, 12),
    "year": (1970, 2100),
    "day_of_week": (0, 6),
}
"""What the server takes; for years it has bounds of its own."""
_RANGE: Final = re.compile(r"(?:\*|(\d{1,4})(?:-(\d{1,4}))?)(?:/(\d{1,4}))?")


def require_calendar(calendar: CalendarDocument) -> CalendarDocument:
    """Return a calendar whose fields the server reads as they are meant.

    Raises:
        ValueError: A field is none, with its name.
    """
    for name in _BOUNDS:
        _ranges(name, getattr(calendar, name))
    return calendar


def calendar_spec(calendar: CalendarDocument) -> ScheduleCalendarSpec:
    """Return the calendar as a definition has it."""
    ranges = {name: _ranges(name, getattr(calendar, name)) for name in _BOUNDS}
    if calendar.year == "*":
        ranges["year"] = []
    return ScheduleCalendarSpec(**ranges, comment=calendar.comment or None)


def calendar_message(calendar: CalendarDocument) -> CalendarSpec:
    """Return the calendar as the server compiles it."""
    return CalendarSpec(**{name: getattr(calendar, name) for name in _BOUNDS}, comment=calendar.comment)


def _ranges(name: str, text: str) -> list[ScheduleRange]:
    return [_range(name, part.strip()) for part in text.split(",")]


def _range(name: str, text: str) -> ScheduleRange:
    low, high = _BOUNDS[name]
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{name} has {text!r}; write numbers, ranges and steps as in cron: 5, 1-5, */15, 0-30/10")
    start, end, step = (None if part is None else int(part) for part in found.groups())
    begin = low if start is None else start
    until = end if end is not None else high if start is None or step is not None else begin
    if not low <= begin <= until <= high or step == 0:
        raise ValueError(f"{name} has {text!r}, which is not within {low} to {high}")
    return ScheduleRange(start=begin, end=until, step=step or 1)
