"""Receipts of bulk actions, for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trenova_schedules._managing._receipt_changes import ReceiptChange, receipt_changes
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._managing._results import BulkAction
from trenova_schedules.server._api import Caller
from trenova_schedules.server._permitted import found_receipt, permitted_ids, role_for


@dataclass(frozen=True)
class ReceiptRow:
    """One schedule of a receipt.

    Attributes:
        schedule_id: Which.
        changes: What the action changed of it; empty where that is not known.
        known: Whether the action was over before its process ended.
    """

    schedule_id: str
    changes: Sequence[ReceiptChange]
    known: bool


@dataclass(frozen=True, kw_only=True)
class ReceiptView:
    """One receipt.

    Attributes:
        receipt: With the schedules that the caller may look at.
        rows: One for each of them.
        may: Whether the caller may undo it.
    """

    receipt: Receipt
    rows: Sequence[ReceiptRow]
    may: bool


async def receipt_view(caller: Caller, receipt_id: str) -> ReceiptView:
    """Gather a receipt.

    Raises:
        ResourceNotFoundError: There is none, or none of its schedules is theirs to see.
    """
    receipt = await found_receipt(caller, receipt_id)
    role = role_for(BulkAction(receipt.action))
    may = caller.may_everywhere(role)
    if not may and receipt.undone_at is None:
        kept = caller.api.service.receipts
        whole = None if kept is None else await kept.find(receipt_id)
        ids = () if whole is None else whole.schedule_ids
        may = bool(ids) and await permitted_ids(caller, ids, role) == frozenset(ids)
    return ReceiptView(receipt=receipt, rows=[_row(item) for item in receipt.items], may=may)


def _row(item: Mapping[str, Any]) -> ReceiptRow:
    before, after = item["before"], item["after"]
    changes = [] if after is None else receipt_changes(before, after)
    return ReceiptRow(str(item["scheduleId"]), changes, after is not None)
