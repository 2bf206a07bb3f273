"""How a cron keeps clear of the hours in which clocks change."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trenova_schedules._previewing._hazard import Fix
from trenova_schedules._previewing._zones import OffsetChange, offset_changes

_LOOK_AHEAD = timedelta(days=3 * 366)
_DAY = 24 * 60
_HOUR = 60
_HOURS_OF_DAY = range(24)
_DAILY = {"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_DAILY |= {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@hourly": "0 * * * *"}
_NEAREST = (1, -1, 2, -2, 3, -3)


def clock_fix(cron: str | None, zone: ZoneInfo, start: datetime) -> Fix:
    """Suggest what keeps a schedule clear of changes of clocks.

    A cron of one hour moves to the nearest hour of the same day in which no clock of the zone changes; one of every
    hour is read in UTC, which is the same instants. Others a person has to decide on.

    Args:
        cron: The string, if there is one.
        zone: In which it is read.
        start: From when on clocks matter; the three years after it are looked at.
    """
    changes = list(offset_changes(zone, start, start + _LOOK_AHEAD))
    fields = _DAILY.get(cron or "", cron or "").split()
    if len(fields) > 1 and fields[1:] == ["*"] * 4 and all(_whole_hours(one) for one in changes):
        return Fix(message="Read it in UTC: the same times, and no clock changes.", changes={"time_zone": "UTC"})
    busy = [_busy(one) for one in changes]
    hour = int(fields[1]) if len(fields) > 1 and fields[1].isdecimal() else None
    near = [] if hour is None else [hour + by for by in _NEAREST if hour + by in _HOURS_OF_DAY]
    free = [one for one in near if not _meets(one, busy)]
    if not free:
        spans = sorted({f"{_clock(first)} to {_clock(last)}" for first, last in busy})
        return Fix(message=f"Keep out of {', '.join(spans)} local time, or use an interval, which knows no clocks.")
    fields[1] = str(free[0])
    return Fix(
        message=f"Move it to {free[0]:02} hours local time, when no clock changes.", changes={"cron": " ".join(fields)}
    )


def _whole_hours(change: OffsetChange) -> bool:
    return not any(offset.seconds % 3600 for offset in (change.before, change.after))


def _busy(change: OffsetChange) -> tuple[int, int]:
    first, sound = change.wall
    begins = first.hour * _HOUR + first.minute
    return begins, begins + int((sound - first).total_seconds()) // 60


def _meets(hour: int, busy: list[tuple[int, int]]) -> bool:
    begins = hour * _HOUR
    return any(first < begins + _HOUR + days and begins + days < last for first, last in busy for days in (0, _DAY))


def _clock(minutes: int) -> str:
    return f"{minutes // _HOUR % len(_HOURS_OF_DAY):02}:{minutes % _HOUR:02}"
