"""Pools, workers, decisions, and orders about them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from trenova_errors import ResourceNotFoundError
from trenova_workers.pool._reports import PoolReport, PoolsReport, WorkersReport
from trenova_workers.pool._worker import PoolWorker
from trenova_workers.pool.server._api import Caller, Reader, Writer
from trenova_workers.pool.server._bodies import OverrideBody, ReasonBody
from trenova_workers.pool.server._documented import changes, documented
from trenova_workers.pool.server._idempotency import IdempotencyKey, once
from trenova_workers.pool.server._roles import ADMIN, OPERATOR, VIEWER
from trenova_workers.pool.store import DecisionPage, PoolAuditPage, PoolHistory

router = APIRouter()

PoolName = Annotated[str, Path(min_length=1, max_length=63, description="Name of the pool.")]
WorkerId = Annotated[str, Path(min_length=1, max_length=300, description="Id of the worker.")]
Cursor = Annotated[int | None, Query(ge=1, le=2**53, description="`nextCursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]


@router.get("/pools", operation_id="listPools", tags=["pools"], responses=documented())
async def pools(caller: Reader, response: Response) -> PoolsReport:
    """List the pools that the caller may look at, and who manages them; role viewer."""
    caller.require_somewhere()
    _fresh(response)
    found = await caller.api.desk.pools()
    return found.model_copy(update={"pools": tuple(one for one in found.pools if caller.may(VIEWER, one.name))})


@router.get("/pools/{name}", operation_id="showPool", tags=["pools"], responses=documented(404))
async def pool(caller: Reader, name: PoolName, response: Response) -> PoolReport:
    """Show one pool; role viewer."""
    caller.require(VIEWER, name)
    _fresh(response)
    return await caller.api.desk.pool(name)


@router.get("/pools/{name}/decisions", operation_id="listDecisions", tags=["pools"], responses=documented(404))
async def decisions(
    caller: Reader,
    name: PoolName,
    response: Response,
    *,
    cursor: Cursor = None,
    limit: Limit = 50,
    changes: Annotated[bool, Query(description="Only those that changed the number.")] = False,
) -> DecisionPage:
    """Show what was decided about a pool, newest first, with its inputs and why; role viewer."""
    caller.require(VIEWER, name)
    _fresh(response)
    return await caller.api.desk.decisions(name, cursor=cursor, limit=limit, changes=changes)


@router.get("/pools/{name}/history", operation_id="showHistory", tags=["pools"], responses=documented(404))
async def history(
    caller: Reader,
    name: PoolName,
    response: Response,
    *,
    hours: Annotated[float, Query(gt=0, le=168, description="How far back.")] = 3,
    parts: Annotated[int, Query(ge=1, le=1000, description="Into how many parts that is divided.")] = 120,
) -> PoolHistory:
    """Show how many workers there were and what waited, as far as decisions are kept; role viewer."""
    caller.require(VIEWER, name)
    _fresh(response)
    return await caller.api.desk.history(name, hours=hours, parts=parts)


@router.get("/workers", operation_id="listWorkers", tags=["workers"], responses=documented())
async def workers(caller: Reader, response: Response) -> WorkersReport:
    """List the workers of the pools that the caller may look at; role viewer."""
    caller.require_somewhere()
    _fresh(response)
    found = await caller.api.desk.workers()
    return WorkersReport(workers=tuple(one for one in found.workers if caller.may(VIEWER, one.pool)))


@router.post(
    "/pools/{name}/override",
    operation_id="overridePool",
    tags=["orders"],
    response_model=PoolReport,
    responses=changes(),
)
async def override(caller: Writer, name: PoolName, body: OverrideBody, key: IdempotencyKey = None) -> Response:
    """Fix the number of workers until a time, whatever the load; role operator."""
    caller.require(OPERATOR, name)
    desk, clerk = caller.api.desk, caller.clerk
    return await once(caller, key, body, lambda: desk.override(name, body.count, body.until, body.reason, clerk))


@router.post(
    "/pools/{name}/pause", operation_id="pausePool", tags=["orders"], response_model=PoolReport, responses=changes()
)
async def pause(caller: Writer, name: PoolName, body: ReasonBody, key: IdempotencyKey = None) -> Response:
    """Leave a pool at its number of workers; role operator. One that is paused stays as it is."""
    caller.require(OPERATOR, name)
    return await once(caller, key, body, lambda: caller.api.desk.pause(name, body.reason, caller.clerk))


@router.post(
    "/pools/{name}/resume", operation_id="resumePool", tags=["orders"], response_model=PoolReport, responses=changes()
)
async def resume(caller: Writer, name: PoolName, body: ReasonBody, key: IdempotencyKey = None) -> Response:
    """Let load decide again, without pause or override, and try a crash loop anew; role operator."""
    caller.require(OPERATOR, name)
    return await once(caller, key, body, lambda: caller.api.desk.resume(name, body.reason, caller.clerk))


@router.post(
    "/pools/{name}/drain",
    operation_id="drainPool",
    tags=["orders"],
    status_code=202,
    response_model=PoolReport,
    responses=changes(),
)
async def drain_pool(caller: Writer, name: PoolName, body: ReasonBody, key: IdempotencyKey = None) -> Response:
    """Drain all workers that a pool has now, one after the other, each replaced first if needed; role operator."""
    caller.require(OPERATOR, name)
    desk, clerk = caller.api.desk, caller.clerk
    return await once(caller, key, body, lambda: desk.drain_pool(name, body.reason, clerk), status=202)


@router.post(
    "/workers/{worker_id}/drain",
    operation_id="drainWorker",
    tags=["orders"],
    status_code=202,
    response_model=PoolWorker,
    responses=changes(),
)
async def drain(caller: Writer, worker_id: WorkerId, body: ReasonBody, key: IdempotencyKey = None) -> Response:
    """Have a worker take nothing new, finish and end; role operator. The pool makes up for it if it needs as many."""
    caller.require(OPERATOR, await _pool_of(caller, worker_id))
    desk, clerk = caller.api.desk, caller.clerk
    return await once(caller, key, body, lambda: desk.drain(worker_id, body.reason, clerk), status=202)


@router.get("/audit", operation_id="listAudit", tags=["audit"], responses=documented())
async def audit(
    caller: Reader, response: Response, cursor: Cursor = None, limit: Limit = 100, pool: str | None = None
) -> PoolAuditPage:
    """Show who did what to which pool, newest first; role admin on all pools."""
    caller.require(ADMIN, "*")
    _fresh(response)
    return await caller.api.desk.audit(pool=pool, cursor=cursor, limit=limit)


async def _pool_of(caller: Caller, worker_id: str) -> str:
    caller.require_somewhere()
    for one in (await caller.api.desk.workers()).workers:
        if one.id == worker_id and caller.may(VIEWER, one.pool):
            return one.pool
    raise ResourceNotFoundError.of("worker", worker_id)


def _fresh(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
