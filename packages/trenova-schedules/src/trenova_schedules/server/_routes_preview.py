"""When schedules fire, before anything has the times."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from temporalio.api.schedule.v1 import Schedule

from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._previewing._difference import FireDiff, fire_diff
from trenova_schedules._previewing._preview import Preview, preview
from trenova_schedules.server._api import Writer
from trenova_schedules.server._bodies import PreviewBody, Zone
from trenova_schedules.server._documented import documented
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import VIEWER

router = APIRouter(tags=["preview"])

_A_YEAR = timedelta(days=366)


@router.post("/preview", operation_id="previewTimes", responses=documented())
async def preview_times(caller: Writer, body: PreviewBody) -> Preview:
    """Say when these times would fire, by the server, and what clocks do to them; nothing is created that stays.

    Role viewer on any schedule.
    """
    caller.require_somewhere(VIEWER)
    start, end = _window(body.start, body.end)
    return await preview(
        caller.api.client, body.spec(), n=body.limit, start=start, end=end, viewer_zone=body.viewer_zone
    )


@router.get("/schedules/{schedule_id}/fires", operation_id="scheduleFires", responses=documented(404))
async def schedule_fires(
    *,
    caller: Writer,
    schedule_id: ScheduleId,
    start: Annotated[Moment | None, Query(description="Now by default.")] = None,
    end: Annotated[Moment | None, Query(description="A year after the start by default.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
    viewer_zone: Annotated[Zone, Query(alias="viewerZone")] = "UTC",
) -> Preview:
    """Say when a schedule fires by its present specification, paused or not, jitter included; role viewer."""
    await caller.schedule(schedule_id, VIEWER)
    start, end = _window(start, end)
    return await preview(caller.api.client, schedule_id, n=limit, start=start, end=end, viewer_zone=viewer_zone)


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


def _window(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    begin = start or datetime.now(UTC).replace(microsecond=0)
    return begin, end or begin + _A_YEAR
