"""The activity that duplicates a shipment: one transaction, once per idempotency key."""

from typing import Any, Final, Self

from sqlalchemy import Row
from temporalio import activity

from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
from trenova_activities._heartbeats import Heartbeats, heartbeats
from trenova_activities._names import DUPLICATE_SHIPMENT_ACTIVITY, DUPLICATE_SHIPMENT_JOB
from trenova_activities.database._audit import AuditEntry, write_audit
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._failures import translated
from trenova_activities.database._idempotency import IdempotencyKey
from trenova_activities.database._pro_numbers import ProNumberFormat, ProNumberOptions, reserve_sequence
from trenova_activities.database._requirements import ready_catalog
from trenova_activities.database._shipment_copies import Copy, ShipmentCopier
from trenova_activities.database._tenant import Tenant
from trenova_errors import AmbiguousOutcomeError, DataIntegrityError, RetryableError

_NUMBERINGS: Final = 5
"""How often a batch is numbered before a taken pro number is somebody else's problem."""


class ShipmentActivities:
    """The activities of the shipment queue.

    Args:
        database: The TMS's database.
        catalog: Its tables, as reflected when the worker started.
        pro_numbers: How the numbers of each organization look.
    """

    def __init__(self, database: Database, catalog: Catalog, pro_numbers: ProNumberOptions | None = None) -> None:
        self._database = database
        self._catalog = catalog
        self._pro_numbers = pro_numbers or ProNumberOptions()

    @classmethod
    async def open(cls, database: Database, pro_numbers: ProNumberOptions | None = None) -> Self:
        """Read the database and refuse one that lacks something the jobs need.

        Raises:
            ConfigurationError: With everything that is lacking.
        """
        return cls(database, await ready_catalog(database, DUPLICATE_SHIPMENT_JOB), pro_numbers)

    @activity.defn(name=DUPLICATE_SHIPMENT_ACTIVITY)
    async def duplicate(self, payload: DuplicateShipmentPayload) -> DuplicateShipmentResult:
        """Make all copies or none; the same key returns what it returned before.

        Raises:
            ResourceNotFoundError: The tenant has no such shipment.
            ConflictError: The key was used for another request.
            DataIntegrityError: The database refused the copies.
            RetryableError: A lock, a deadlock, or a commit whose outcome only the next attempt can see.
        """
        info = activity.info()
        workflow_id = info.workflow_id or info.activity_id
        key = IdempotencyKey(
            tenant=Tenant(payload.organization_id, payload.business_unit_id),
            job_type=DUPLICATE_SHIPMENT_JOB,
            key=payload.idempotency_key or workflow_id,
            digest=payload.digest(),
            workflow_id=workflow_id,
        )
        async with heartbeats() as beats:
            try:
                return await self._transaction(payload, key, beats)
            except AmbiguousOutcomeError as error:
                return await self._after_lost_commit(key, error)

    async def _transaction(
        self, payload: DuplicateShipmentPayload, key: IdempotencyKey, beats: Heartbeats
    ) -> DuplicateShipmentResult:
        keys = self._database.jobs.idempotency_keys
        async with self._database.write() as connection:
            at = await self._database.clock(connection)
            known = await key.claim(connection, keys, at=at)
            if known is not None:
                return DuplicateShipmentResult.model_validate(known)
            copier = ShipmentCopier(connection, self._catalog, key.tenant, at, payload)
            source = await copier.source()
            await copier.requester()
            beats.stage("source read")
            copies = await self._copy(copier, source, beats)
            beats.stage(f"{len(copies)} copies made")
            entries = [_entry(payload, key, source.pro_number, copy) for copy in copies]
            await write_audit(connection, self._catalog["audit_entries"], key.tenant, entries, at=at)
            result = _result(payload, key, source.pro_number, copies)
            await key.fulfil(connection, keys, result.model_dump(mode="json", by_alias=True))
            beats.stage("committing")
        return result

    async def _copy(self, copier: ShipmentCopier, source: Row[Any], beats: Heartbeats) -> list[Copy]:
        """Number and copy the batch; where a number is taken, the whole batch gets the next ones."""
        form = self._pro_numbers.format_of(copier.tenant.organization_id)
        for _ in range(_NUMBERINGS):
            numbers = await self._numbers(copier, form)
            try:
                async with translated(), copier.connection.begin_nested():
                    return await copier.copy(source, numbers)
            except DataIntegrityError as error:
                if not error.facts.get("unique"):
                    raise
                beats.stage("numbering again")
        raise DataIntegrityError(
            f"{_NUMBERINGS} batches of pro numbers met numbers that exist, or another unique column of the "
            "shipment cannot be copied. Give the organization's pattern more random digits. Nothing was written."
        )

    async def _numbers(self, copier: ShipmentCopier, form: ProNumberFormat) -> list[str]:
        positions = await reserve_sequence(
            copier.connection, self._catalog["sequences"], copier.tenant, count=copier.payload.count, at=copier.at
        )
        return [form.number(position, copier.at) for position in positions]

    async def _after_lost_commit(self, key: IdempotencyKey, error: AmbiguousOutcomeError) -> DuplicateShipmentResult:
        """Read the key on a fresh connection; absent, the next attempt waits for the commit or does the work."""
        async with self._database.read() as connection:
            known = await key.stored(connection, self._database.jobs.idempotency_keys)
        if known is None:
            raise RetryableError("The connection was lost during the commit; the next attempt finds out.") from error
        return DuplicateShipmentResult.model_validate(known)


def _entry(payload: DuplicateShipmentPayload, key: IdempotencyKey, source_number: str, copy: Copy) -> AuditEntry:
    return AuditEntry(
        resource="shipment",
        resource_id=copy.id,
        operation="duplicate",
        user_id=payload.user_id,
        correlation_id=key.workflow_id,
        comment=f"Duplicated from shipment {source_number}",
        current_state={"id": copy.id, "proNumber": copy.pro_number, "bol": copy.bol, "status": "New"},
        metadata={
            "sourceShipmentId": payload.shipment_id,
            "sourceProNumber": source_number,
            "proNumber": copy.pro_number,
        },
    )


def _result(
    payload: DuplicateShipmentPayload, key: IdempotencyKey, source_number: str, copies: list[Copy]
) -> DuplicateShipmentResult:
    times = "once" if len(copies) == 1 else f"{len(copies)} times"
    return DuplicateShipmentResult(
        job_id=key.workflow_id,
        count=len(copies),
        pro_numbers=[copy.pro_number for copy in copies],
        shipment_ids=[copy.id for copy in copies],
        result=f"Shipment {source_number} was duplicated {times}.",
        data={"sourceShipmentId": payload.shipment_id, "sourceProNumber": source_number},
    )
