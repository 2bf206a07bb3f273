"""The form of a schedule: typed with a live preview, reviewed, saved as it was shown, and merged where others were."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from starlette.responses import Response

from trenova_errors import InvalidInputError
from trenova_schedules._managing._changing import Changer
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._reading import ScheduleConflictError, ScheduleDocument, ScheduleSnapshot
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._render import gone_to, page_path, render
from trenova_schedules.dashboard.edit._draft import LABELS, Began, Draft, draft_sent
from trenova_schedules.dashboard.edit._draft_reading import read_change
from trenova_schedules.dashboard.edit._edit import Judged, judged
from trenova_schedules.dashboard.edit._edit_merge import Line, changes_between, last_change, lines_of, put_on_top
from trenova_schedules.dashboard.edit._fire_changes import SHOWN, fire_changes
from trenova_schedules.dashboard.edit._zones import zone_names, zones_like
from trenova_schedules.server._api import Caller
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import ADMIN

router = APIRouter(prefix="/schedules/{schedule_id}/edit", route_class=PageRoute)

Sent = Annotated[str, Form(max_length=100_000)]
Reason = Annotated[str, Form(min_length=1, max_length=500)]


class EditForm(Draft):
    """What the form sends.

    Attributes:
        began: As :class:`Began`, JSON.
    """

    began: str


@router.get("")
async def ask(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """Show the form, filled with what the schedule is."""
    snapshot = await caller.schedule(schedule_id, ADMIN)
    began = Began.of(snapshot.document)
    return await _form(caller, snapshot, began, began.draft)


@router.post("/preview")
async def preview(caller: PageWriter, schedule_id: ScheduleId, form: Annotated[EditForm, Form()]) -> Response:
    """Say what is wrong beside each field, and when it would fire."""
    snapshot = await caller.schedule(schedule_id, ADMIN)
    began = Began.read(form.began)
    found = await judged(caller.api, snapshot, form, began)
    return await _said(caller, snapshot, began, form, found)


@router.post("")
async def review(caller: PageWriter, schedule_id: ScheduleId, form: Annotated[EditForm, Form()]) -> Response:
    """Show what would be changed, in fields and in fires, and ask why; nothing is changed yet."""
    snapshot = await caller.schedule(schedule_id, ADMIN)
    began, mine = Began.read(form.began), _draft(form)
    if began.etag != snapshot.document.etag:
        return await _conflict(caller, snapshot.document, began, mine)
    found = await judged(caller.api, snapshot, mine, began, n=SHOWN)
    if found.patch is not None:
        found = await _checked(caller, snapshot, found, found.patch)
    if found.errors:
        return await _refused(caller, snapshot, began, mine, found)
    spec = snapshot.raw.schedule.spec
    fires = None
    if found.patch is not None and found.patch.changes_when and found.times is not None:
        fires = await fire_changes(caller.api.client, spec, found.proposed.spec, found.times.fires)
    return _shown(
        caller,
        "edit_review",
        document=snapshot.document,
        began=began,
        mine=mine,
        lines=changes_between(began.draft, mine),
        times=found.times,
        fires=fires,
    )


@router.post("/save")
async def save(caller: PageWriter, schedule_id: ScheduleId, began: Sent, draft: Sent, reason: Reason) -> Response:
    """Save what was shown, if the schedule is what it was then."""
    labels = (await caller.schedule(schedule_id, ADMIN)).document.labels
    told, mine = Began.read(began), draft_sent(draft)
    patch = _patch_of(schedule_id, mine, told)
    try:
        change = await caller.api.service.patch(
            schedule_id, patch, etag=told.etag, actor=caller.actor(labels), reason=reason
        )
    except ScheduleConflictError as error:
        if error.current is None:
            raise
        return await _conflict(caller, error.current, told, mine)
    said = "Saved." if change.changed else "Nothing was saved: the server makes the same of it."
    return gone_to(caller.request, page_path(caller.request, "schedules", schedule_id), said)


@router.post("/merge")
async def merge(
    caller: PageWriter,
    schedule_id: ScheduleId,
    began: Sent,
    draft: Sent,
    keep: Annotated[Literal["mine", "theirs"], Form()],
) -> Response:
    """Fill the form anew: with the schedule as it is, or with what was typed on top of that; nothing is changed."""
    snapshot = await caller.schedule(schedule_id, ADMIN)
    told, mine = Began.read(began), draft_sent(draft)
    now, together, lines = put_on_top(told, snapshot.document, mine)
    wanted = together if keep == "mine" else now.draft
    answer = await _form(caller, snapshot, now, wanted, kept=keep, lines=lines, before=told, typed=mine)
    answer.headers["HX-Trigger"] = json.dumps({"closeDialog": {}})
    return answer


async def _form(
    caller: Caller,
    snapshot: ScheduleSnapshot,
    began: Began,
    draft: Draft,
    *,
    errors: Mapping[str, str] | None = None,
    status: int = HTTPStatus.OK,
    kept: str = "",
    lines: list[Line] | None = None,
    before: Began | None = None,
    typed: Draft | None = None,
) -> Response:
    return render(
        caller.request,
        "_edit.html" if is_fragment(caller.request) else "edit.html",
        caller=caller,
        status=status,
        document=snapshot.document,
        began=began,
        draft=draft,
        errors=errors or {},
        zones=zone_names(),
        times=None,
        meant=[],
        labels=LABELS,
        kept=kept,
        lines=lines or [],
        before=before,
        typed=typed,
    )


async def _said(
    caller: Caller,
    snapshot: ScheduleSnapshot,
    began: Began,
    draft: Draft,
    found: Judged,
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    document = snapshot.document
    changed = began.etag != document.etag
    return render(
        caller.request,
        "_edit_said.html",
        caller=caller,
        status=status,
        document=document,
        draft=draft,
        errors=found.errors,
        times=found.times,
        new=found.new,
        meant=zones_like(draft.time_zone) if "time_zone" in found.errors else [],
        labels=LABELS,
        changed=changed,
        lines=changes_between(began.draft, draft),
        by=await last_change(caller.api.store, document) if changed else None,
    )


async def _refused(caller: Caller, snapshot: ScheduleSnapshot, began: Began, mine: Draft, found: Judged) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if is_fragment(caller.request):
        return await _said(caller, snapshot, began, mine, found, status=status)
    return await _form(caller, snapshot, began, mine, errors=found.errors, status=status)


async def _conflict(caller: Caller, document: ScheduleDocument, began: Began, mine: Draft) -> Response:
    now = Began.of(document, began.zone)
    return _shown(
        caller,
        "edit_conflict",
        status=HTTPStatus.CONFLICT,
        document=document,
        began=began,
        mine=mine,
        lines=lines_of(began.draft, now.draft, mine),
        by=await last_change(caller.api.store, document),
    )


def _shown(caller: Caller, template: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
    name = f"_{template}.html" if is_fragment(caller.request) else f"{template}.html"
    return render(caller.request, name, caller=caller, status=status, **context)


async def _checked(caller: Caller, snapshot: ScheduleSnapshot, found: Judged, patch: SchedulePatch) -> Judged:
    """Ask the service itself, which refuses what it would not save."""
    service = caller.api.service
    changer = Changer(caller.api.client, caller.name, caller.name, service.serves, service.registrations)
    try:
        proposed = await changer.check(snapshot, patch)
    except InvalidInputError as error:
        return Judged(None, {"": error.message}, found.times, found.proposed)
    return Judged(patch, {}, found.times, proposed)


def _patch_of(schedule_id: str, mine: Draft, began: Began) -> SchedulePatch:
    patch, errors = read_change(mine, began)
    if patch is None:
        said = " ".join(errors.values()) or "Nothing is changed by it."
        raise InvalidInputError(f"{said} Nothing was changed.", schedule_id=schedule_id)
    return patch


def _draft(form: EditForm) -> Draft:
    return Draft.model_validate(form.model_dump(include=set(Draft.model_fields)))
