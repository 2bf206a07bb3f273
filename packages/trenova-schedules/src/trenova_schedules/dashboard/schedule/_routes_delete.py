"""The dialog that deletes a schedule, as it was shown."""

from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from trenova_errors import InvalidInputError
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import gone_to, page_path, render
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import ADMIN

router = APIRouter(prefix="/schedules/{schedule_id}/delete", route_class=PageRoute)

_SHOWN: Final = 100
"""Characters of an id in a sentence."""


@router.get("")
async def ask(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Say what it does, and ask for the id and why."""
    document = (await caller.schedule(schedule_id, ADMIN)).document
    return render(caller.request, "_delete.html", caller=caller, document=document)


@router.post("")
async def delete(
    caller: PageWriter,
    schedule_id: ScheduleId,
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    etag: Annotated[str, Form(min_length=1, max_length=200)],
    typed: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Delete it, if it is what was shown and its id was typed."""
    labels = (await caller.schedule(schedule_id, ADMIN)).document.labels
    if " ".join(typed.split()) != " ".join(schedule_id.split()):
        raise InvalidInputError("What was typed is not the id of this schedule. Nothing was deleted.")
    await caller.api.service.delete(schedule_id, reason=reason, actor=caller.actor(labels), etag=etag)
    name = schedule_id if len(schedule_id) <= _SHOWN else f"{schedule_id[:_SHOWN]}…"
    return gone_to(caller.request, page_path(caller.request, ""), f"Deleted {name}.")
