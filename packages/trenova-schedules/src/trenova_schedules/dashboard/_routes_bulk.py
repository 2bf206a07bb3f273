"""The same for many schedules: a dialog that tries it first, does it, and says what became of each."""

import json
import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import JSONResponse, Response

from trenova_schedules._managing._listing import ScheduleSort
from trenova_schedules._managing._results import BulkAction, BulkResult
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._bulk import BulkView, bulk_view, seen_in
from trenova_schedules.dashboard._bulk_form import MOST, VERBS, ChosenForm, SentForm, confirmation
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._overview import State, Wanted, overview_of
from trenova_schedules.dashboard._render import TRIGGER, render
from trenova_schedules.server._idempotency import once
from trenova_schedules.server._parameters import Text
from trenova_schedules.server._permitted import role_for
from trenova_schedules.server._roles import OPERATOR
from trenova_schedules.server._routes_bulk import done_in_bulk

router = APIRouter(prefix="/bulk", route_class=PageRoute)

_SAID: Final = {
    BulkAction.PAUSE: "Paused",
    BulkAction.RESUME: "Resumed",
    BulkAction.UPDATE: "Changed",
    BulkAction.TRIGGER: "Started a run of",
    BulkAction.DELETE: "Deleted",
}


@router.get("/ids")
async def matching_ids(
    caller: PageReader,
    q: Text = "",
    owner: Text = "",
    queue: Text = "",
    state: Annotated[State, Query()] = State.ALL,
) -> Response:
    """Name the schedules that the overview lists under this filter, on all its pages; none where they are too many."""
    caller.require_somewhere(OPERATOR)
    wanted = Wanted(search=q.strip(), owner=owner, queue=queue, state=state, sort=ScheduleSort.ID)
    view = await overview_of(caller, wanted)
    ids = [line.id for line in view.rows]
    while view.total <= MOST and view.next_cursor is not None:
        wanted = Wanted(search=q.strip(), owner=owner, queue=queue, state=state, cursor=view.next_cursor)
        view = await overview_of(caller, wanted)
        ids += [line.id for line in view.rows]
    return JSONResponse({"ids": ids if view.total <= MOST else [], "total": view.total}, headers=HEADERS)


@router.post("/{action}")
async def ask(caller: PageWriter, action: BulkAction, form: Annotated[ChosenForm, Form()]) -> Response:
    """Open the dialog; it asks for its dry run by itself."""
    caller.require_somewhere(role_for(action))
    return render(
        caller.request,
        "_bulk.html",
        caller=caller,
        action=action,
        verb=VERBS[action],
        form=form,
        ids=form.ids,
        key=uuid.uuid4().hex,
    )


@router.post("/{action}/preview")
async def preview(caller: PageWriter, action: BulkAction, form: Annotated[ChosenForm, Form()]) -> Response:
    """Say what it would do to each schedule; nothing is changed."""
    caller.require_somewhere(role_for(action))
    if action is BulkAction.UPDATE and not form.fields:
        return render(caller.request, "_bulk_nothing.html", caller=caller)
    result = await done_in_bulk(caller, form.tried(action))
    seen = seen_in(result)
    return render(
        caller.request,
        "_bulk_preview.html",
        caller=caller,
        action=action,
        verb=VERBS[action],
        view=await bulk_view(caller, result, form.ids),
        seen=json.dumps(seen),
        typed=confirmation(action, len(seen)) if form.needs_typing(action) else "",
    )


@router.post("/{action}/do")
async def do(caller: PageWriter, action: BulkAction, form: Annotated[SentForm, Form()]) -> Response:
    """Do it to what was shown, once for each form, and say what became of each."""
    caller.require_somewhere(role_for(action))
    body, asked = form.body(action), form.ids

    async def work() -> BulkResult:
        return await done_in_bulk(caller, body)

    answer = await once(caller, None if caller.api.store is None else form.key, body, work)
    result = BulkResult.model_validate_json(bytes(answer.body))
    view = await bulk_view(caller, result, asked)
    events = {"schedules:changed": {}, "say": {"value": _said(view)}}
    return render(
        caller.request,
        "_bulk_result.html",
        caller=caller,
        headers={TRIGGER: json.dumps(events), "HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"},
        action=action,
        said=_said(view),
        view=view,
        form=form,
        kept=caller.api.store is not None,
    )


def _said(view: BulkView) -> str:
    return f"{_SAID[view.result.action]} {view.done} of {len(view.rows)}."
