"""Whether it works; nobody has to sign in."""

from datetime import timedelta
from typing import Final, Literal

from fastapi import APIRouter, Response
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._reading._document import WireDocument
from trenova_schedules.server._api import Api, ApiDep
from trenova_schedules.server._documented import documented

router = APIRouter(tags=["health"])

_WITHIN: Final = timedelta(seconds=5)


class Health(WireDocument):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(WireDocument):
    """Whether requests can be answered.

    Attributes:
        ready: Whether they can.
        temporal: Whether Temporal answers.
        database: Whether the database does; None where there is none.
    """

    ready: bool
    temporal: bool
    database: bool | None = None


@router.get("/health", operation_id="health", responses=documented(open_to_all=True))
async def health(response: Response) -> Health:
    """Say that the process answers."""
    response.headers["Cache-Control"] = "no-store"
    return Health()


@router.get(
    "/ready",
    operation_id="ready",
    responses={**documented(open_to_all=True), 503: {"model": Readiness, "description": "It is not ready."}},
)
async def ready(api: ApiDep, response: Response) -> Readiness:
    """Say whether Temporal and the database answer."""
    temporal = await _temporal(api)
    database = None if api.store is None else await _database(api)
    response.headers["Cache-Control"] = "no-store"
    found = Readiness(ready=temporal and database is not False, temporal=temporal, database=database)
    if not found.ready:
        response.status_code = 503
    return found


async def _temporal(api: Api) -> bool:
    try:
        await api.client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_WITHIN)
    except RPCError:
        return False
    return True


async def _database(api: Api) -> bool:
    try:
        if api.store is not None:
            await api.store.registry.count()
    except ApplicationError:
        return False
    return True
