"""Calendars as people type them: a line each, in the order of cron, with the comment behind ``#``.

Five fields are minute, hour, day of month, month and day of week; seven have the second in front and the year behind.
"""

from collections.abc import Iterable
from typing import Final

from trenova_schedules._calendar_text import require_calendar
from trenova_schedules._reading._document import CalendarDocument

_FIVE: Final = ("minute", "hour", "day_of_month", "month", "day_of_week")
_SEVEN: Final = ("second", *_FIVE, "year")


def calendars_of(text: str) -> list[CalendarDocument]:
    """Return the calendar of each line that is not empty.

    Raises:
        ValueError: There is none, or a line is none, with its number.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ValueError("give at least one calendar, a line each")
    return [_calendar(number, line) for number, line in lines]


def typed_calendars(calendars: Iterable[CalendarDocument]) -> str:
    """Return calendars as :func:`calendars_of` reads them."""
    return "\n".join(map(_line, calendars))


def _line(calendar: CalendarDocument) -> str:
    short = calendar.second == "0" and calendar.year == "*"
    fields = " ".join(getattr(calendar, name) for name in (_FIVE if short else _SEVEN))
    comment = " ".join(calendar.comment.split())
    return f"{fields}  # {comment}" if comment else fields


def _calendar(number: int, line: str) -> CalendarDocument:
    told, _, comment = line.partition("#")
    fields = told.split()
    names = {len(_FIVE): _FIVE, len(_SEVEN): _SEVEN}.get(len(fields))
    if names is None:
        raise ValueError(
            f"line {number} has {len(fields)} fields; give five (minute, hour, day of month, month, day of week), or "
            "seven with the second in front and the year behind"
        )
    calendar = CalendarDocument(**dict(zip(names, fields, strict=True)), comment=comment.strip())
    try:
        return require_calendar(calendar)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
