"""The first page, and the parts of it that ask again."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from trenova_schedules._managing._listing import ScheduleSort
from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._render import render
from trenova_schedules.dashboard.overview._attention import attention_of
from trenova_schedules.dashboard.overview._concern import LOOKS, Kind
from trenova_schedules.dashboard.overview._described import completed
from trenova_schedules.dashboard.overview._fleet import fleet_of
from trenova_schedules.dashboard.overview._overview import overview_of, percent
from trenova_schedules.dashboard.overview._server_concerns import running_of
from trenova_schedules.dashboard.overview._wanted import Asked, Span, State
from trenova_schedules.dashboard.schedule._runbook import runbook_of
from trenova_schedules.dashboard.schedule._strip import look_of_tick
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import OPERATOR, VIEWER

router = APIRouter(route_class=PageRoute)

_PATIENCE: Final = 2.0
_LINES: Final = 8
"""Things of one severity that are shown; a link leads to the others."""
_CHOICES: Final = 200
"""Owners, task queues and labels to choose from; others can be searched for."""


@router.get("/")
async def overview(caller: PageReader, wanted: Asked) -> Response:
    """Show what needs attention, and every schedule; a part of the page that asks again gets the list."""
    caller.require_somewhere(VIEWER)
    view = await overview_of(caller, wanted)
    return render(
        caller.request,
        "_overview.html" if is_fragment(caller.request) else "overview.html",
        caller=caller,
        view=view,
        wanted=wanted,
        State=State,
        Span=Span,
        Sort=ScheduleSort,
        Kind=Kind,
        kinds=LOOKS,
        look_of_tick=look_of_tick,
        running_of=running_of,
        percent=percent,
        attention=view.attention,
        runbook_of=runbook_of,
        lines=_LINES,
        choices=_CHOICES,
    )


@router.get("/overview/attention")
async def attention(caller: PageReader) -> Response:
    """Show what needs attention."""
    caller.require_somewhere(VIEWER)
    fleet = fleet_of(caller.request)
    lines = await fleet.lines(caller)
    known = await fleet.descriptions.of(lines, within=_PATIENCE)
    everything = [completed(line, known.looks.get(line.id)) for line in lines]
    found = await attention_of(caller.api, fleet, everything, known)
    return render(
        caller.request,
        "_attention.html",
        caller=caller,
        attention=found,
        kinds=LOOKS,
        Kind=Kind,
        runbook_of=runbook_of,
        lines=_LINES,
    )


@router.get("/overview/backfill/{schedule_id}")
async def backfill(
    caller: PageReader,
    schedule_id: ScheduleId,
    start: Annotated[Moment | None, Query()] = None,
    end: Annotated[Moment | None, Query()] = None,
) -> Response:
    """Show the backfill of one schedule on the first page, so that nobody has to leave it."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    return render(caller.request, "_mend.html", caller=caller, document=document, start=start, end=end)


@router.get("/overview/keys")
async def keys(caller: PageReader) -> Response:
    """Say which keys do what."""
    caller.require_somewhere(VIEWER)
    return render(caller.request, "_keys.html", caller=caller)
