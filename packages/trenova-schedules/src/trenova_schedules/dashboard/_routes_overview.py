"""The first page."""

from fastapi import APIRouter
from starlette.responses import Response

from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import render
from trenova_schedules.server._roles import VIEWER

router = APIRouter(route_class=PageRoute)


@router.get("/")
async def overview(caller: PageReader) -> Response:
    """Show what needs attention, and every schedule."""
    caller.require_somewhere(VIEWER)
    return render(caller.request, "overview.html", caller=caller)
