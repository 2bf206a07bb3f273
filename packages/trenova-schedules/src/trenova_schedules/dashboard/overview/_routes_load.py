"""The load of the time ahead, as a part of the first page."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import render
from trenova_schedules.dashboard.overview._fleet import fleet_of
from trenova_schedules.dashboard.overview._load import OTHERS, load_of
from trenova_schedules.dashboard.overview._load_chart import HEIGHT, WIDTH, bars_of
from trenova_schedules.dashboard.overview._wanted import Span, Wanted
from trenova_schedules.server._roles import VIEWER

router = APIRouter(route_class=PageRoute)

_PATIENCE: Final = 3.0
"""Seconds to wait for looks, and as many for times; what is not there by then is named, and asked for again."""


@router.get("/overview/load")
async def load(caller: PageReader, span: Annotated[Span, Query()] = Span.DAY) -> Response:
    """Show how many runs start when, of every schedule that the caller may look at."""
    caller.require_somewhere(VIEWER)
    fleet = fleet_of(caller.request)
    lines = await fleet.lines(caller)
    known = await fleet.descriptions.of(lines, within=_PATIENCE)
    looks = list(known.looks.values())
    await fleet.expected.count([look for look in looks if not look.document.paused], within=_PATIENCE)
    found = await asyncio.to_thread(load_of, looks, fleet.expected, span, datetime.now(UTC), unknown=known.missing)
    return render(
        caller.request,
        "_load.html",
        caller=caller,
        load=found,
        bars=bars_of(found) if found.total else (),
        width=WIDTH,
        height=HEIGHT,
        oldest=known.oldest,
        Span=Span,
        OTHERS=OTHERS,
        address=Wanted(span=span).address,
    )
