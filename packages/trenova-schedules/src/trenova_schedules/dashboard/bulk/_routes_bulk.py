"""The same for many schedules: a dialog that tries it first, does it, and says what became of each."""

import json
import uuid
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._managing._bulk import UNDOABLE
from trenova_schedules._managing._results import BulkAction, BulkResult
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._render import TRIGGER, page_path, render
from trenova_schedules.dashboard.bulk._bulk import bulk_view, seen_in
from trenova_schedules.dashboard.bulk._bulk_form import MOST, VERBS, ChosenForm, SentForm, confirmation
from trenova_schedules.dashboard.bulk._works import FORGOTTEN, Work, works_of
from trenova_schedules.dashboard.overview._overview import overview_of
from trenova_schedules.dashboard.overview._wanted import Asked
from trenova_schedules.server._api import Caller
from trenova_schedules.server._idempotency import once
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._permitted import role_for
from trenova_schedules.server._roles import OPERATOR
from trenova_schedules.server._routes_bulk import done_in_bulk
from trenova_schedules.store import digest_of

router = APIRouter(prefix="/bulk", route_class=PageRoute)

_DOING: Final = {
    BulkAction.PAUSE: "Pausing",
    BulkAction.RESUME: "Resuming",
    BulkAction.UPDATE: "Changing",
    BulkAction.TRIGGER: "Starting runs of",
    BulkAction.DELETE: "Deleting",
}
_SAID: Final = {
    BulkAction.PAUSE: "Paused",
    BulkAction.RESUME: "Resumed",
    BulkAction.UPDATE: "Changed",
    BulkAction.TRIGGER: "Started a run of",
    BulkAction.DELETE: "Deleted",
}


@router.get("/ids")
async def matching_ids(caller: PageReader, wanted: Asked) -> Response:
    """Name the schedules that the overview lists under this filter, on all its pages; none where they are too many."""
    caller.require_somewhere(OPERATOR)
    view = await overview_of(caller, replace(wanted, cursor=None), rows=MOST)
    ids = [] if view.next_cursor else [line.id for line in view.rows]
    return JSONResponse({"ids": ids, "total": view.total}, headers=HEADERS)


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
    """Say what it would do to each schedule; nothing is changed. The same form again asks how far that is."""
    caller.require_somewhere(role_for(action))
    if action is BulkAction.UPDATE and not form.fields:
        return render(caller.request, "_bulk_nothing.html", caller=caller)
    body = form.tried(action)

    async def work(one: Work) -> BulkResult:
        return await done_in_bulk(caller, body, one.heard)

    key = ("preview", caller.key, form.key, digest_of(body.model_dump(mode="json")))
    works = works_of(caller.request)
    begun = works.take_up(key, len(form.ids), form, work)
    if (result := await begun.soon()) is None:
        address = page_path(caller.request, "bulk", action, "preview")
        return render(
            caller.request, "_bulk_trying.html", caller=caller, work=begun, verb=VERBS[action], address=address
        )
    works.forget(key)
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
    """Do it to what was shown, once for each form, and say what became of each, or how far it is."""
    caller.require_somewhere(role_for(action))
    body = form.body(action)

    async def work(one: Work) -> BulkResult:
        async def all_of_it() -> BulkResult:
            return await done_in_bulk(caller, body, one.heard)

        answer = await once(caller, None if caller.api.store is None else form.key, body, all_of_it)
        return BulkResult.model_validate_json(bytes(answer.body))

    begun = works_of(caller.request).begin(_key(caller, form.key), len(form.seen), form, work)
    answer = await _shown(caller, action, begun, form.key)
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@router.get("/{action}/works/{key}")
async def how_far(caller: PageReader, action: BulkAction, key: ScheduleId) -> Response:
    """Say how far it is, or what became of each."""
    caller.require_somewhere(role_for(action))
    begun = works_of(caller.request).find(_key(caller, key))
    kept = caller.api.store is not None
    if begun is None:
        return render(caller.request, "_bulk_failed.html", caller=caller, detail=FORGOTTEN, kept=kept)
    try:
        return await _shown(caller, action, begun, key)
    except (ApplicationError, RPCError) as error:
        return render(caller.request, "_bulk_failed.html", caller=caller, detail=error.message, kept=kept)


async def _shown(caller: Caller, action: BulkAction, begun: Work, key: str) -> Response:
    kept, form = caller.api.store is not None, begun.about
    if (result := await begun.soon()) is None:
        return render(
            caller.request,
            "_bulk_working.html",
            caller=caller,
            work=begun,
            doing=_DOING[action],
            undoable=action in UNDOABLE,
            kept=kept,
            address=page_path(caller.request, "bulk", action, "works", key),
        )
    view = await bulk_view(caller, result, form.ids)
    said = f"{_SAID[action]} {view.done} of {len(view.rows)}"
    events = {"schedules:changed": {}, "say": {"value": said}}
    return render(
        caller.request,
        "_bulk_result.html",
        caller=caller,
        headers={TRIGGER: json.dumps(events), "HX-Reswap": "innerHTML"},
        action=action,
        said=said,
        view=view,
        form=form,
        kept=kept,
    )


def _key(caller: Caller, key: str) -> tuple[str, str, str]:
    return "do", caller.key, key
