"""What happens to a schedule when the clocks of its zone change.

What its author means is the list of wall clock times: what the server answers for the same calendars in UTC, where
no clock ever changes. What happens is the server's answer in the zone. Where they differ, and how, is the hazard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._previewing._hazard import Fix, Hazard, HazardKind
from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import Unsaved, unsaved
from trenova_schedules._previewing._zones import OffsetChange, offset_changes, zone_of

_NOTHING = timedelta(0)
_DATE_LINE = timedelta(hours=12)  # no daylight saving moves clocks by more than two
_FOR_GOOD = timedelta(days=400)  # daylight saving is undone within a year
_MOST_AROUND = 20_000  # every second for three hours is 10,800
_LOCAL = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What is meant and what happens around one change; ``walls`` naive, ``instants`` UTC, both in order."""

    change: OffsetChange
    walls: list[datetime]
    instants: set[datetime]

    def instant(self, wall: datetime, offset: timedelta) -> datetime:
        return (wall - offset).replace(tzinfo=UTC)

    @property
    def touched(self) -> list[datetime]:
        first, sound = self.change.wall
        return [wall for wall in self.walls if first <= wall < sound]

    def frequent(self, wall: datetime) -> bool:
        """Whether runs follow each other so closely here that the clocks' step takes or gives none of them."""
        step = abs(self.change.size)
        at = self.walls.index(wall)
        before, after = self.walls[max(at - 1, 0)], self.walls[min(at + 1, len(self.walls) - 1)]
        return _NOTHING < wall - before <= step and _NOTHING < after - wall <= step


async def clock_hazards(
    client: Client, spec: ScheduleSpec, start: datetime, end: datetime, fix: Fix | None
) -> list[Hazard]:
    """Return what the changes of clocks in a window do to the calendars of a specification, in order.

    Intervals know no clocks.

    Args:
        client: With the right to create and delete schedules.
        spec: As the server keeps it.
        start: First instant of the window, UTC.
        end: First instant after the window, UTC.
        fix: To be suggested for each.

    Raises:
        InvalidInputError: This machine does not know the zone.
        temporalio.service.RPCError: The server could not be asked.
    """
    zone = zone_of(spec)
    changes = list(offset_changes(zone, start, end)) if spec.structured_calendar else []
    if not changes:
        return []
    meant = ScheduleSpec()
    meant.CopyFrom(spec)
    for field in ("interval", "start_time", "end_time", "jitter"):
        meant.ClearField(field)
    in_utc = ScheduleSpec()
    in_utc.CopyFrom(meant)
    in_utc.ClearField("timezone_data")
    in_utc.timezone_name = "UTC"
    found: list[Hazard] = []
    async with unsaved(client, meant) as zoned, unsaved(client, in_utc) as walls:
        for change in changes:
            around = await _look(client, zoned, walls, change)
            found += _for_good(change, next(offset_changes(zone, change.at, change.at + _FOR_GOOD), None))
            found += _judge(around, fix)
    dated = [(one.at, one) for one in found if one.at is not None]
    return [one for at, one in sorted(dated, key=itemgetter(0)) if start <= at < end and _in_force(spec, at)]


async def _look(client: Client, zoned: Unsaved, walls: Unsaved, change: OffsetChange) -> _Around:
    step = abs(change.size)
    first, sound = (wall.replace(tzinfo=UTC) for wall in change.wall)
    second = timedelta(seconds=1)
    meant = await _some(client, walls, first - step, sound + step + second)
    happens = await _some(client, zoned, first - step - change.before, sound + step + second - change.after)
    return _Around(change=change, walls=[at.replace(tzinfo=None) for at in meant], instants=set(happens))


async def _some(client: Client, schedule: Unsaved, start: datetime, end: datetime) -> list[datetime]:
    times: list[datetime] = []
    async for at in times_of(client, schedule.id, schedule.spec, start, end):
        times.append(at)
        if len(times) == _MOST_AROUND:
            break
    return times


def _in_force(spec: ScheduleSpec, at: datetime) -> bool:
    begun = not spec.HasField("start_time") or spec.start_time.ToDatetime(tzinfo=UTC) <= at
    return begun and (not spec.HasField("end_time") or at <= spec.end_time.ToDatetime(tzinfo=UTC))


def _for_good(change: OffsetChange, following: OffsetChange | None) -> list[Hazard]:
    if following is not None or abs(change.size) >= _DATE_LINE:
        return []
    text = f"The zone changes its distance to UTC on {_local(change.at, change.after)}, and not back within a year."
    return [Hazard(kind=HazardKind.ZONE_CHANGE, message=text, at=change.at)]


def _judge(around: _Around, fix: Fix | None) -> list[Hazard]:
    if not around.touched:
        return []
    if around.change.size >= _DATE_LINE:
        return [_date_line(around)]
    judged = _gap(around, fix) if around.change.size > _NOTHING else _fold(around, fix)
    return judged + _elsewhere(around)


def _date_line(around: _Around) -> Hazard:
    left_out = f"{around.touched[0]:%Y-%m-%d}"
    text = f"The zone leaves out {left_out}; the server finds no next run there, and starts none until that is over."
    mend = Fix(message="Read it in UTC around that date.", changes={"time_zone": "UTC"})
    at = around.instant(around.touched[0], around.change.before)
    return Hazard(kind=HazardKind.DATE_LINE, message=text, at=at, wall=around.touched[0], missing=True, fix=mend)


def _gap(around: _Around, fix: Fix | None) -> list[Hazard]:
    extra = sorted(around.instants - set(_sound(around)))
    found: list[Hazard] = []
    for wall in around.touched:
        if extra:
            at = extra.pop(0)
            text = f"{wall:{_LOCAL}} does not exist, clocks go forward; the run starts at {_at(around, at)}."
            found.append(Hazard(kind=HazardKind.SPRING_SHIFTED, message=text, at=at, wall=wall, fix=fix))
        elif not around.frequent(wall):
            text = f"{wall:{_LOCAL}} does not exist, clocks go forward; there is no run."
            at = around.instant(wall, around.change.before)
            found.append(Hazard(kind=HazardKind.SPRING_LOST, message=text, at=at, wall=wall, missing=True, fix=fix))
    return found


def _fold(around: _Around, fix: Fix | None) -> list[Hazard]:
    found: list[Hazard] = []
    for wall in around.touched:
        both = [around.instant(wall, offset) for offset in (around.change.before, around.change.after)]
        there = [at for at in both if at in around.instants]
        if around.frequent(wall) or not there:
            found += [_lost(around, wall, at, fix) for at in both if at not in there]
        elif len(there) > 1:
            text = f"{wall:{_LOCAL}} comes twice, clocks go back; there are two runs."
            found.append(Hazard(kind=HazardKind.AUTUMN_DOUBLED, message=text, at=there[1], wall=wall, fix=fix))
        else:
            which = "first" if there == both[:1] else "second"
            text = f"{wall:{_LOCAL}} comes twice, clocks go back; there is one run, the {which} time."
            found.append(Hazard(kind=HazardKind.AUTUMN_ONCE, message=text, at=there[0], wall=wall, fix=fix))
    return found


def _lost(around: _Around, wall: datetime, at: datetime, fix: Fix | None) -> Hazard:
    text = f"{wall:{_LOCAL}} comes twice, clocks go back; there is no run at {_at(around, at)}, where one is due."
    return Hazard(kind=HazardKind.AUTUMN_LOST, message=text, at=at, wall=wall, missing=True, fix=fix)


def _elsewhere(around: _Around) -> list[Hazard]:
    """Tell runs that are amiss although their time is sound: the server knows other clocks than this machine."""
    missing = sorted(set(_sound(around)) - around.instants)
    if not missing or len(around.walls) == _MOST_AROUND:
        return []
    text = (
        f"The server does not start the run of {_at(around, missing[0])}, near a change of clocks in the time zone "
        "database of this machine: the two databases differ."
    )
    mend = Fix(message="Bring tzdata up to date on both.")
    return [Hazard(kind=HazardKind.ZONE_DATA, message=text, at=missing[0], missing=True, fix=mend)]


def _sound(around: _Around) -> Sequence[datetime]:
    first, sound = around.change.wall
    early = [around.instant(wall, around.change.before) for wall in around.walls if wall < first]
    return early + [around.instant(wall, around.change.after) for wall in around.walls if wall >= sound]


def _at(around: _Around, at: datetime) -> str:
    return _local(at, around.change.before if at < around.change.at else around.change.after)


def _local(at: datetime, offset: timedelta) -> str:
    naive = (at + offset).replace(tzinfo=None)
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{naive:{_LOCAL}}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
