"""Whether it works; nobody has to sign in."""

from typing import Literal

from fastapi import APIRouter, Response

from trenova_errors import ApplicationError
from trenova_workers.pool.server._api import ApiDep
from trenova_workers.pool.server._documented import documented
from trenova_workers.pool.store._documents import PoolDocument

router = APIRouter(tags=["health"])


class Health(PoolDocument):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(PoolDocument):
    """Whether requests can be answered, and whether the database is."""

    ready: bool
    database: bool


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
    """Say whether the database answers."""
    response.headers["Cache-Control"] = "no-store"
    try:
        await api.store.states.now()
    except ApplicationError:
        response.status_code = 503
        return Readiness(ready=False, database=False)
    return Readiness(ready=True, database=True)
