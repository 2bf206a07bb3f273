"""The first page."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from trenova_schedules._managing._listing import ScheduleSort
from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._overview import State, Wanted, overview_of
from trenova_schedules.dashboard._render import render
from trenova_schedules.dashboard._strip import look_of_tick
from trenova_schedules.server._parameters import Cursor, Text
from trenova_schedules.server._roles import VIEWER

router = APIRouter(route_class=PageRoute)


@router.get("/")
async def overview(  # noqa: PLR0917  # what stands in the address
    caller: PageReader,
    q: Text = "",
    owner: Text = "",
    queue: Text = "",
    state: Annotated[State, Query()] = State.ALL,
    sort: Annotated[ScheduleSort, Query()] = ScheduleSort.ID,
    descending: Annotated[bool, Query()] = False,  # noqa: FBT002
    cursor: Cursor = None,
) -> Response:
    """Show what needs attention, and every schedule; a part of the page that asks again gets what changes."""
    caller.require_somewhere(VIEWER)
    wanted = Wanted(
        search=q.strip(), owner=owner, queue=queue, state=state, sort=sort, descending=descending, cursor=cursor
    )
    view = await overview_of(caller, wanted)
    return render(
        caller.request,
        "_overview.html" if is_fragment(caller.request) else "overview.html",
        caller=caller,
        view=view,
        wanted=wanted,
        State=State,
        Sort=ScheduleSort,
        look_of_tick=look_of_tick,
    )
