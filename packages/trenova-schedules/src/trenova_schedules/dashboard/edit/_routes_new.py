"""The form of a new schedule; its address is no schedule's."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from trenova_errors import ConflictError, InvalidInputError
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._render import gone_to, page_path, render
from trenova_schedules.dashboard.edit._draft import WHEN
from trenova_schedules.dashboard.edit._draft_reading import said
from trenova_schedules.dashboard.edit._edit import NEVER, NEXT, unserved
from trenova_schedules.dashboard.edit._new_form import NEW_LABELS, NewForm
from trenova_schedules.dashboard.edit._times import TimesView, times_view
from trenova_schedules.dashboard.edit._zones import zone_names, zones_like
from trenova_schedules.server._api import Caller
from trenova_schedules.server._roles import ADMIN

router = APIRouter(prefix="/new", route_class=PageRoute)

_USUAL = NewForm(time_zone="UTC", catchup="1 h")
_EMPTY = frozenset({"id", "workflow", "task_queue", "cron", "every", "calendars"})
"""Fields that nobody has got to yet; while they are empty only a try to create it says that they are needed."""


@router.get("")
async def ask(caller: PageReader) -> Response:
    """Show the form."""
    caller.require_somewhere(ADMIN)
    return _form(caller, _USUAL, {})


@router.post("/preview")
async def preview(caller: PageWriter, form: Annotated[NewForm, Form()]) -> Response:
    """Say what is wrong beside each field, and when it would fire."""
    caller.require_somewhere(ADMIN)
    errors, times = await _judged(caller, form)
    shown = {name: text for name, text in errors.items() if name not in _EMPTY or getattr(form, name)}
    return _said(caller, form, shown, times)


@router.post("")
async def create(caller: PageWriter, form: Annotated[NewForm, Form()]) -> Response:
    """Create it, paused or active as was chosen."""
    caller.require_somewhere(ADMIN)
    body, errors = form.body()
    if body is None:
        found, times = await _judged(caller, form)
        return _refused(caller, form, found or errors, times)
    caller.require(ADMIN, body.labels, body.id)
    try:
        await caller.api.service.create(body.definition(), actor=caller.actor(body.labels), reason=form.reason or None)
    except (InvalidInputError, ConflictError) as error:
        found, times = await _judged(caller, form)
        taken = {"id": said(error.message)} if isinstance(error, ConflictError) else {"": said(error.message)}
        return _refused(caller, form, found or taken, times)
    address = page_path(caller.request, "schedules", body.id)
    state = "paused; resume it when you have looked at it" if body.paused else "active"
    return gone_to(caller.request, address, f"Created, {state}.")


async def _judged(caller: Caller, form: NewForm) -> tuple[dict[str, str], TimesView | None]:
    _, errors = form.body()
    wanted, _ = form.times()
    times = None
    if wanted is not None:
        try:
            cron = wanted.cron
            times = await times_view(caller.api.client, wanted.spec(), cron, n=NEXT)
        except InvalidInputError as error:
            errors[WHEN[form.when]] = said(error.message)
        if times is not None and not times.fires:
            errors[WHEN[form.when]], times = NEVER, None
    if wrong := await unserved(caller.api, form.workflow, form.task_queue):
        errors.setdefault("task_queue", wrong)
    return _in_order(errors), times


def _in_order(errors: Mapping[str, str]) -> dict[str, str]:
    names = list(NEW_LABELS)
    return dict(sorted(errors.items(), key=lambda one: names.index(one[0]) if one[0] in names else len(names)))


def _form(caller: Caller, form: NewForm, errors: Mapping[str, str], status: int = HTTPStatus.OK) -> Response:
    return render(
        caller.request,
        "new.html",
        caller=caller,
        status=status,
        draft=form,
        errors=errors,
        times=None,
        meant=[],
        zones=zone_names(),
        labels=NEW_LABELS,
    )


def _said(
    caller: Caller, form: NewForm, errors: Mapping[str, str], times: TimesView | None, status: int = HTTPStatus.OK
) -> Response:
    return render(
        caller.request,
        "_new_said.html",
        caller=caller,
        status=status,
        draft=form,
        errors=errors,
        times=times,
        new=frozenset(),
        meant=zones_like(form.time_zone) if "time_zone" in errors else [],
        labels=NEW_LABELS,
    )


def _refused(caller: Caller, form: NewForm, errors: Mapping[str, str], times: TimesView | None) -> Response:
    if is_fragment(caller.request):
        return _said(caller, form, errors, times, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _form(caller, form, errors, HTTPStatus.UNPROCESSABLE_ENTITY)
