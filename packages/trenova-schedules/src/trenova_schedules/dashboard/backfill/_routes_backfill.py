"""The backfill component: what to run, what that would do, and its start."""

import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query
from starlette.responses import RedirectResponse, Response
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules.backfill import BackfillHandle, BackfillRequest, backfill_workflow_id, start_backfill
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._local_time import typed_of
from trenova_schedules.dashboard._render import page_path, render
from trenova_schedules.dashboard.backfill._backfill_form import (
    BackfillForm,
    NotAsShownError,
    Policy,
    StartForm,
    mark_of,
    require_as_shown,
)
from trenova_schedules.dashboard.backfill._backfill_preview import SHOWN, PreviewView, preview_view
from trenova_schedules.dashboard.backfill._routes_backfills import shown
from trenova_schedules.dashboard.schedule._strip import look_of_tick
from trenova_schedules.server._api import Caller
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import OPERATOR, VIEWER

router = APIRouter(prefix="/schedules/{schedule_id}", route_class=PageRoute)

_USUAL: Final = timedelta(hours=12)
"""A range to begin with, which every namespace still knows the runs of."""


@router.get("/backfill")
async def ask(  # noqa: PLR0917  # what may stand in the address
    caller: PageReader,
    schedule_id: ScheduleId,
    start: Annotated[Moment | None, Query()] = None,
    end: Annotated[Moment | None, Query()] = None,
    policy: Annotated[Policy, Query()] = "missing",
    holes_of: Annotated[str, Query(max_length=1200)] = "",
    embed: Annotated[bool, Query()] = False,  # noqa: FBT002  # of the address
) -> Response:
    """Show the form: a part of a page of ours, of one of somebody else with ``embed``, or a page of its own."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    until = min(end or now, now)
    begin = start if start is not None and start < until else until - _USUAL
    part = "_backfill_embedded.html" if embed else "_backfill.html"
    return render(
        caller.request,
        part if is_fragment(caller.request) else "backfill.html",
        caller=caller,
        document=document,
        start=typed_of(begin, document.time_zone),
        end=typed_of(until, document.time_zone),
        policy=policy,
        holes_of=holes_of,
        key=uuid.uuid4().hex,
        may=caller.may(OPERATOR, document.labels),
    )


@router.post("/backfill/preview")
async def preview(
    caller: PageWriter,
    schedule_id: ScheduleId,
    form: Annotated[BackfillForm, Form()],
    skip: Annotated[int, Query(ge=0, le=250_000)] = 0,
    ticks: Annotated[bool, Query()] = False,  # noqa: FBT002  # of the address
) -> Response:
    """Say what it would do, by the function that plans it; ``ticks`` asks for one page of them alone."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    request = form.request(caller, schedule_id, document.time_zone)
    view = await preview_view(caller.api, document, request, skip=skip)
    return _previewed(caller, view, document, template="_backfill_ticks.html" if ticks else "_backfill_preview.html")


@router.post("/backfill")
async def start_it(caller: PageWriter, schedule_id: ScheduleId, form: Annotated[StartForm, Form()]) -> Response:
    """Start what was shown, once for each form."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    request = form.request(caller, schedule_id, document.time_zone, reason=form.reason)
    if not await _is_known(caller, schedule_id, form.key):
        view = await preview_view(caller.api, document, request)
        try:
            require_as_shown(form.shown, request, view.preview)
        except NotAsShownError as error:
            if not is_fragment(caller.request):
                raise
            return _previewed(caller, view, document, changed=error.message, status=HTTPStatus.CONFLICT)
        request = request.model_copy(update={"digest": view.preview.digest})
    await _start(caller, request, document, form)
    address = page_path(caller.request, "schedules", schedule_id, "backfills", form.key)
    if not is_fragment(caller.request):  # sent by the browser itself, which would send it again when it reloads
        return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER, headers=HEADERS)
    answer = await shown(caller, schedule_id, form.key)
    page = page_path(caller.request, "schedules", schedule_id, "backfill")
    if urlsplit(caller.request.headers.get("hx-current-url", "")).path == page:  # not where it is part of another page
        answer.headers["HX-Push-Url"] = address
    return answer


async def _start(caller: Caller, request: BackfillRequest, document: ScheduleDocument, form: StartForm) -> None:
    api = caller.api

    async def work() -> BackfillHandle:
        return await start_backfill(
            api.client, request, key=form.key, task_queue=api.options.backfill_queue, ledger=api.run_ledger
        )

    entry = entry_of("backfill.start", request.schedule_id, caller.actor(document.labels), form.reason)
    await audited(api.service.audit, entry, work)


async def _is_known(caller: Caller, schedule_id: str, key: str) -> bool:
    """Say whether this form has started one before, so that it is found and not compared with its preview."""
    try:
        await BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key)).workflow.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def _previewed(
    caller: Caller,
    view: PreviewView,
    document: ScheduleDocument,
    *,
    template: str = "_backfill_preview.html",
    changed: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    return render(
        caller.request,
        template,
        caller=caller,
        status=status,
        document=document,
        view=view,
        shown=mark_of(view.request, view.preview),
        page=SHOWN,
        changed=changed,
        may=caller.may(OPERATOR, document.labels),
        look_of_tick=look_of_tick,
    )
