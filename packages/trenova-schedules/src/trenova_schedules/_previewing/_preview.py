"""The next fires of a schedule, with what is dangerous about them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._previewing._clock_changes import clock_hazards
from trenova_schedules._previewing._clock_fix import clock_fix
from trenova_schedules._previewing._day_hazards import day_hazards
from trenova_schedules._previewing._hazard import Hazard, HazardKind
from trenova_schedules._previewing._limits import LONGEST_WINDOW, require_window
from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import SpecLike, unsaved
from trenova_schedules._previewing._zones import zone_named, zone_of
from trenova_schedules._reading import read_schedule


class Fire(BaseModel):
    """One time at which a run starts.

    Attributes:
        at: UTC.
        local: The same instant in the schedule's zone.
        viewer: The same instant in the zone of whoever looks.
        hazards: What is dangerous about it.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    at: datetime
    local: datetime
    viewer: datetime
    hazards: tuple[Hazard, ...] = ()


class Preview(BaseModel):
    """When a schedule fires.

    Attributes:
        schedule_id: Of the schedule, if there is one.
        time_zone: In which its calendars are read.
        viewer_zone: Of whoever looks.
        start: First instant looked at, UTC.
        end: First instant no longer looked at, UTC; behind the last fire where there are ``more``.
        fires: In order.
        more: Whether there are more before the end that was asked for.
        hazards: What belongs to none of these fires: runs that are missing, and what concerns all.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    schedule_id: str | None
    time_zone: str
    viewer_zone: str
    start: datetime
    end: datetime
    fires: tuple[Fire, ...]
    more: bool
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    n: int
    start: datetime
    end: datetime
    viewer: ZoneInfo
    open_ended: bool


async def preview(
    client: Client,
    schedule: str | SpecLike,
    *,
    n: int = 10,
    start: datetime | None = None,
    end: datetime | None = None,
    viewer_zone: str = "UTC",
) -> Preview:
    """Show when a schedule fires, as its server says, with what is dangerous about it.

    Args:
        client: Of the namespace, with the right to create and delete schedules.
        schedule: Id of one that exists, or a specification. With an id, jitter is part of the times.
        n: How many fires at most.
        start: First instant looked at; now unless given.
        end: First instant no longer looked at; fifty years later unless given.
        viewer_zone: IANA name.

    Raises:
        InvalidInputError: The server refuses the specification, a zone that nobody knows, or a window or number out of
            range.
        ResourceNotFoundError: No schedule with that id.
        temporalio.service.RPCError: The server could not be asked.
    """
    start = start or datetime.now(UTC).replace(microsecond=0)
    begin, stop = require_window(start, end or start + LONGEST_WINDOW, n)
    wanted = _Wanted(n=n, start=begin, end=stop, viewer=zone_named(viewer_zone), open_ended=end is None)
    if isinstance(schedule, str):
        snapshot = await read_schedule(client, schedule)
        spec = snapshot.raw.schedule.spec
        times = await _first(client, schedule, spec, wanted)
        return await _shown(client, spec, snapshot.document.cron, times, wanted, schedule_id=schedule)
    async with unsaved(client, schedule) as asked:
        times = await _first(client, asked.id, asked.spec, wanted)
    return await _shown(client, asked.spec, cron_text_of(schedule), times, wanted, schedule_id=None)


async def spec_hazards(
    client: Client, spec: ScheduleSpec, cron: str | None, start: datetime, end: datetime
) -> list[Hazard]:
    """Return everything dangerous about a specification in a window; see :func:`preview`."""
    fix = clock_fix(cron, zone_of(spec), start)
    return [*day_hazards(spec, cron), *await clock_hazards(client, spec, start, end, fix)]


def never(end: datetime) -> Hazard:
    """Say that nothing fires."""
    text = f"It never fires until {end:%Y-%m-%d}: no such day exists, or it has ended."
    return Hazard(kind=HazardKind.NEVER, message=text)


def cron_text_of(schedule: SpecLike) -> str | None:
    """Return the one cron string of a specification, if that is what it is made of."""
    if isinstance(schedule, ScheduleDefinition):
        return schedule.cron
    texts = schedule.cron_string if isinstance(schedule, ScheduleSpec) else schedule.cron_expressions
    return texts[0] if len(texts) == 1 else None


async def _first(client: Client, schedule_id: str, spec: ScheduleSpec, wanted: _Wanted) -> list[datetime]:
    times: list[datetime] = []
    async for at in times_of(client, schedule_id, spec, wanted.start, wanted.end):
        times.append(at)
        if len(times) > wanted.n:
            break
    return times


async def _shown(
    client: Client,
    spec: ScheduleSpec,
    cron: str | None,
    times: list[datetime],
    wanted: _Wanted,
    *,
    schedule_id: str | None,
) -> Preview:
    more = len(times) > wanted.n
    times = times[: wanted.n]
    behind = times[-1] + timedelta(seconds=1) if times else wanted.start
    looked = behind if more or wanted.open_ended else wanted.end
    hazards = await spec_hazards(client, spec, cron, wanted.start, looked)
    if not times:
        hazards.append(never(wanted.end))
    there = set(times)
    of_fire: dict[datetime, list[Hazard]] = defaultdict(list)
    for one in hazards:
        if one.at is not None and one.at in there and not one.missing:
            of_fire[one.at].append(one)
    zone = zone_of(spec)
    return Preview(
        schedule_id=schedule_id,
        time_zone=spec.timezone_name or "UTC",
        viewer_zone=wanted.viewer.key,
        start=wanted.start,
        end=behind if more else wanted.end,
        fires=tuple(
            Fire(at=at, local=at.astimezone(zone), viewer=at.astimezone(wanted.viewer), hazards=tuple(of_fire[at]))
            for at in times
        ),
        more=more,
        hazards=tuple(one for one in hazards if one.missing or one.at not in there),
    )
