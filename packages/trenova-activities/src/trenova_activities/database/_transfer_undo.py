"""How the steps of a transfer are undone: only what is still as the transfer left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trenova_activities._saga_contract import CompensationConflictError
from trenova_activities._transfer_contract import TransferCall
from trenova_activities.database._audit import AuditEntry, write_audit
from trenova_activities.database._scope import Scope
from trenova_activities.database._shipment_marks import marks
from trenova_activities.database._shipment_statuses import CANCELED, cancel_shipments, owners, restore_shipments
from trenova_activities.database._transfer_ledger import Moved, TransferLedger

UNDONE_REASON = "The transfer that made it was undone"
_MOST_NAMED = 10


@dataclass(frozen=True)
class TransferUndo:
    """Undoes the steps of one transfer inside one transaction.

    Attributes:
        scope: The transaction.
        call: What had been asked.
        workflow_id: Who undoes it.
    """

    scope: Scope
    call: TransferCall
    workflow_id: str

    async def restore(self, ledger: TransferLedger) -> TransferLedger:
        """Put the sources back that nobody has changed since they were canceled."""
        ledger = ledger.but(undoing=True)
        if ledger.result is None or ledger.restored:
            return ledger
        now = await marks(self.scope, list(ledger.moved), lock=True)
        same = {id_: one for id_, one in ledger.moved.items() if now.get(id_) == one.mark}
        whose = await owners(self.scope, ledger.before)
        before = {
            table: {id_: status for id_, status in rows.items() if whose[table].get(id_) in same}
            for table, rows in ledger.before.items()
        }
        await restore_shipments(self.scope, before)
        await self._log([self._restored(id_, one, before["shipments"][id_]) for id_, one in same.items()])
        kept = [one.pro_number for id_, one in ledger.moved.items() if id_ not in same]
        return ledger.but(restored=True, kept_sources=kept)

    async def withdraw(self, ledger: TransferLedger) -> TransferLedger:
        """Cancel the copies that nobody has changed since they were made."""
        ledger = ledger.but(undoing=True)
        if not ledger.moved or ledger.withdrawn:
            return ledger
        copies = {one.copy_id: one for one in ledger.moved.values()}
        now = await marks(self.scope, list(copies), lock=True)
        same = {id_: one for id_, one in copies.items() if now.get(id_) == one.copy_mark}
        await cancel_shipments(self.scope, list(same), reason=UNDONE_REASON, user_id=self.call.user_id)
        await self._log([self._withdrawn(id_, one) for id_, one in same.items()])
        kept = [one.copy_number for id_, one in copies.items() if id_ not in same]
        return ledger.but(withdrawn=True, kept_copies=kept)

    async def release(self, ledger: TransferLedger) -> TransferLedger:
        """Undo what is left, and set the key free where everything is undone; the numbers stay unused."""
        ledger = await self.withdraw(await self.restore(ledger))
        return ledger.but(closed=not (ledger.kept_sources or ledger.kept_copies))

    async def _log(self, entries: Sequence[AuditEntry]) -> None:
        scope = self.scope
        await write_audit(scope.connection, scope.catalog["audit_entries"], scope.tenant, entries, at=scope.at)

    def _restored(self, id_: str, moved: Moved, status: str) -> AuditEntry:
        states = ({"id": id_, "status": CANCELED}, {"id": id_, "proNumber": moved.pro_number, "status": status})
        return self._entry(id_, "restore", "The transfer that canceled it was undone", states)

    def _withdrawn(self, id_: str, moved: Moved) -> AuditEntry:
        states = ({"id": id_, "status": "New"}, {"id": id_, "proNumber": moved.copy_number, "status": CANCELED})
        return self._entry(id_, "cancel", UNDONE_REASON, states)

    def _entry(
        self, id_: str, operation: str, comment: str, states: tuple[Mapping[str, str], Mapping[str, str]]
    ) -> AuditEntry:
        return AuditEntry(
            resource="shipment",
            resource_id=id_,
            operation=operation,
            user_id=self.call.user_id,
            correlation_id=self.workflow_id,
            comment=comment,
            previous_state=dict(states[0]),
            current_state=dict(states[1]),
            metadata={"customerId": self.call.customer_id},
        )


def kept_sources(ledger: TransferLedger) -> CompensationConflictError | None:
    """Return what to report of sources that stayed canceled; None if none did."""
    if not ledger.kept_sources:
        return None
    return CompensationConflictError(
        f"{_named(ledger.kept_sources)} had been changed by somebody since being canceled for the transfer, and stay "
        "as they are.",
        shipments=len(ledger.kept_sources),
    )


def kept_copies(ledger: TransferLedger) -> CompensationConflictError | None:
    """Return what to report of copies that stayed; None if none did."""
    if not ledger.kept_copies:
        return None
    return CompensationConflictError(
        f"{_named(ledger.kept_copies)}, made by the transfer, had been changed by somebody since, and stay as they "
        "are.",
        shipments=len(ledger.kept_copies),
    )


def _named(numbers: Sequence[str]) -> str:
    more = len(numbers) - _MOST_NAMED
    what = "Shipment " if len(numbers) == 1 else "Shipments "
    return what + ", ".join(numbers[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
