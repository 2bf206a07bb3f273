"""The backfill component: what to run, what that would do, how far it is."""

import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query
from starlette.responses import RedirectResponse, Response

from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules._managing._changing import valid
from trenova_schedules.backfill import (
    BackfillHandle,
    BackfillRequest,
    SteeringAnswer,
    backfill_workflow_id,
    list_backfills,
    preview_backfill,
    start_backfill,
)
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._backfill import backfill_view
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._local_time import instant_of, typed_of
from trenova_schedules.dashboard._render import done, page_path, render
from trenova_schedules.server._api import Caller
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import OPERATOR, VIEWER
from trenova_schedules.server._routes_backfills import Key

router = APIRouter(prefix="/schedules/{schedule_id}", route_class=PageRoute)

_LISTED: Final = 10
_USUAL: Final = timedelta(hours=12)
"""A range to begin with, which every namespace still knows the runs of."""
_LONGEST_NAME: Final = 100
_SHOWN: Final = 100

Policy = Literal["missing", "missing_and_failed", "all"]
Older = Literal["refuse", "run", "skip"]
Short = Annotated[str, Form(max_length=100)]
Reason = Annotated[str, Form(min_length=1, max_length=500)]


@router.get("/backfill")
async def ask(  # noqa: PLR0917  # what may stand in the address
    caller: PageReader,
    schedule_id: ScheduleId,
    start: Annotated[Moment | None, Query()] = None,
    end: Annotated[Moment | None, Query()] = None,
    policy: Annotated[Policy, Query()] = "missing",
    holes_of: Annotated[str, Query(max_length=1200)] = "",
) -> Response:
    """Show the form; a part of another page, or a page of its own."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    until = min(end or now, now)
    begin = start if start is not None and start < until else until - _USUAL
    return render(
        caller.request,
        "_backfill.html" if is_fragment(caller.request) else "backfill.html",
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
async def preview(  # noqa: PLR0917  # fields of the form
    caller: PageWriter,
    schedule_id: ScheduleId,
    start: Short,
    end: Short,
    policy: Annotated[Policy, Form()] = "missing",
    rate: Annotated[float, Form(ge=0, le=1000)] = 10,
    concurrency: Annotated[str, Form(max_length=5)] = "",
    older: Annotated[Older, Form()] = "refuse",
    holes_of: Annotated[str, Form(max_length=1200)] = "",
) -> Response:
    """Say what it would do, by the function that plans it."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    request = _request(
        caller,
        schedule_id,
        document.time_zone,
        (start, end),
        policy=policy,
        rate_per_second=rate,
        concurrency=concurrency or None,
        older=older,
        holes_of=holes_of or None,
        reason="preview",
    )
    found = await preview_backfill(caller.api.client, request, ledger=caller.api.run_ledger, show=_SHOWN)
    return render(
        caller.request,
        "_backfill_preview.html",
        caller=caller,
        document=document,
        preview=found,
        may=caller.may(OPERATOR, document.labels),
        looked=policy != "all",
    )


@router.post("/backfill")
async def start_it(  # noqa: PLR0917  # fields of the form
    caller: PageWriter,
    schedule_id: ScheduleId,
    start: Short,
    end: Short,
    reason: Reason,
    key: Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")],
    digest: Annotated[str, Form(min_length=1, max_length=100)],
    policy: Annotated[Policy, Form()] = "missing",
    rate: Annotated[float, Form(ge=0, le=1000)] = 10,
    concurrency: Annotated[str, Form(max_length=5)] = "",
    older: Annotated[Older, Form()] = "refuse",
    holes_of: Annotated[str, Form(max_length=1200)] = "",
) -> Response:
    """Start what was shown, once for each form."""
    document = (await caller.schedule(schedule_id, OPERATOR)).document
    request = _request(
        caller,
        schedule_id,
        document.time_zone,
        (start, end),
        policy=policy,
        rate_per_second=rate,
        concurrency=concurrency or None,
        older=older,
        holes_of=holes_of or None,
        digest=digest,
        reason=reason,
    )
    api = caller.api

    async def work() -> BackfillHandle:
        return await start_backfill(
            api.client, request, key=key, task_queue=api.options.backfill_queue, ledger=api.run_ledger
        )

    await audited(
        api.service.audit, entry_of("backfill.start", schedule_id, caller.actor(document.labels), reason), work
    )
    if not is_fragment(caller.request):  # sent by the browser itself, which would send it again when it reloads
        address = page_path(caller.request, "schedules", schedule_id, "backfills", key)
        return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER, headers=HEADERS)
    answer = await _shown(caller, schedule_id, key)
    form = page_path(caller.request, "schedules", schedule_id, "backfill")
    if urlsplit(caller.request.headers.get("hx-current-url", "")).path == form:  # not where it is part of another page
        answer.headers["HX-Push-Url"] = page_path(caller.request, "schedules", schedule_id, "backfills", key)
    return answer


@router.get("/backfills")
async def backfills(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """List the last ones."""
    await caller.schedule(schedule_id, VIEWER)
    found = [one async for one in list_backfills(caller.api.client, schedule_id=schedule_id, limit=_LISTED)]
    return render(caller.request, "_backfills.html", caller=caller, schedule_id=schedule_id, found=found)


@router.get("/backfills/{key}")
async def progress(caller: PageReader, schedule_id: ScheduleId, key: Key) -> Response:
    """Show how far one is; a part of a page, or a page of its own."""
    await caller.schedule(schedule_id, VIEWER)
    return await _shown(caller, schedule_id, key)


@router.get("/backfills/{key}/{verb}")
async def ask_steer(
    caller: PageReader, schedule_id: ScheduleId, key: Key, verb: Literal["pause", "cancel"]
) -> Response:
    """Ask why it is paused or canceled."""
    await caller.schedule(schedule_id, OPERATOR)
    return render(caller.request, "_backfill_steer.html", caller=caller, schedule_id=schedule_id, key=key, verb=verb)


@router.post("/backfills/{key}/{verb}")
async def steer(  # noqa: PLR0917  # fields of the form
    caller: PageWriter,
    schedule_id: ScheduleId,
    key: Key,
    verb: Literal["pause", "resume", "cancel"],
    reason: Annotated[str, Form(max_length=500)] = "",
    runs: Annotated[Literal["leave", "cancel"], Form()] = "leave",
) -> Response:
    """Pause, resume or cancel it."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    handle = BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key))
    by = _name(caller)

    async def work() -> SteeringAnswer:
        if verb == "resume":
            return await handle.resume(by=by)
        if verb == "pause":
            return await handle.pause(reason=reason, by=by)
        return await handle.cancel(reason=reason, by=by, runs=runs)

    entry = entry_of(f"backfill.{verb}", schedule_id, caller.actor(labels), reason or None)
    answer = await audited(caller.api.service.audit, entry, work)
    return done(answer.result)


def _request(caller: Caller, schedule_id: str, zone: str, typed: tuple[str, str], **fields: object) -> BackfillRequest:
    start, end = typed
    told = {
        **fields,
        "schedule_id": schedule_id,
        "start_at": instant_of(start, zone, edge="start"),
        "end_at": instant_of(end, zone, edge="end"),
        "by": _name(caller),
    }
    return valid(BackfillRequest, told, "The backfill")


async def _shown(caller: Caller, schedule_id: str, key: str) -> Response:
    fragment = is_fragment(caller.request)
    view = await backfill_view(caller, schedule_id, key)
    document = (await caller.schedule(schedule_id, VIEWER)).document
    return render(
        caller.request,
        "_backfill_progress.html" if fragment else "backfill_progress.html",
        caller=caller,
        document=document,
        view=view,
        now=datetime.now(UTC),
        may=caller.may(OPERATOR, document.labels),
        address=page_path(caller.request, "schedules", schedule_id, "backfills", key),
    )


def _name(caller: Caller) -> str:
    return caller.name[:_LONGEST_NAME]
