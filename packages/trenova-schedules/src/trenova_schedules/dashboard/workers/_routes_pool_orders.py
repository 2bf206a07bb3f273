"""Dialogs that fix a pool's number of workers, pause it, and let load decide again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from trenova_errors import UnavailableError
from trenova_schedules.dashboard._asking import PageReader, PageWriter
from trenova_schedules.dashboard._failing import PageRoute
from trenova_schedules.dashboard._render import done, render
from trenova_schedules.dashboard.workers._pool_words import override_words
from trenova_schedules.dashboard.workers._routes_workers import PoolName, require_everywhere
from trenova_schedules.dashboard.workers._sights import sights_of
from trenova_schedules.server._api import Caller
from trenova_schedules.server._roles import OPERATOR
from trenova_schedules.worker_pools import PoolSeen

router = APIRouter(prefix="/workers/{pool}", route_class=PageRoute)

MOST_MINUTES: Final = 7 * 24 * 60
_MOST_WORKERS: Final = 10_000

Reason = Annotated[str, Form(min_length=1, max_length=500, pattern=r"\S")]
Count = Annotated[int, Form(ge=0, le=_MOST_WORKERS)]
Minutes = Annotated[int, Form(ge=1, le=MOST_MINUTES)]


@router.get("/override")
async def ask_override(caller: PageReader, pool: PoolName) -> Response:
    """Ask how many, for how long and why."""
    seen = await _seen(caller, pool)
    count = seen.override.count if seen.override else seen.desired
    return render(
        caller.request,
        "_pool_override.html",
        caller=caller,
        pool=seen,
        count=count,
        said=override_words(seen, count, 60),
        most_minutes=MOST_MINUTES,
    )


@router.get("/override/words")
async def try_override(caller: PageReader, pool: PoolName, count: str = "", minutes: str = "") -> Response:
    """Say what it would do; what is typed may be anything yet."""
    seen = await _seen(caller, pool)
    number, length = _number(count, 0, _MOST_WORKERS), _number(minutes, 1, MOST_MINUTES)
    if number is None:
        said = [f"Workers are a number from 0 to {_MOST_WORKERS:,}."]
    elif length is None:
        said = [f"Minutes are a number from 1 to {MOST_MINUTES:,}, which is a week."]
    else:
        said = override_words(seen, number, length)
    return render(caller.request, "_pool_override_words.html", caller=caller, said=said)


@router.post("/override")
async def override(caller: PageWriter, pool: PoolName, count: Count, minutes: Minutes, reason: Reason) -> Response:
    """Fix the number of workers."""
    require_everywhere(caller, OPERATOR)
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    sights = sights_of(caller.request)
    await sights.pools.override(pool, count, until, reason.strip(), by=caller.name)
    sights.changed()
    return done("Its number of workers is fixed.")


@router.get("/pause")
async def ask_pause(caller: PageReader, pool: PoolName) -> Response:
    """Ask why."""
    return render(caller.request, "_pool_pause.html", caller=caller, pool=await _seen(caller, pool))


@router.post("/pause")
async def pause(caller: PageWriter, pool: PoolName, reason: Reason) -> Response:
    """Leave it at its number of workers."""
    require_everywhere(caller, OPERATOR)
    sights = sights_of(caller.request)
    await sights.pools.pause(pool, reason.strip(), by=caller.name)
    sights.changed()
    return done("Paused.")


@router.get("/resume")
async def ask_resume(caller: PageReader, pool: PoolName) -> Response:
    """Ask why, and say what ends by it."""
    return render(caller.request, "_pool_resume.html", caller=caller, pool=await _seen(caller, pool))


@router.post("/resume")
async def resume(caller: PageWriter, pool: PoolName, reason: Reason) -> Response:
    """Let load decide again."""
    require_everywhere(caller, OPERATOR)
    sights = sights_of(caller.request)
    await sights.pools.resume(pool, reason.strip(), by=caller.name)
    sights.changed()
    return done("Load decides again.")


async def _seen(caller: Caller, pool: str) -> PoolSeen:
    """Return the pool as it is now, for somebody who may order.

    Raises:
        UnavailableError: Nobody can say how it is, so nothing can be ordered either.
    """
    require_everywhere(caller, OPERATOR)
    sights = sights_of(caller.request)
    seen = await sights.look(("order", pool), lambda pools: pools.pool(pool, hours=1, parts=1))
    if seen.trouble or seen.value is None:
        raise UnavailableError(f"Nothing can be ordered now. {seen.trouble}")
    return seen.value.pool


def _number(text: str, least: int, most: int) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    return int(text) if least <= int(text) <= most else None
