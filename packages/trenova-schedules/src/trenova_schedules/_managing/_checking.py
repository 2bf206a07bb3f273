"""What the server would make of times that nothing has yet, and whether they will ever come.

It takes 31 February, an end before the start and six fields of cron without a word, so it is asked beforehand: by a
schedule that is paused and exists only for the question.
"""

from temporalio.api.schedule.v1 import Schedule, ScheduleSpec
from temporalio.client import Client

from trenova_errors import InvalidInputError
from trenova_schedules._previewing._unsaved import unsaved
from trenova_schedules._reading import read_schedule


async def compiled(client: Client, schedule_id: str, schedule: Schedule) -> ScheduleSpec:
    """Return the specification of a proposed schedule with cron strings turned into calendars by the server.

    Args:
        client: Of the namespace; it needs the right to create and delete schedules.
        schedule_id: For messages.
        schedule: As it is proposed.

    Raises:
        InvalidInputError: The server refuses it, or it would never fire; nothing was changed.
    """
    _require_order(schedule_id, schedule.spec)
    try:
        async with unsaved(client, schedule.spec) as asked:
            seen = (await read_schedule(client, asked.id)).document
    except InvalidInputError as error:
        raise InvalidInputError(
            f"Schedule {schedule_id!r} cannot be so. {error.message} Nothing was changed.", schedule_id=schedule_id
        ) from error
    if not seen.next_fires:
        raise InvalidInputError(
            f"Schedule {schedule_id!r} would never fire: Temporal knows no time to come that fits. Look at the day "
            "of month, the month, the year and the end. Nothing was changed.",
            schedule_id=schedule_id,
        )
    found = ScheduleSpec()
    found.CopyFrom(schedule.spec)
    found.ClearField("cron_string")
    found.ClearField("calendar")
    found.ClearField("structured_calendar")
    found.structured_calendar.extend(asked.spec.structured_calendar)
    return found


def _require_order(schedule_id: str, spec: ScheduleSpec) -> None:
    if spec.HasField("start_time") and spec.HasField("end_time"):
        start, end = spec.start_time.ToDatetime(), spec.end_time.ToDatetime()
        if end < start:
            raise InvalidInputError(
                f"Schedule {schedule_id!r} would end at {end.isoformat()}Z, before it starts at {start.isoformat()}Z. "
                "Give a later end. Nothing was changed.",
                schedule_id=schedule_id,
            )
