"""The nominal times of a schedule in a range: what the server counts, and nothing that we count ourselves."""

from datetime import UTC, datetime

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import unsaved


async def nominal_times(
    client: Client, schedule_id: str, spec: ScheduleSpec, start: int, end: int, *, limit: int
) -> list[int]:
    """Return the nominal times in ``[start, end)``, unix seconds, ascending; at most ``limit`` and one.

    These are the times of every preview. The server answers with times after jitter, and runs are called by the times
    before it; so a specification with jitter is asked about in a copy without, in a paused schedule that is deleted
    afterwards.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of the schedule.
        spec: Its specification.
        start: Unix seconds, inclusive.
        end: Unix seconds, exclusive.
        limit: Where there are more ticks, one more than these is returned.
    """
    if not spec.jitter.ToNanoseconds():
        return await _times(client, schedule_id, spec, start, end, limit=limit)
    async with unsaved(client, spec) as copy:
        return await _times(client, copy.id, copy.spec, start, end, limit=limit)


async def _times(
    client: Client, schedule_id: str, spec: ScheduleSpec, start: int, end: int, *, limit: int
) -> list[int]:
    found: list[int] = []
    window = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    async for at in times_of(client, schedule_id, spec, *window):
        found.append(int(at.timestamp()))
        if len(found) > limit:
            break
    return found
