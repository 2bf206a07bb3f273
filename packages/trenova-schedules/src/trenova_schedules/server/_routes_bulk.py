"""The same for many schedules, and undoing exactly that."""

from fastapi import APIRouter, Response

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import described, find_schedules
from trenova_schedules._managing._results import BulkAction, BulkResult
from trenova_schedules.server._api import Caller, Writer
from trenova_schedules.server._bodies import BulkBody, UndoBody
from trenova_schedules.server._documented import changes, documented
from trenova_schedules.server._idempotency import IdempotencyKey, once
from trenova_schedules.server._parameters import ScheduleId
from trenova_schedules.server._roles import ADMIN, OPERATOR, VIEWER

router = APIRouter(tags=["bulk"])

_OF_ADMINS = frozenset({BulkAction.UPDATE, BulkAction.DELETE})


@router.post("/bulk", operation_id="bulk", response_model=BulkResult, responses=documented(409))
async def bulk(caller: Writer, body: BulkBody, key: IdempotencyKey = None) -> Response:
    """Do the same to every schedule that matches, or only say what would be done, which is the default.

    Role operator, or admin for ``update`` and ``delete``. Schedules on which the caller has no such role do not match.
    """
    role = ADMIN if body.action in _OF_ADMINS else OPERATOR
    caller.require_somewhere(role)

    async def work() -> BulkResult:
        wanted = await _permitted(caller, body, role)
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
        )

    return await once(caller, key, body, work)


@router.post("/receipts/{receipt_id}/undo", operation_id="undo", response_model=BulkResult, responses=changes())
async def undo(caller: Writer, receipt_id: ScheduleId, body: UndoBody, key: IdempotencyKey = None) -> Response:
    """Make each schedule of a bulk action what it was; one that somebody has changed since is left alone.

    Needs the role that the action needed, on each of its schedules.
    """
    receipts = caller.api.service.receipts
    receipt = None if receipts is None else await receipts.find(receipt_id)
    if receipt is None:
        raise ResourceNotFoundError.of("receipt", receipt_id)
    role = ADMIN if BulkAction(receipt.action) in _OF_ADMINS else OPERATOR
    if not caller.may_everywhere(role):
        for item in receipt.items:
            await caller.schedule(str(item["scheduleId"]), role)

    async def work() -> BulkResult:
        return await caller.api.service.undo(receipt, reason=body.reason, actor=caller.actor(), catch_up=body.catch_up)

    return await once(caller, key, body, work)


async def _permitted(caller: Caller, body: BulkBody, role: str) -> ScheduleFilter | None:
    """Return the filter, narrowed to what the caller may do this to; None where that is nothing."""
    if caller.may_everywhere(role):
        return body.filter
    if body.filter.is_empty and not body.everything:
        raise InvalidInputError(
            'The filter matches every schedule. Say "everything": true, or narrow it. Nothing was changed.'
        )
    service = caller.api.service
    lines = await find_schedules(
        caller.api.client, body.filter, registry=service.registry, live=True, at_once=service.at_once
    )
    found = await described(caller.api.client, lines, service.at_once)
    own = [one.document for one in found if one.document is not None]
    ids = tuple(sorted(one.id for one in own if caller.may(role, one.labels) and caller.may(VIEWER, one.labels)))
    return ScheduleFilter(ids=ids) if ids else None
