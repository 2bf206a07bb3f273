"""The rule of the nightly cancellation: which shipments are stale, and what canceling one means."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    Tuple,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._names import CANCEL_SHIPMENTS_JOB
from trenova_activities.database._any_of import any_of
from trenova_activities.database._audit import AuditEntry, write_audit
from trenova_activities.database._catalog import Catalog, label
from trenova_activities.database._nightly_job import (
    DAY_S,
    MOST_SAMPLES,
    MOST_SECONDS,
    Batch,
    Cutoff,
    Position,
    RunFacts,
    Skip,
    ids_digest,
)
from trenova_activities.database._system_user import SystemUser
from trenova_activities.database._tenant import Tenant

REASON: Final = "Automatically canceled by shipment control settings"
_ENABLED: Final = "auto_cancel_shipments"
_THRESHOLD: Final = "auto_cancel_shipments_threshold"
_LEAST_DAYS: Final = 1
_MOST_DAYS: Final = 90
_CANCELED: Final = "Canceled"
_FINAL: Final = ("Completed", _CANCELED)


class Cancellation:
    """Cancels New shipments at least as old as their tenant's threshold; the engine's ``NightlyJob``.

    Args:
        catalog: The TMS's tables, checked for what ``cancel_shipments`` needs.
    """

    job_type = CANCEL_SHIPMENTS_JOB
    unwanted = f"shipment_controls.{_ENABLED} is not true."

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._shipments = catalog["shipments"]
        self._system_user = SystemUser(catalog)
        self.settings_table: Table = catalog["shipment_controls"]
        self.changed_table: Table = self._shipments

    async def begin(self, connection: AsyncConnection) -> None:
        """Nothing to look for: what the job needs was checked when the worker started."""

    def wanted(self) -> ColumnElement[bool]:
        """Return the condition that a tenant has switched the cancellation on."""
        return self.settings_table.c[_ENABLED].is_(true())

    def rule(self, row: Row[Any], as_of: int) -> Skip | Cutoff:
        """Take a threshold of 1 to 90 whole days, and nothing else."""
        days = getattr(row, _THRESHOLD)
        if type(days) is not int or not _LEAST_DAYS <= days <= _MOST_DAYS:
            return Skip(
                f"shipment_controls.{_THRESHOLD} is {'NULL' if days is None else repr(days)}; it must be a whole "
                f"number of days from {_LEAST_DAYS} to {_MOST_DAYS}.",
                setting=str(days),
            )
        return Cutoff(as_of - days * DAY_S, setting=str(days))

    def meant(self, tenant: Tenant, cutoff: int) -> tuple[ColumnElement[int], Sequence[ColumnElement[bool]]]:
        """Return the time of a shipment, and what makes it stale."""
        return self._shipments.c.created_at, [self._stale(tenant, cutoff)]

    async def eligible(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:
        """Count the stale shipments."""
        query = select(func.count()).select_from(self._shipments).where(self._stale(tenant, cutoff))
        return int((await connection.execute(query)).scalar_one())

    def due(self, tenant: Tenant, cutoff: int) -> Select[tuple[int]]:
        """Return the query for the times of the stale shipments, oldest first."""
        table = self._shipments
        return select(table.c.created_at).where(self._stale(tenant, cutoff)).order_by(table.c.created_at, table.c.id)

    async def samples(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> list[str]:
        """Return the pro numbers of the oldest stale shipments."""
        table = self._shipments
        query = select(table.c.pro_number).where(self._stale(tenant, cutoff)).order_by(table.c.created_at, table.c.id)
        return list((await connection.execute(query.limit(MOST_SAMPLES))).scalars())

    async def odd(self, connection: AsyncConnection, tenant: Tenant) -> int:
        """Count the New shipments of which nobody can say how old they are."""
        created_at = self._shipments.c.created_at
        odd = or_(created_at.is_(None), created_at < 0, created_at > MOST_SECONDS)
        query = select(func.count()).select_from(self._shipments).where(self._new(tenant), odd)
        return int((await connection.execute(query)).scalar_one())

    async def held(self, connection: AsyncConnection, tenant: Tenant, cutoff: int) -> int:  # noqa: ARG002
        """Nothing holds a shipment back."""
        return 0

    async def batch(
        self,
        connection: AsyncConnection,
        tenant: Tenant,
        cutoff: int,
        *,
        after: Position | None,
        limit: int,
        run: RunFacts,
        at: int,
    ) -> Batch:
        """Cancel the next stale shipments with everything below them, and write an audit entry for each."""
        cutoff = min(cutoff, run.as_of - DAY_S)
        seen = await self._candidates(connection, tenant, cutoff, after, limit)
        changed = await self._cancel(connection, tenant, cutoff, [position.id for position in seen], at)
        ids = [row.id for row in changed]
        await self._cancel_below(connection, tenant, ids, at)
        author = await self._system_user.author(connection, changed[0].canceled_by_id if changed else None)
        entries = [_entry(row, run, author, at) for row in changed]
        await write_audit(connection, self._catalog["audit_entries"], tenant, entries, at=at)
        order = sorted(Position(row.created_at, row.id) for row in changed)
        return Batch(
            rows=len(ids),
            first=order[0] if order else None,
            last=order[-1] if order else None,
            digest=ids_digest(ids),
            cursor=seen[-1] if seen else None,
            exhausted=len(seen) < limit,
            samples=[row.pro_number for row in sorted(changed, key=lambda row: (row.created_at, row.id))][
                :MOST_SAMPLES
            ],
            seen=len(seen),
        )

    async def _candidates(
        self, connection: AsyncConnection, tenant: Tenant, cutoff: int, after: Position | None, limit: int
    ) -> list[Position]:
        table = self._shipments
        query = select(table.c.created_at, table.c.id).where(self._stale(tenant, cutoff))
        if after is not None:
            query = query.where(tuple_(table.c.created_at, table.c.id) > _typed(after))
        rows = await connection.execute(query.order_by(table.c.created_at, table.c.id).limit(limit))
        return [Position(row.created_at, row.id) for row in rows]

    async def _cancel(
        self,
        connection: AsyncConnection,
        tenant: Tenant,
        cutoff: int,
        ids: Sequence[str],
        at: int,
    ) -> Sequence[Row[Any]]:
        """Lock the candidates in the order of their ids, and cancel those that are still stale then."""
        if not ids:
            return []
        table, stale = self._shipments, self._stale(tenant, cutoff)
        locked = select(table.c.id).where(stale, any_of(connection, table.c.id, ids)).order_by(table.c.id)
        changes = {
            **self._changes(table, at),
            "canceled_at": at,
            "canceled_by_id": self._system_user.of(tenant),
            "cancel_reason": REASON,
        }
        cancel = update(table).where(stale, await self._held(connection, locked)).values(changes)
        returned = (table.c.id, table.c.pro_number, table.c.created_at, table.c.canceled_by_id)
        return (await connection.execute(cancel.returning(*returned))).all()

    async def _held(self, connection: AsyncConnection, locked: Select[str]) -> ColumnElement[bool]:
        """Return the condition that a shipment is one of those that the query locks.

        On PostgreSQL the query is part of the statement that has the condition. As the only part of an array it is
        answered in full before the first row is looked at.
        """
        id_ = self._shipments.c.id
        if connection.dialect.name == "postgresql":
            held = locked.with_for_update().cte("held")
            return id_ == any_(func.array(select(held.c.id).scalar_subquery(), type_=ARRAY(id_.type)))
        return id_.in_(list((await connection.execute(locked)).scalars()))

    async def _cancel_below(self, connection: AsyncConnection, tenant: Tenant, ids: Sequence[str], at: int) -> None:
        """Cancel moves, stops and assignments, but what is completed stays so."""
        if not ids:
            return
        moves = await self._cancel_moves(connection, tenant, ids, at)
        if not moves:
            return
        for name in ("stops", "assignments"):
            table = self._catalog[name]
            below = any_of(connection, table.c.shipment_move_id, moves)
            await connection.execute(self._cancel_open(table, tenant, at).where(below))

    async def _cancel_moves(
        self, connection: AsyncConnection, tenant: Tenant, ids: Sequence[str], at: int
    ) -> Sequence[str]:
        """Cancel the open moves of shipments, and return the ids of all.

        What is below them is then looked up by ids. A planner that is left to join it with the moves takes them for few
        (tenant and shipment seem to be independent), and compares every stop of the tenant with every move.
        """
        moves = self._catalog["shipment_moves"]
        mine = any_of(connection, moves.c.shipment_id, ids)
        cancel = self._cancel_open(moves, tenant, at).where(mine)
        every = select(moves.c.id).where(tenant.owns(moves), mine)
        if connection.dialect.name == "postgresql":  # one statement: both parts see the moves as they were before it
            return (await connection.execute(every.add_cte(cancel.cte("canceled")))).scalars().all()
        await connection.execute(cancel)
        return (await connection.execute(every)).scalars().all()

    def _cancel_open(self, table: Table, tenant: Tenant, at: int) -> Any:
        final = [label(table.c.status, status) for status in _FINAL]
        return update(table).where(tenant.owns(table), table.c.status.not_in(final)).values(self._changes(table, at))

    def _changes(self, table: Table, at: int) -> dict[str, Any]:
        changes: dict[str, Any] = {"status": label(table.c.status, _CANCELED)}
        if "version" in table.c:
            changes["version"] = table.c.version + 1
        if "updated_at" in table.c:
            changes["updated_at"] = at
        return changes

    def _new(self, tenant: Tenant) -> ColumnElement[bool]:
        status = self._shipments.c.status
        return and_(tenant.owns(self._shipments), status == label(status, "New"))

    def _stale(self, tenant: Tenant, cutoff: int) -> ColumnElement[bool]:
        created_at = self._shipments.c.created_at
        return and_(self._new(tenant), created_at >= 0, created_at <= cutoff)


def _typed(position: Position) -> Tuple:
    return tuple_(literal(position.at, BigInteger), literal(position.id, String))


def _entry(row: Row[Any], run: RunFacts, author: str | None, at: int) -> AuditEntry:
    return AuditEntry(
        resource="shipment",
        resource_id=row.id,
        operation="cancel",
        user_id=author,
        correlation_id=run.workflow_id,
        comment=REASON,
        previous_state={"id": row.id, "proNumber": row.pro_number, "status": "New"},
        current_state={
            "id": row.id,
            "proNumber": row.pro_number,
            "status": _CANCELED,
            "canceledAt": at,
            "cancelReason": REASON,
        },
        metadata={"jobType": run.job_type, "runId": run.run_id, "createdAt": row.created_at},
    )
