"""Recent bulk actions, what each of them changed, and undoing it after it was tried."""

import json
import uuid
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._managing._listed_receipts import ReceiptFilter
from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._results import BulkResult
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import TRIGGER, page_path, render
from trenova_schedules.dashboard.bulk._bulk import bulk_view
from trenova_schedules.dashboard.bulk._receipts import receipt_view
from trenova_schedules.dashboard.bulk._works import FORGOTTEN, Work, works_of
from trenova_schedules.server._api import Caller
from trenova_schedules.server._bodies import UndoBody
from trenova_schedules.server._idempotency import once
from trenova_schedules.server._parameters import Cursor, ScheduleId, Text
from trenova_schedules.server._permitted import receipt_to_undo
from trenova_schedules.server._routes_receipts import permitted_receipts

router = APIRouter(prefix="/receipts", route_class=PageRoute)

_ROWS: Final = 50


class UndoForm(BaseModel):
    """How a receipt is undone.

    Attributes:
        catch_up: What to start of the ticks that a pause, which is undone, has missed.
        key: Of the dialog.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    catch_up: CatchUp = CatchUp.NONE
    key: Annotated[str, Field(max_length=200)] = ""


class SentUndoForm(UndoForm):
    """The same, to be done.

    Attributes:
        reason: Why.
        key: Of this form, so that it is done once, however often it is sent.
    """

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    key: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


@router.get("")
async def receipts(  # noqa: PLR0917  # what stands in the address
    caller: PageReader,
    action: Literal["", "pause", "resume", "update"] = "",
    actor: Text = "",
    schedule: Text = "",
    undone: Literal["", "true", "false"] = "",
    cursor: Cursor = None,
) -> Response:
    """List bulk actions, the newest first."""
    wanted = ReceiptFilter(
        action=action or None,
        actor=actor or None,
        undone={"true": True, "false": False}.get(undone),
        schedule_id=schedule or None,
    )
    page = await permitted_receipts(caller, wanted, cursor=cursor, limit=_ROWS)
    told = {"action": action, "actor": actor, "schedule": schedule, "undone": undone}
    return render(
        caller.request,
        "receipts.html",
        caller=caller,
        page=page,
        wanted=wanted,
        first=cursor is None,
        query=urlencode({name: value for name, value in told.items() if value}),
    )


@router.get("/{receipt_id}")
async def receipt(caller: PageReader, receipt_id: ScheduleId) -> Response:
    """Show what one changed, schedule by schedule."""
    view = await receipt_view(caller, receipt_id)
    return render(caller.request, "receipt.html", caller=caller, view=view, receipt=view.receipt)


@router.get("/{receipt_id}/undo")
async def ask_undo(caller: PageReader, receipt_id: ScheduleId) -> Response:
    """Open the dialog; it asks for its dry run by itself."""
    found = await receipt_to_undo(caller, receipt_id)
    return render(caller.request, "_undo.html", caller=caller, receipt=found, key=uuid.uuid4().hex)


@router.post("/{receipt_id}/undo/preview")
async def preview(caller: PageWriter, receipt_id: ScheduleId, form: Annotated[UndoForm, Form()]) -> Response:
    """Say what would become of each schedule; nothing is changed. The same form again asks how far that is."""
    found = await receipt_to_undo(caller, receipt_id)
    service, actor = caller.api.service, caller.actor()

    async def work(one: Work) -> BulkResult:
        return await service.undo(found, reason="", actor=actor, catch_up=form.catch_up, dry_run=True, heard=one.heard)

    key = ("undo preview", caller.key, form.key, receipt_id, form.catch_up)
    works = works_of(caller.request)
    begun = works.take_up(key, len(found.items), found, work)
    if (result := await begun.soon()) is None:
        address = page_path(caller.request, "receipts", receipt_id, "undo", "preview")
        return render(caller.request, "_bulk_trying.html", caller=caller, work=begun, verb="Undo", address=address)
    works.forget(key)
    view = await bulk_view(caller, result, found.schedule_ids)
    return render(caller.request, "_undo_preview.html", caller=caller, view=view)


@router.post("/{receipt_id}/undo")
async def undo(caller: PageWriter, receipt_id: ScheduleId, form: Annotated[SentUndoForm, Form()]) -> Response:
    """Make each schedule what it was, once for each form, and say what became of each, or how far it is."""
    found = await receipt_to_undo(caller, receipt_id)
    service, actor = caller.api.service, caller.actor()
    body = UndoBody(reason=form.reason, catch_up=form.catch_up)

    async def work(one: Work) -> BulkResult:
        async def all_of_it() -> BulkResult:
            return await service.undo(found, reason=body.reason, actor=actor, catch_up=body.catch_up, heard=one.heard)

        answer = await once(caller, form.key, body, all_of_it)
        return BulkResult.model_validate_json(bytes(answer.body))

    begun = works_of(caller.request).begin(_key(caller, receipt_id, form.key), len(found.items), found, work)
    answer = await _shown(caller, begun, form.key)
    answer.headers["HX-Retarget"] = "#dialog"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@router.get("/{receipt_id}/undo/works/{key}")
async def how_far(caller: PageReader, receipt_id: ScheduleId, key: ScheduleId) -> Response:
    """Say how far an undo is, or what became of each schedule."""
    begun = works_of(caller.request).find(_key(caller, receipt_id, key))
    if begun is None:
        return render(caller.request, "_bulk_failed.html", caller=caller, detail=FORGOTTEN, kept=True)
    try:
        return await _shown(caller, begun, key)
    except (ApplicationError, RPCError) as error:
        return render(caller.request, "_bulk_failed.html", caller=caller, detail=error.message, kept=True)


async def _shown(caller: Caller, begun: Work, key: str) -> Response:
    found: Receipt = begun.about
    if (result := await begun.soon()) is None:
        return render(
            caller.request,
            "_bulk_working.html",
            caller=caller,
            work=begun,
            doing="Undoing it for",
            undoable=True,
            kept=True,
            address=page_path(caller.request, "receipts", found.id, "undo", "works", key),
        )
    view = await bulk_view(caller, result, found.schedule_ids)
    said = f"Undone for {view.done} of {len(view.rows)}"
    events = {"schedules:changed": {}, "say": {"value": said}}
    return render(
        caller.request,
        "_undo_result.html",
        caller=caller,
        headers={TRIGGER: json.dumps(events), "HX-Reswap": "innerHTML"},
        view=view,
        said=said,
        receipt=found,
    )


def _key(caller: Caller, receipt_id: str, key: str) -> tuple[str, str, str, str]:
    return "undo", caller.key, receipt_id, key
