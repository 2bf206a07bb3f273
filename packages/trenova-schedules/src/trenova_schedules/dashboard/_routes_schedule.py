"""The page of one schedule."""

from fastapi import APIRouter
from starlette.responses import Response

from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import render
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import VIEWER

router = APIRouter(route_class=PageRoute)


@router.get("/schedules/{schedule_id}")
async def page(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Show one schedule."""
    snapshot = await caller.schedule(schedule_id, VIEWER)
    return render(caller.request, "schedule.html", caller=caller, document=snapshot.document)
