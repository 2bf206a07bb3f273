"""Who did what. Needs the database."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from trenova_errors import ResourceNotFoundError
from trenova_schedules.server._api import Reader
from trenova_schedules.server._documented import documented
from trenova_schedules.server._parameters import Limit, Moment, ScheduleId, Text
from trenova_schedules.server._roles import ADMIN, VIEWER
from trenova_schedules.store import AuditFilter, AuditPage

router = APIRouter(tags=["audit"])

_LARGEST = 2**63 - 1
_FORMS = {"jsonl": "application/jsonl", "csv": "text/csv"}

Number = Annotated[int | None, Query(alias="cursor", ge=0, le=_LARGEST, description="`nextCursor` of the page before.")]


def _wanted(
    *,
    actor: Text | None = None,
    action: Text | None = None,
    schedule_id: Annotated[Text | None, Query(alias="scheduleId")] = None,
    organization_id: Annotated[Text | None, Query(alias="organizationId")] = None,
    request_id: Annotated[Text | None, Query(alias="requestId")] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> AuditFilter:
    return AuditFilter(
        actor=actor,
        action=action,
        schedule_id=schedule_id,
        organization_id=organization_id,
        request_id=request_id,
        since=since,
        until=until,
    )


Wanted = Annotated[AuditFilter, Depends(_wanted)]


@router.get("/audit", operation_id="audit", responses=documented())
async def audit(caller: Reader, wanted: Wanted, limit: Limit = 100, cursor: Number = None) -> AuditPage:
    """Read the audit trail of everything, newest first. Role admin on every schedule."""
    caller.require(ADMIN, {}, "audit trail")
    return await caller.api.needed_store("The audit trail").audit.read(wanted, cursor=cursor, limit=limit)


@router.get(
    "/audit/export",
    operation_id="exportAudit",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One entry a line, newest first.",
            "content": {form: {"schema": {"type": "string"}} for form in _FORMS.values()},
        },
        **documented(),
    },
)
async def export(caller: Reader, wanted: Wanted, form: Literal["jsonl", "csv"] = "jsonl") -> StreamingResponse:
    """Export the audit trail as JSON lines or CSV, of any size. Role admin on every schedule."""
    caller.require(ADMIN, {}, "audit trail")
    lines = caller.api.needed_store("The audit trail").audit.export(wanted, form=form)
    name = f'attachment; filename="schedules-audit.{form}"'
    return StreamingResponse(
        lines, media_type=_FORMS[form], headers={"Content-Disposition": name, "Cache-Control": "no-store"}
    )


@router.get("/schedules/{schedule_id}/audit", operation_id="scheduleAudit", responses=documented(404))
async def schedule_audit(
    caller: Reader, schedule_id: ScheduleId, limit: Limit = 100, cursor: Number = None
) -> AuditPage:
    """Read who did what to a schedule, newest first. Role viewer; of one that is deleted, admin on every schedule."""
    try:
        await caller.schedule(schedule_id, VIEWER)
    except ResourceNotFoundError:
        if not caller.may_everywhere(ADMIN):
            raise
    trail = caller.api.needed_store("The audit trail").audit
    return await trail.read(AuditFilter(schedule_id=schedule_id), cursor=cursor, limit=limit)
