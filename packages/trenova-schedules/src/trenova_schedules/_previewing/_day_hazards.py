"""Days that do not come in every month or year, or that have to match two conditions."""

from calendar import monthrange
from collections.abc import Iterable

from temporalio.api.schedule.v1 import Range, ScheduleSpec, StructuredCalendarSpec

from trenova_schedules._previewing._hazard import Fix, Hazard, HazardKind

_EVERY_MONTH_HAS = 28
_FEBRUARY = 2
_LEAP = 29
_NO_LEAP_YEAR = 2027
_FIELDS = 5
_DAY_OF_MONTH = 2


def day_hazards(spec: ScheduleSpec, cron: str | None) -> list[Hazard]:
    """Return what is surprising about the days of a specification, whatever its zone.

    Args:
        spec: As the server keeps it.
        cron: The string it came from, if known, for the fix.
    """
    return [hazard for calendar in spec.structured_calendar for hazard in _of(calendar, cron)]


def _of(calendar: StructuredCalendarSpec, cron: str | None) -> list[Hazard]:
    days, months = _values(calendar.day_of_month), _values(calendar.month)
    weekdays = {day % 7 for day in _values(calendar.day_of_week)}
    found: list[Hazard] = []
    if months == {_FEBRUARY} and days and min(days) == _LEAP:
        text = "It fires on 29 February only, thus every four years."
        found.append(Hazard(kind=HazardKind.LEAP_DAY, message=text, fix=_on_the_28th(cron)))
    elif days and any(min(days) > monthrange(_NO_LEAP_YEAR, month)[1] for month in months):
        text = f"It fires on day {min(days)} of the month only; months that are shorter have no run."
        found.append(Hazard(kind=HazardKind.SHORT_MONTH, message=text, fix=_on_the_28th(cron)))
    if days != set(range(1, 32)) and weekdays != set(range(7)):
        text = "It names days of the month and of the week, and fires on days that are both; other crons on either."
        fix = Fix(message="For either, make two schedules: one with the days of the month, one with those of the week.")
        found.append(Hazard(kind=HazardKind.DAY_AND_WEEKDAY, message=text, fix=fix))
    return found


def _values(ranges: Iterable[Range]) -> set[int]:
    return {value for one in ranges for value in range(one.start, max(one.end, one.start) + 1, one.step or 1)}


def _on_the_28th(cron: str | None) -> Fix:
    fields = (cron or "").split()
    if len(fields) != _FIELDS:
        return Fix(message="Use day 28, which every month has, or the first of the next month.")
    fields[_DAY_OF_MONTH] = str(_EVERY_MONTH_HAS)
    return Fix(
        message=f"Use day {_EVERY_MONTH_HAS}, which every month has, or the first of the next month.",
        changes={"cron": " ".join(fields)},
    )
