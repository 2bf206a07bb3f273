"""Cron strings and calendars in words."""

from typing import Final

from cron_descriptor import CasingTypeEnum, FormatError, MissingFieldError, Options, get_description
from cron_descriptor.Exception import WrongArgumentError

from trenova_schedules._reading._document import CalendarDocument

_SHORTHANDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: Final = 5
_DAYS: Final = (2, 4)


def cron_in_words(cron: str) -> str | None:
    """Return what five fields or a shorthand say; None where words would be wrong or are not to be had.

    A day of month together with a day of week is left alone: Temporal wants both, other crons either.
    """
    fields = _SHORTHANDS.get(cron, cron).split()
    if len(fields) != _FIELDS or not any(fields[day] == "*" for day in _DAYS):
        return None
    options = Options(casing_type=CasingTypeEnum.LowerCase, use_24hour_time_format=True, locale_code="en_US")
    try:
        return str(get_description(" ".join(fields), options))
    except (FormatError, MissingFieldError, WrongArgumentError):
        return None


def calendar_in_words(calendar: CalendarDocument) -> str | None:
    """Return what a calendar says, if five fields can say it."""
    if calendar.second != "0" or calendar.year != "*":
        return None
    return cron_in_words(calendar_as_cron(calendar))


def calendar_as_cron(calendar: CalendarDocument) -> str:
    """Return the fields of a calendar in the order of a cron string; seconds in front and the year behind, if told."""
    fields = [calendar.minute, calendar.hour, calendar.day_of_month, calendar.month, calendar.day_of_week]
    before = [f"{calendar.second} s"] if calendar.second != "0" else []
    behind = [f"in {calendar.year}"] if calendar.year != "*" else []
    return " ".join([*before, *fields, *behind])
