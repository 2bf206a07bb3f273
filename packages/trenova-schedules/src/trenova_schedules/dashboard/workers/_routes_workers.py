"""Pages of worker pools: all of them, and one with its workers and decisions."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator
from starlette.responses import Response

from trenova_schedules.dashboard._asking import PageReader
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import render
from trenova_schedules.dashboard.workers import _pool_words as words
from trenova_schedules.dashboard.workers._pool_chart import pool_chart
from trenova_schedules.dashboard.workers._sights import Sight, sights_of
from trenova_schedules.server._api import Caller
from trenova_schedules.server._middleware import decoded_segment
from trenova_schedules.server._roles import VIEWER
from trenova_schedules.worker_pools import NoPoolManagerError, PoolDecisions

router = APIRouter(prefix="/workers", route_class=PageRoute)

PoolName = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(decoded_segment)
]

_HOURS: Final = 3
_PARTS: Final = 120
_DECISIONS: Final = 20


def require_everywhere(caller: Caller, role: str) -> None:
    """Let through whoever has a role on everything: pools serve the schedules of all.

    Raises:
        NotPermittedError: They have not.
    """
    caller.require(role, {}, "workers")


@router.get("")
async def pools(caller: PageReader) -> Response:
    """Show all pools."""
    require_everywhere(caller, VIEWER)
    try:
        seen = await sights_of(caller.request).look("pools", lambda pools: pools.pools())
    except NoPoolManagerError:
        return render(caller.request, "workers_none.html", caller=caller)
    return render(caller.request, "workers.html", caller=caller, seen=seen, now=datetime.now(UTC), words=words)


@router.get("/{pool}")
async def pool(
    caller: PageReader,
    pool: PoolName,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    *,
    changes: bool = False,
) -> Response:
    """Show one pool, its workers, its last hours, and decisions page by page."""
    require_everywhere(caller, VIEWER)
    sights = sights_of(caller.request)
    try:
        seen = await sights.look(("pool", pool), lambda pools: pools.pool(pool, hours=_HOURS, parts=_PARTS))
    except NoPoolManagerError:
        return render(caller.request, "workers_none.html", caller=caller)
    decided: Sight[PoolDecisions] = await sights.look(
        ("decisions", pool, cursor, changes),
        lambda pools: pools.decisions(pool, cursor=cursor, limit=_DECISIONS, changes=changes),
    )
    now = datetime.now(UTC)
    until = seen.at or now
    chart = None if seen.value is None else pool_chart(seen.value, until - timedelta(hours=_HOURS), until)
    return render(
        caller.request,
        "pool.html",
        caller=caller,
        name=pool,
        seen=seen,
        decided=decided,
        chart=chart,
        hours=_HOURS,
        changes=changes,
        first=cursor is None,
        cursor=cursor,
        now=now,
        words=words,
    )
