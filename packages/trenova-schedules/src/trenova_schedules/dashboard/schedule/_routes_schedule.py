"""The page of one schedule, and its parts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from trenova_errors import ApplicationError
from trenova_schedules._previewing import preview
from trenova_schedules._tick import TickClass
from trenova_schedules.dashboard._arguments import arguments_in_words
from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._render import render
from trenova_schedules.dashboard.schedule._changes import changes_of, problem_of
from trenova_schedules.dashboard.schedule._chart import chart_of
from trenova_schedules.dashboard.schedule._cron_words import calendar_as_cron, calendar_in_words, cron_in_words
from trenova_schedules.dashboard.schedule._durations import durations_of
from trenova_schedules.dashboard.schedule._objective import objective_view
from trenova_schedules.dashboard.schedule._pause import pause_of
from trenova_schedules.dashboard.schedule._runbook import commands_of, runbook_of
from trenova_schedules.dashboard.schedule._schedule import MOST_TICKS, Window, schedule_view
from trenova_schedules.dashboard.schedule._spec_versions import versions_of
from trenova_schedules.dashboard.schedule._strip import look_of_tick
from trenova_schedules.dashboard.schedule._worker_waits import worker_waits
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import VIEWER
from trenova_schedules.store import AuditFilter

router = APIRouter(route_class=PageRoute)

_FIRES = 10
_ENTRIES = 20

Start = Annotated[Moment | None, Query(description="The first time that counts.")]
End = Annotated[Moment | None, Query(description="The first that no longer counts.")]
Only = Annotated[TickClass | None, Query(description="Of which class ticks are listed; all by default.")]


@router.get("/schedules/{schedule_id}")
async def page(
    caller: PageReader, schedule_id: ScheduleId, start: Start = None, end: End = None, only: Only = None
) -> Response:
    """Show one schedule; a part of the page that asks again gets what changes by itself."""
    snapshot = await caller.schedule(schedule_id, VIEWER)
    document = snapshot.document
    view = await schedule_view(document, caller.api.store, Window.of(start, end), only=only)
    return render(
        caller.request,
        "_schedule.html" if is_fragment(caller.request) else "schedule.html",
        caller=caller,
        view=view,
        document=document,
        pause=await pause_of(caller.api.client, caller.api.store, snapshot),
        asked=start is not None,
        now=datetime.now(UTC),
        runbook=runbook_of(document),
        commands=commands_of(document),
        look_of_tick=look_of_tick,
    )


@router.get("/schedules/{schedule_id}/fires")
async def fires(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Show when it fires next, and what changes of clocks do to that."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    shown = await preview(caller.api.client, schedule_id, n=_FIRES)
    return render(caller.request, "_fires.html", caller=caller, document=document, preview=shown)


@router.get("/schedules/{schedule_id}/objective")
async def objective(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Show how well it has kept its times, and what is expected."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    store = caller.api.store
    view = None if store is None else await objective_view(document, store, datetime.now(UTC).replace(microsecond=0))
    return render(caller.request, "_objective.html", caller=caller, document=document, view=view)


@router.get("/schedules/{schedule_id}/durations")
async def durations(caller: PageReader, schedule_id: ScheduleId, start: Start = None, end: End = None) -> Response:
    """Show how long its runs took, and how long they were waited for."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    window, store = Window.of(start, end), caller.api.store
    measured, trouble = None, ""
    if store is not None:
        try:
            found = await store.ticks.read(schedule_id, window.start, window.end, limit=MOST_TICKS)
            measured = durations_of(found, document.slo.max_run_time if document.slo else None)
        except ApplicationError as error:
            trouble = error.message
    return render(
        caller.request,
        "_durations.html",
        caller=caller,
        document=document,
        window=window,
        durations=measured,
        chart=None if measured is None else chart_of(measured, window.start, window.end),
        waits=await worker_waits(caller.api.client, document),
        trouble=trouble,
    )


@router.get("/schedules/{schedule_id}/definition")
async def definition(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Show what it is told, in words where there are any."""
    snapshot = await caller.schedule(schedule_id, VIEWER)
    return render(
        caller.request,
        "_definition.html",
        caller=caller,
        document=snapshot.document,
        cron_in_words=cron_in_words,
        calendar_in_words=calendar_in_words,
        calendar_as_cron=calendar_as_cron,
        arguments=arguments_in_words(snapshot.raw.schedule),
    )


@router.get("/schedules/{schedule_id}/versions")
async def versions(caller: PageReader, schedule_id: ScheduleId, before: Start = None) -> Response:
    """Show which specifications were in force when, the newest first."""
    await caller.schedule(schedule_id, VIEWER)
    until = before or datetime.now(UTC) + timedelta(seconds=1)
    found, more = await versions_of(caller.api.needed_store("Versions"), schedule_id, until)
    return render(
        caller.request,
        "_versions.html",
        caller=caller,
        schedule_id=schedule_id,
        versions=found,
        more=more,
        first=before is None,
    )


@router.get("/schedules/{schedule_id}/history")
async def history(
    caller: PageReader, schedule_id: ScheduleId, cursor: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """Show who did what to it, the newest first."""
    await caller.schedule(schedule_id, VIEWER)
    store = caller.api.store
    found = None
    if store is not None:
        found = await store.audit.read(AuditFilter(schedule_id=schedule_id), cursor=cursor, limit=_ENTRIES)
    return render(
        caller.request,
        "_history.html",
        caller=caller,
        schedule_id=schedule_id,
        found=found,
        later=cursor is None,
        changes_of=changes_of,
        problem_of=problem_of,
    )
