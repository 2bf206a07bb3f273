"""When schedules fire, before anything has the times."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from temporalio.api.schedule.v1 import Schedule, ScheduleSpec
from temporalio.client import ScheduleSpec as ClientSpec

from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._previewing._difference import FireDiff, fire_diff
from trenova_schedules._previewing._limits import require_window
from trenova_schedules._previewing._times import times_of
from trenova_schedules._previewing._unsaved import unsaved
from trenova_schedules._reading._document import WireDocument
from trenova_schedules.server._api import Api, Writer
from trenova_schedules.server._bodies import PreviewBody, Zone
from trenova_schedules.server._documented import documented
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import VIEWER

router = APIRouter(tags=["preview"])

_A_YEAR = timedelta(days=366)


class FireDocument(WireDocument):
    """One tick to come, in three zones.

    Attributes:
        at: In UTC.
        local: In the zone of the schedule.
        viewer: In the zone of whoever looks.
    """

    at: datetime
    local: datetime
    viewer: datetime


class FirePreview(WireDocument):
    """The next ticks.

    Attributes:
        start: Where the window begins.
        end: Where it ends.
        time_zone: Of the schedule.
        fires: In order, without jitter.
        truncated: Whether the window has more.
    """

    start: datetime
    end: datetime
    time_zone: str
    fires: tuple[FireDocument, ...]
    truncated: bool


@router.post("/preview", operation_id="previewTimes", responses=documented())
async def preview_times(caller: Writer, body: PreviewBody) -> FirePreview:
    """Say when these times would fire, by the server; nothing is created that stays. Role viewer on any schedule."""
    caller.require_somewhere(VIEWER)
    spec = body.spec()
    return await _fires(
        caller.api,
        spec,
        zone=body.time_zone,
        window=(body.start, body.end),
        limit=body.limit,
        viewer_zone=body.viewer_zone,
    )


@router.get("/schedules/{schedule_id}/fires", operation_id="scheduleFires", responses=documented(404))
async def schedule_fires(
    *,
    caller: Writer,
    schedule_id: ScheduleId,
    start: Annotated[AwareDatetime | None, Query(description="Now by default.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="A year after the start by default.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
    viewer_zone: Annotated[Zone, Query(alias="viewerZone")] = "UTC",
) -> FirePreview:
    """Say when a schedule fires by its present specification, paused or not; role viewer."""
    snapshot = await caller.schedule(schedule_id, VIEWER)
    spec = snapshot.raw.schedule.spec
    return await _fires(
        caller.api, spec, zone=snapshot.document.time_zone, window=(start, end), limit=limit, viewer_zone=viewer_zone
    )


@router.post("/schedules/{schedule_id}/fire-diff", operation_id="fireDiff", responses=documented(404))
async def difference(
    caller: Writer, schedule_id: ScheduleId, patch: SchedulePatch, days: Annotated[int, Query(ge=1, le=3660)] = 30
) -> FireDiff:
    """Say which ticks a patch would add, take away and move; nothing is changed. Role viewer."""
    snapshot = await caller.schedule(schedule_id, VIEWER)
    proposed = Schedule()
    proposed.CopyFrom(snapshot.raw.schedule)
    patch.apply(proposed)
    return await fire_diff(caller.api.client, snapshot.raw.schedule.spec, proposed.spec, days=days)


async def _fires(
    api: Api,
    spec: ScheduleSpec | ClientSpec,
    *,
    zone: str,
    window: tuple[datetime | None, datetime | None],
    limit: int,
    viewer_zone: str,
) -> FirePreview:
    begin = window[0] or datetime.now(UTC).replace(microsecond=0)
    start, end = require_window(begin, window[1] or _year_after(begin), limit)
    found: list[datetime] = []
    async with unsaved(api.client, spec) as schedule:
        async for at in times_of(api.client, schedule.id, schedule.spec, start, end):
            found.append(at)
            if len(found) > limit:
                break
    own, viewer = ZoneInfo(zone), ZoneInfo(viewer_zone)
    fires = [FireDocument(at=at, local=at.astimezone(own), viewer=at.astimezone(viewer)) for at in found[:limit]]
    return FirePreview(start=start, end=end, time_zone=zone, fires=tuple(fires), truncated=len(found) > limit)


def _year_after(at: datetime) -> datetime:
    try:
        return at + _A_YEAR
    except OverflowError:
        return at
