"""The database as the management service wants it."""

from trenova_schedules._managing._audit import AuditEntry
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules.store import AuditEntry as StoredEntry
from trenova_schedules.store import Receipt as StoredReceipt
from trenova_schedules.store import ScheduleStore


class KeptAudit:
    """Writes entries into the audit trail.

    Args:
        store: Where that is.
    """

    def __init__(self, store: ScheduleStore) -> None:
        self._store = store

    async def record(self, *entries: AuditEntry) -> None:
        """Add entries, all or none."""
        await self._store.audit.record(*(StoredEntry.model_validate(entry.model_dump()) for entry in entries))


class KeptReceipts:
    """Keeps receipts of bulk actions.

    Args:
        store: Where.
    """

    def __init__(self, store: ScheduleStore) -> None:
        self._store = store

    async def keep(self, receipt: Receipt) -> None:
        """Store a receipt; the same id again replaces its items."""
        await self._store.receipts.keep(StoredReceipt.model_validate(receipt.model_dump()))

    async def find(self, receipt_id: str) -> Receipt | None:
        """Return a receipt, or None."""
        found = await self._store.receipts.find(receipt_id)
        return None if found is None else Receipt.model_validate(found.model_dump())

    async def undone(self, receipt_id: str, *, actor: str) -> bool:
        """Mark a receipt as undone; False if it was before or is not there."""
        return await self._store.receipts.undone(receipt_id, actor=actor)
