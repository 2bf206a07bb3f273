"""The same for many schedules."""

from fastapi import APIRouter, Response

from trenova_errors import InvalidInputError
from trenova_schedules._managing._bulk import Heard
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._results import BulkResult
from trenova_schedules.server._api import Caller, Writer
from trenova_schedules.server._bodies import BulkBody
from trenova_schedules.server._documented import documented
from trenova_schedules.server._idempotency import IdempotencyKey, once
from trenova_schedules.server._permitted import permitted_lines, role_for

router = APIRouter(tags=["bulk"])


@router.post("/bulk", operation_id="bulk", response_model=BulkResult, responses=documented(409))
async def bulk(caller: Writer, body: BulkBody, key: IdempotencyKey = None) -> Response:
    """Do the same to every schedule that matches, or only say what would be done, which is the default.

    Role operator, or admin for ``update`` and ``delete``. Schedules on which the caller has no such role do not match.
    """
    caller.require_somewhere(role_for(body.action))

    async def work() -> BulkResult:
        return await done_in_bulk(caller, body)

    return await once(caller, key, body, work)


async def done_in_bulk(caller: Caller, body: BulkBody, heard: Heard | None = None) -> BulkResult:
    """Do what a body says to those schedules on which the caller has the role for it.

    Args:
        caller: Who asks.
        body: What.
        heard: Is told of each schedule as soon as its outcome is known.

    Raises:
        InvalidInputError: What it says does not hold together; nothing was changed.
    """
    wanted = await _permitted(caller, body)
    if wanted is None:
        return BulkResult.of(body.action, [], dry_run=body.dry_run)
    return await caller.api.service.bulk(
        body.action,
        wanted,
        reason=body.reason,
        actor=caller.actor(),
        patch=body.patch,
        catch_up=body.catch_up,
        dry_run=body.dry_run,
        everything=body.everything,
        most=body.most,
        etags=body.etags,
        heard=heard,
    )


async def _permitted(caller: Caller, body: BulkBody) -> ScheduleFilter | None:
    """Return the filter, narrowed to what the caller may do this to; None where that is nothing."""
    role = role_for(body.action)
    if caller.may_everywhere(role):
        return body.filter
    if body.filter.is_empty and not body.everything:
        raise InvalidInputError(
            'The filter matches every schedule. Say "everything": true, or narrow it. Nothing was changed.'
        )
    ids = tuple(sorted(line.id for line in await permitted_lines(caller, body.filter, role)))
    return ScheduleFilter(ids=ids) if ids else None
