"""The steps of a transfer, each inside one transaction with its line in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from trenova_activities._transfer_contract import MAX_TRANSFERS, TransferCall, TransferShipmentsResult
from trenova_activities.database._audit import AuditEntry, write_audit
from trenova_activities.database._failures import translated
from trenova_activities.database._pro_numbers import ProNumberFormat, reserve_sequence
from trenova_activities.database._scope import Scope
from trenova_activities.database._shipment_copies import Copy
from trenova_activities.database._shipment_marks import marks
from trenova_activities.database._shipment_statuses import CANCELED, cancel_shipments
from trenova_activities.database._transfer_copies import TransferCopier
from trenova_activities.database._transfer_ledger import Moved, TransferBook, TransferLedger
from trenova_errors import ConflictError, DataIntegrityError

_NUMBERINGS: Final = 5
"""How often a batch is numbered before a taken pro number is somebody else's problem."""


@dataclass(frozen=True)
class TransferSteps:
    """One step of one transfer.

    Attributes:
        scope: The transaction.
        book: The ledger, locked.
        call: What is asked.
        form: How the organization's pro numbers look.
        stage: Told how far it is.
    """

    scope: Scope
    book: TransferBook
    call: TransferCall
    form: ProNumberFormat
    stage: Callable[[str], None]

    @property
    def _copier(self) -> TransferCopier:
        scope = self.scope
        return TransferCopier(scope.connection, scope.catalog, scope.tenant, scope.at, self.call)

    async def reserve(self, ledger: TransferLedger) -> TransferLedger:
        """Check the request and reserve the pro numbers.

        Raises:
            ResourceNotFoundError: The tenant has no such shipment, customer or user.
            InvalidInputError: A shipment is finished, or belongs to that customer already.
        """
        if ledger.numbers:
            return ledger
        await self.scope.require_user(self.call.user_id)
        await self.scope.require("customer", "customers", self.call.customer_id)
        await self._copier.sources()
        return ledger.but(numbers=await self._numbers())

    async def _numbers(self) -> list[str]:
        """Reserve numbers that no shipment of the tenant has; the unique key minds those of its neighbours."""
        shipments, count = self.scope.catalog["shipments"], len(self.call.shipment_ids)
        for _ in range(_NUMBERINGS):
            numbers = await self._next_numbers(count)
            same = (self.scope.tenant.owns(shipments), shipments.c.pro_number.in_(numbers))
            taken = select(shipments.c.id).where(*same).limit(1)
            if (await self.scope.connection.execute(taken)).first() is None:
                return numbers
        raise _no_number_free()

    async def _next_numbers(self, count: int) -> list[str]:
        scope = self.scope
        sequences = scope.catalog["sequences"]
        positions = await reserve_sequence(scope.connection, sequences, scope.tenant, count=count, at=scope.at)
        return [self.form.number(position, scope.at) for position in positions]

    async def copy(self, ledger: TransferLedger) -> TransferLedger:
        """Copy the sources for the other customer.

        Raises:
            ConflictError: No numbers are reserved, or the transfer is being undone.
            InvalidInputError: A source was finished meanwhile.
        """
        self._refuse_if_over(ledger)
        if ledger.moved:
            return ledger
        sources = await self._copier.sources()
        before = await marks(self.scope, self.call.shipment_ids, lock=True)
        copies = await self._numbered_copies(sources, ledger.numbers)
        self.stage(f"{len(copies)} copies made")
        made = await marks(self.scope, [copy.id for copy in copies.values()])
        await self._log([_copied(self, source, copies[source.id]) for source in sources])
        moved = {
            source.id: Moved(
                pro_number=source.pro_number,
                mark=before[source.id],
                copy_id=copies[source.id].id,
                copy_number=copies[source.id].pro_number,
                copy_mark=made[copies[source.id].id],
            )
            for source in sources
        }
        return ledger.but(moved=moved)

    async def _numbered_copies(self, sources: Sequence[Row[Any]], numbers: Sequence[str]) -> dict[str, Copy]:
        """Copy under the reserved numbers; where one was taken meanwhile, under the next ones."""
        for _ in range(_NUMBERINGS):
            try:
                async with translated(), self.scope.connection.begin_nested():
                    return await self._copier.copy(sources, numbers)
            except DataIntegrityError as error:
                if not error.facts.get("unique"):
                    raise
                self.stage("numbering again")
                numbers = await self._numbers()
        raise _no_number_free()

    async def cancel(self, ledger: TransferLedger) -> TransferLedger:
        """Cancel the sources, if they are still what was copied.

        Raises:
            ConflictError: A source has been changed since it was copied, or the transfer is being undone.
        """
        self._refuse_if_over(ledger)
        if ledger.result is not None:
            return ledger
        ids = list(ledger.moved)
        await self._refuse_changed(ledger)
        before = await cancel_shipments(self.scope, ids, reason=self.call.reason, user_id=self.call.user_id)
        after = await marks(self.scope, ids)
        await self._log([_canceled(self, id_, one, before["shipments"][id_]) for id_, one in ledger.moved.items()])
        moved = {id_: one.model_copy(update={"mark": after[id_]}) for id_, one in ledger.moved.items()}
        return ledger.but(
            moved=moved,
            before={table: dict(rows) for table, rows in before.items()},
            result=_result(self, ledger.moved),
        )

    async def _refuse_changed(self, ledger: TransferLedger) -> None:
        now = await marks(self.scope, list(ledger.moved), lock=True)
        changed = [one.pro_number for id_, one in ledger.moved.items() if now.get(id_) != one.mark]
        if changed or not ledger.moved:
            raise ConflictError(
                f"Somebody changed {', '.join(changed[:10]) or 'the shipments'} while the transfer was going on. "
                "Look at the change, and start the transfer again.",
                shipments=len(changed),
            )

    def _refuse_if_over(self, ledger: TransferLedger) -> None:
        """Refuse a step that comes after the transfer was given up, or after another run has taken over."""
        if ledger.undoing or ledger.run_id != self.call.run_id or not ledger.numbers:
            raise ConflictError(
                "This transfer was given up, or another run has taken it over. Start it again under its key.",
                run_id=ledger.run_id,
            )

    async def _log(self, entries: Sequence[AuditEntry]) -> None:
        scope = self.scope
        await write_audit(scope.connection, scope.catalog["audit_entries"], scope.tenant, entries, at=scope.at)


def _copied(step: TransferSteps, source: Row[Any], copy: Copy) -> AuditEntry:
    customer = step.call.customer_id
    return AuditEntry(
        resource="shipment",
        resource_id=copy.id,
        operation="transfer",
        user_id=step.call.user_id,
        correlation_id=step.book.key.workflow_id,
        comment=f"Transferred from shipment {source.pro_number}",
        current_state={"id": copy.id, "proNumber": copy.pro_number, "status": "New", "customerId": customer},
        metadata={"sourceShipmentId": source.id, "sourceProNumber": source.pro_number, "proNumber": copy.pro_number},
    )


def _canceled(step: TransferSteps, source_id: str, moved: Moved, status: str) -> AuditEntry:
    return AuditEntry(
        resource="shipment",
        resource_id=source_id,
        operation="cancel",
        user_id=step.call.user_id,
        correlation_id=step.book.key.workflow_id,
        comment=f"Transferred as shipment {moved.copy_number}",
        previous_state={"id": source_id, "proNumber": moved.pro_number, "status": status},
        current_state={
            "id": source_id,
            "proNumber": moved.pro_number,
            "status": CANCELED,
            "canceledAt": step.scope.at,
            "cancelReason": step.call.reason,
        },
        metadata={"shipmentId": moved.copy_id, "proNumber": moved.copy_number, "customerId": step.call.customer_id},
    )


def _result(step: TransferSteps, moved: dict[str, Moved]) -> TransferShipmentsResult:
    count = len(moved)
    shown = list(moved.items())[:MAX_TRANSFERS]
    what = f"Shipment {shown[0][1].pro_number} was" if count == 1 else f"{count} shipments were"
    return TransferShipmentsResult(
        job_id=step.book.ledger.workflow_id,
        count=count,
        source_shipment_ids=[id_ for id_, _ in shown],
        shipment_ids=[one.copy_id for _, one in shown],
        pro_numbers=[one.copy_number for _, one in shown],
        truncated=count > len(shown),
        result=f"{what} transferred to another customer.",
        data={"customerId": step.call.customer_id},
    )


def _no_number_free() -> DataIntegrityError:
    return DataIntegrityError(
        f"{_NUMBERINGS} batches of pro numbers met numbers that exist, or another unique column of a shipment cannot "
        "be copied. Give the organization's pattern more random digits. Nothing was written."
    )
