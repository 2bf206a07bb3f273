"""A schedule as the server has it, decoded for people and programs."""

from trenova_schedules._reading._conflict import ScheduleConflictError
from trenova_schedules._reading._cron_memo import calendars_digest, cron_of, cron_text
from trenova_schedules._reading._document import (
    CalendarDocument,
    IntervalDocument,
    RunDocument,
    ScheduleCounts,
    ScheduleDocument,
)
from trenova_schedules._reading._etag import etag_of
from trenova_schedules._reading._snapshot import ScheduleSnapshot, read_schedule, snapshot_of

__all__ = [
    "CalendarDocument",
    "IntervalDocument",
    "RunDocument",
    "ScheduleConflictError",
    "ScheduleCounts",
    "ScheduleDocument",
    "ScheduleSnapshot",
    "calendars_digest",
    "cron_of",
    "cron_text",
    "etag_of",
    "read_schedule",
    "snapshot_of",
]
