"""What bulk actions changed, and undoing exactly that. Needs the database."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed_receipts import ListedReceipt, ReceiptFilter, ReceiptPage
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._results import BulkAction, BulkResult
from trenova_schedules.server._api import Caller, Reader, Writer
from trenova_schedules.server._bodies import UndoBody
from trenova_schedules.server._documented import changes, documented
from trenova_schedules.server._idempotency import IdempotencyKey, once
from trenova_schedules.server._parameters import Cursor, Limit, ScheduleId, Text
from trenova_schedules.server._permitted import found_receipt, permitted_lines, receipt_to_undo
from trenova_schedules.server._roles import VIEWER

router = APIRouter(prefix="/receipts", tags=["receipts"])

_PAGES: Final = 20
"""How many pages of the store one request looks through for a caller who may see few of them."""


def wanted_receipts(
    *,
    action: Annotated[BulkAction | None, Query()] = None,
    actor: Text | None = None,
    undone: Annotated[bool | None, Query(description="Only those that were undone, or that were not.")] = None,
    schedule_id: Annotated[Text | None, Query(alias="scheduleId")] = None,
) -> ReceiptFilter:
    """Return which receipts a query asks for."""
    return ReceiptFilter(action=action, actor=actor, undone=undone, schedule_id=schedule_id)


WantedReceipts = Annotated[ReceiptFilter, Depends(wanted_receipts)]


@router.get("", operation_id="listReceipts", responses=documented())
async def list_receipts(
    caller: Reader, wanted: WantedReceipts, limit: Limit = 50, cursor: Cursor = None
) -> ReceiptPage:
    """List bulk actions that changed something and can be undone, or were, the newest first; role viewer.

    A caller who may look at some schedules sees the receipts of these, and of a receipt only these.
    """
    return await permitted_receipts(caller, wanted, cursor=cursor, limit=limit)


@router.get("/{receipt_id}", operation_id="getReceipt", responses=documented(404))
async def get_receipt(caller: Reader, receipt_id: ScheduleId) -> Receipt:
    """Read what a bulk action changed, schedule by schedule: those that the caller may look at; role viewer."""
    caller.require_somewhere(VIEWER)
    return await found_receipt(caller, receipt_id)


@router.post("/{receipt_id}/undo", operation_id="undo", response_model=BulkResult, responses=changes())
async def undo(caller: Writer, receipt_id: ScheduleId, body: UndoBody, key: IdempotencyKey = None) -> Response:
    """Make each schedule of a bulk action what it was; one that somebody has changed since is left alone.

    At once, or with ``dryRun`` only said. Needs the role that the action needed, on each of its schedules.
    """
    receipt = await receipt_to_undo(caller, receipt_id)

    async def work() -> BulkResult:
        return await caller.api.service.undo(
            receipt, reason=body.reason, actor=caller.actor(), catch_up=body.catch_up, dry_run=body.dry_run
        )

    return await once(caller, key, body, work)


async def permitted_receipts(caller: Caller, wanted: ReceiptFilter, *, cursor: str | None, limit: int) -> ReceiptPage:
    """Return a page of the receipts of schedules that the caller may look at, the newest first.

    Raises:
        NotPermittedError: They may look at none.
        InvalidInputError: The cursor is none of ours, or there is no database.
    """
    caller.require_somewhere(VIEWER)
    kept = caller.api.needed_store("A list of receipts").receipts
    if caller.may_everywhere(VIEWER):
        return await kept.read(wanted, cursor=cursor, limit=limit)
    own = frozenset(line.id for line in await permitted_lines(caller, ScheduleFilter()))
    found: list[ListedReceipt] = []
    for _ in range(_PAGES):
        page = await kept.read(wanted, cursor=cursor, limit=limit - len(found))
        found += [seen for one in page.receipts if (seen := _seen(one, own, wanted)) is not None]
        cursor = page.next_cursor
        if cursor is None or len(found) == limit:
            break
    return ReceiptPage(receipts=tuple(found), next_cursor=cursor)


def _seen(receipt: ListedReceipt, own: frozenset[str], wanted: ReceiptFilter) -> ListedReceipt | None:
    ids = tuple(one for one in receipt.schedule_ids if one in own)
    seen = receipt.model_copy(update={"schedule_ids": ids})
    return seen if ids and seen.matches(wanted) else None
