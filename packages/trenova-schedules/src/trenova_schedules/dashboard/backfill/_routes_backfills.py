"""Backfills that were started: how far each is, what it is told, what came of it."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from trenova_errors import InvalidInputError
from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules.backfill import BackfillHandle, SteeringAnswer, backfill_workflow_id, list_backfills
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute, is_fragment
from trenova_schedules.dashboard._render import done, page_path, render
from trenova_schedules.dashboard.backfill._backfill import backfill_view
from trenova_schedules.dashboard.backfill._backfill_form import LONGEST_NAME
from trenova_schedules.server._api import Caller
from trenova_schedules.server._parameters import Moment, ScheduleId
from trenova_schedules.server._roles import OPERATOR, VIEWER
from trenova_schedules.server._routes_backfills import Key

router = APIRouter(prefix="/schedules/{schedule_id}/backfills", route_class=PageRoute)

_LISTED: Final = 20

Verb = Literal["pause", "resume", "limits", "cancel"]
Number = Annotated[str, Form(max_length=8)]


@router.get("")
async def backfills(caller: PageReader, schedule_id: ScheduleId) -> Response:
    """List the last ones, those under way and those that ended."""
    await caller.schedule(schedule_id, VIEWER)
    found = [one async for one in list_backfills(caller.api.client, schedule_id=schedule_id, limit=_LISTED + 1)]
    return render(
        caller.request,
        "_backfills.html",
        caller=caller,
        schedule_id=schedule_id,
        found=found[:_LISTED],
        more=len(found) > _LISTED,
    )


@router.get("/{key}")
async def progress(
    caller: PageReader,
    schedule_id: ScheduleId,
    key: Key,
    silent: Annotated[Moment | None, Query()] = None,
) -> Response:
    """Show how far one is; ``silent`` is since when whoever asks has heard of no worker."""
    return await shown(caller, schedule_id, key, silent=silent)


@router.get("/{key}/{verb}")
async def ask_steer(caller: PageReader, schedule_id: ScheduleId, key: Key, verb: Verb) -> Response:
    """Ask why it is paused, resumed or canceled, or how fast it may be."""
    await caller.schedule(schedule_id, OPERATOR)
    return render(caller.request, "_backfill_steer.html", caller=caller, schedule_id=schedule_id, key=key, verb=verb)


@router.post("/{key}/{verb}")
async def steer(  # noqa: PLR0917  # fields of the form
    caller: PageWriter,
    schedule_id: ScheduleId,
    key: Key,
    verb: Verb,
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    runs: Annotated[Literal["leave", "cancel"], Form()] = "leave",
    rate: Number = "",
    concurrency: Number = "",
) -> Response:
    """Pause, resume or cancel it, or change its limits."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    handle = BackfillHandle(caller.api.client, backfill_workflow_id(schedule_id, key))
    by = caller.name[:LONGEST_NAME]
    limits = _limits(rate, concurrency) if verb == "limits" else (None, None)

    async def work() -> SteeringAnswer:
        match verb:
            case "pause":
                return await handle.pause(reason=reason, by=by)
            case "resume":
                return await handle.resume(by=by)
            case "limits":
                return await handle.change_limits(by=by, rate_per_second=limits[0], concurrency=limits[1])
            case "cancel":
                return await handle.cancel(reason=reason, by=by, runs=runs)

    entry = entry_of(f"backfill.{verb}", schedule_id, caller.actor(labels), reason)
    answer = await audited(caller.api.service.audit, entry, work)
    return done(answer.result)


def _limits(rate: str, concurrency: str) -> tuple[float | None, int | None]:
    """Return the limits that are typed; an empty one stays as it is."""
    try:
        found = float(rate) if rate.strip() else None, int(concurrency) if concurrency.strip() else None
    except ValueError:
        raise InvalidInputError("The limits are no numbers. Leave empty what stays as it is.") from None
    if found == (None, None):
        raise InvalidInputError("No limit is given. Give one, or go back.")
    return found


async def shown(caller: Caller, schedule_id: str, key: str, *, silent: datetime | None = None) -> Response:
    """Show a backfill: a part of a page, or a page of its own.

    Raises:
        ResourceNotFoundError: There is none under this key, or the namespace has forgotten it.
    """
    document = (await caller.schedule(schedule_id, VIEWER)).document
    now = datetime.now(UTC).replace(microsecond=0)
    return render(
        caller.request,
        "_backfill_progress.html" if is_fragment(caller.request) else "backfill_progress.html",
        caller=caller,
        document=document,
        view=await backfill_view(caller, schedule_id, key),
        silent=min(silent or now, now),
        may=caller.may(OPERATOR, document.labels),
        address=page_path(caller.request, "schedules", schedule_id, "backfills", key),
    )
