"""Look at schedules, create, change and delete them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from trenova_schedules._managing._changing import ANY_ETAG
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import SchedulePage, ScheduleSort, described, page_of
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._results import ScheduleChange
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules.server._api import Reader, Writer
from trenova_schedules.server._bodies import NewSchedule
from trenova_schedules.server._documented import changes, documented
from trenova_schedules.server._idempotency import IdempotencyKey, once
from trenova_schedules.server._parameters import Cursor, IfMatch, Limit, Reason, ScheduleId, Text
from trenova_schedules.server._permitted import permitted_lines
from trenova_schedules.server._problems import PreconditionRequiredError, quoted
from trenova_schedules.server._roles import ADMIN, VIEWER

router = APIRouter(prefix="/schedules", tags=["schedules"])

_ETAG = {"ETag": {"description": "For If-Match.", "schema": {"type": "string"}}}
_LABELS = r"^[^=\x00]{1,100}=[^\x00]{1,500}$"


@router.get("", operation_id="listSchedules", responses=documented())
async def list_schedules(
    *,
    caller: Reader,
    search: Annotated[Text, Query(description="In the id, the workflow, the owner, the note or a label.")] = "",
    prefix: Annotated[Text, Query(description="With which the id begins.")] = "",
    owner: Annotated[Text | None, Query(description="Empty for those that are not ours.")] = None,
    workflow: Text = "",
    task_queue: Annotated[Text, Query(alias="taskQueue")] = "",
    label: Annotated[
        list[Annotated[str, Query(pattern=_LABELS)]] | None,
        Query(max_length=20, description="`name=value`; may be repeated."),
    ] = None,
    paused: bool | None = None,
    sort: ScheduleSort = ScheduleSort.ID,
    descending: bool = False,
    details: Annotated[bool, Query(description="Look at each schedule of the page.")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SchedulePage:
    """List the schedules that the caller may look at."""
    caller.require_somewhere(VIEWER)
    wanted = ScheduleFilter(
        search=search,
        prefix=prefix,
        owner=owner,
        workflow=workflow,
        task_queue=task_queue,
        labels=dict(one.split("=", 1) for one in label or ()),
        paused=paused,
    )
    api = caller.api
    service = api.service
    lines = await permitted_lines(caller, wanted)
    if not details:
        lines = [line.model_copy(update={"document": None}) if line.document else line for line in lines]
    page = page_of(lines, sort, descending=descending, limit=limit, cursor=cursor)
    if not details:
        return page
    return page.model_copy(update={"schedules": await described(api.client, page.schedules, service.at_once)})


@router.post(
    "",
    operation_id="createSchedule",
    status_code=201,
    response_model=ScheduleChange,
    responses={201: {"headers": _ETAG}, **documented(409)},
)
async def create_schedule(caller: Writer, body: NewSchedule, key: IdempotencyKey = None) -> Response:
    """Create a schedule; role admin on its labels."""
    caller.require(ADMIN, body.labels, body.id)
    actor = caller.actor(body.labels)

    async def work() -> ScheduleChange:
        return await caller.api.service.create(body.definition(), actor=actor)

    return await once(caller, key, body, work, status=201, headers=_etag)


@router.get("/{schedule_id}", operation_id="getSchedule", responses={200: {"headers": _ETAG}, **documented(404)})
async def get_schedule(caller: Reader, schedule_id: ScheduleId, response: Response) -> ScheduleDocument:
    """Look at a schedule; role viewer."""
    document = (await caller.schedule(schedule_id, VIEWER)).document
    response.headers["ETag"] = quoted(document.etag)
    response.headers["Cache-Control"] = "no-store"
    return document


@router.patch(
    "/{schedule_id}",
    operation_id="patchSchedule",
    response_model=ScheduleChange,
    responses={200: {"headers": _ETAG}, **changes(412, 428)},
)
async def patch_schedule(
    *,
    caller: Writer,
    schedule_id: ScheduleId,
    patch: Annotated[SchedulePatch, Body(media_type="application/merge-patch+json")],
    if_match: IfMatch = None,
    reason: Reason | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """Change what the patch names (RFC 7396) and leave the rest; role admin. Needs If-Match."""
    labels = (await caller.schedule(schedule_id, ADMIN)).document.labels
    if if_match is None:
        raise PreconditionRequiredError(
            "A change needs If-Match with the ETag of what it was decided on; read the schedule first. "
            "Nothing was changed."
        )
    etag = if_match

    async def work() -> ScheduleChange:
        service = caller.api.service
        return await service.patch(schedule_id, patch, etag=etag, actor=caller.actor(labels), reason=reason)

    return await once(caller, key, patch, work, headers=_etag)


@router.delete("/{schedule_id}", operation_id="deleteSchedule", response_model=ScheduleChange, responses=changes(412))
async def delete_schedule(
    caller: Writer,
    schedule_id: ScheduleId,
    reason: Reason,
    if_match: IfMatch = None,
    key: IdempotencyKey = None,
) -> Response:
    """Delete a schedule; role admin. Runs under way go on, and the answer carries what it was."""

    async def work() -> ScheduleChange:
        labels = (await caller.schedule(schedule_id, ADMIN)).document.labels
        service, etag = caller.api.service, if_match or ANY_ETAG
        return await service.delete(schedule_id, reason=reason, actor=caller.actor(labels), etag=etag)

    return await once(caller, key, None, work)


def _etag(change: ScheduleChange) -> dict[str, str]:
    return {} if change.after is None else {"ETag": quoted(change.after.etag)}
