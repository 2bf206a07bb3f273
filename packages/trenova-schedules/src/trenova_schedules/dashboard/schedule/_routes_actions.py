"""Dialogs that pause, resume and trigger one schedule."""

import json
import uuid
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._triggering import TriggeredRun
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import done, render
from trenova_schedules.server._bodies import TriggerBody
from trenova_schedules.server._idempotency import once
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import OPERATOR

router = APIRouter(prefix="/schedules/{schedule_id}", route_class=PageRoute)

Reason = Annotated[str, Form(min_length=1, max_length=500)]
Etag = Annotated[str, Form(max_length=200)]

_SAID = {
    "started": "A run was started.",
    "buffered": "The run starts when the one under way has ended.",
    "skipped": "No run was started: one is under way, and the overlap policy lets none start beside it.",
}


@router.get("/pause")
async def ask_pause(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Ask why."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    return render(caller.request, "_pause.html", caller=caller, document=document)


@router.post("/pause")
async def pause(caller: PageWriter, schedule_id: ScheduleId, reason: Reason, etag: Etag) -> Response:
    """Pause it as it was shown."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    await caller.api.service.pause(schedule_id, reason=reason, actor=caller.actor(labels), etag=etag)
    return done("Paused.")


@router.get("/resume")
async def ask_resume(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Ask why, and what becomes of the ticks that it missed; with how many those are."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    missed = await caller.api.service.missed(schedule_id)
    return render(caller.request, "_resume.html", caller=caller, document=document, missed=missed)


@router.post("/resume")
async def resume(  # noqa: PLR0917  # fields of the form
    caller: PageWriter,
    schedule_id: ScheduleId,
    reason: Reason,
    etag: Etag,
    catch_up: Annotated[CatchUp, Form()] = CatchUp.NONE,
    count: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Resume it, and start as many runs as were shown."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    confirmed = {CatchUp.NONE: None, CatchUp.LAST: min(count, 1), CatchUp.ALL: count}[catch_up]
    change = await caller.api.service.resume(
        schedule_id, reason=reason, actor=caller.actor(labels), catch_up=catch_up, confirmed=confirmed, etag=etag
    )
    return done(f"Resumed; {change.caught_up} missed ticks started." if change.caught_up else "Resumed.")


@router.get("/trigger")
async def ask_trigger(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Ask why; a key of the form's own keeps a second click from a second run."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    return render(caller.request, "_trigger.html", caller=caller, document=document, key=uuid.uuid4().hex)


@router.post("/trigger")
async def trigger(
    caller: PageWriter,
    schedule_id: ScheduleId,
    reason: Reason,
    key: Annotated[str, Form(min_length=1, max_length=200)],
    overlap: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """Start a run now, once for each form."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    service, actor, body = caller.api.service, caller.actor(labels), TriggerBody(reason=reason)

    async def work() -> TriggeredRun:
        return await service.trigger(schedule_id, actor=actor, reason=reason, overlap=overlap or None)

    answer = await once(caller, None if caller.api.store is None else key, body, work)
    return done(_SAID[json.loads(bytes(answer.body))["outcome"]])
