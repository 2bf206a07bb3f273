"""Where each delivery stands: written before a message leaves and after it was taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._delivery_contract import PlannedDelivery, RedeliverPayload
from trenova_activities.channels._message import Message
from trenova_activities.database._delivery_plan import planned
from trenova_activities.database._engine import Database
from trenova_activities.database._tenant import Tenant
from trenova_errors import ApplicationError, ConflictError, ErrorKind, ResourceNotFoundError

_CODE: Final = 100
_RECEIPT: Final = 200


@dataclass(frozen=True)
class Begun:
    """An attempt that is on record before anything is sent.

    Attributes:
        message: What to send.
        target: To whom.
        attempt: Its number, over all runs.
        receipt: Set if the message has been taken already: nothing must be sent.
    """

    message: Message
    target: str
    attempt: int
    receipt: str | None = None


class Deliveries:
    """Deliveries of one tenant.

    Args:
        database: The TMS's database.
        tenant: Whose.
    """

    def __init__(self, database: Database, tenant: Tenant) -> None:
        self._database = database
        self._tenant = tenant
        self._table = database.jobs.channel_deliveries

    async def begin(self, key: str) -> Begun:
        """Record that an attempt begins; one that another left unfinished is ambiguous from now on.

        Raises:
            ResourceNotFoundError: There is no such delivery.
            ConflictError: It was given up.
        """
        async with self._database.write() as connection:
            row = await self._locked(connection, key)
            message = Message.model_validate(row.message)
            if row.state == "delivered":
                return Begun(message, row.target, row.attempts, row.receipt or "")
            if row.state == "dead":
                raise ConflictError("The delivery was given up. 'notifications redeliver' reopens it.")
            changes = {"state": "sending", "attempts": row.attempts + 1}
            if row.state == "sending":
                changes["ambiguous"] = True
            await self._change(connection, key, changes)
        return Begun(message, row.target, row.attempts + 1)

    async def taken(self, key: str, receipt: str) -> None:
        """Record that the other side has it; true whatever has been recorded meanwhile."""
        async with self._database.write(paced=True) as connection:
            at = await self._database.clock(connection)
            changes = {"state": "delivered", "receipt": receipt[:_RECEIPT], "delivered_at": at, "last_error": None}
            await self._change(connection, key, changes)

    async def failed(self, key: str, attempt: int, error: ApplicationError) -> None:
        """Record what an attempt failed with, unless a later one has begun or it was taken after all."""
        doubtful = error.kind is ErrorKind.AMBIGUOUS
        changes: dict[str, Any] = {"state": "ambiguous" if doubtful else "failed", "last_error": error.code[:_CODE]}
        if doubtful:
            changes["ambiguous"] = True
        table = self._table
        async with self._database.write(paced=True) as connection:
            await self._change(connection, key, changes, table.c.attempts == attempt, table.c.state == "sending")

    async def bury(self, key: str, error_code: str) -> Row[Any]:
        """Record that it is given up, unless it was taken; return the row as it is then."""
        async with self._database.write() as connection:
            row = await self._locked(connection, key)
            if row.state == "delivered":
                return row
            changes: dict[str, Any] = {"state": "dead", "last_error": error_code[:_CODE] or row.last_error}
            if row.state == "sending":
                changes["ambiguous"] = True
            await self._change(connection, key, changes)
            return await self._locked(connection, key)

    async def reopen(self, payload: RedeliverPayload, run_id: str) -> PlannedDelivery:
        """Record who wants it tried again and make it ready, once per run.

        Raises:
            ResourceNotFoundError: There is no such delivery.
            ConflictError: It was not given up.
        """
        async with self._database.write() as connection:
            row = await self._locked(connection, payload.key)
            delivery = planned(row)
            if row.state == "delivered":
                return delivery.model_copy(update={"state": "delivered"})
            if not await self._noted(connection, payload, row.state, run_id):
                return delivery
            if row.state != "dead" and not payload.force:
                raise ConflictError(
                    f"The delivery is {row.state}, not given up: the run {row.workflow_id!r} is still at it. Wait for "
                    "it, or end that run and force the redelivery.",
                    state=row.state,
                )
            doubtful = row.ambiguous or row.state == "sending"
            await self._change(connection, payload.key, {"state": "pending", "ambiguous": doubtful})
            return delivery

    async def _noted(self, connection: AsyncConnection, payload: RedeliverPayload, state: str, run_id: str) -> bool:
        insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        row = {
            **self._tenant.values,
            "key": payload.key,
            "run_id": run_id,
            "action": "redeliver",
            "requested_by": payload.requested_by,
            "reason": payload.reason,
            "state_before": state,
            "at": await self._database.clock(connection),
        }
        statement = insert_into(self._database.jobs.delivery_actions).values(row).on_conflict_do_nothing()
        return (await connection.execute(statement)).rowcount == 1

    async def _locked(self, connection: AsyncConnection, key: str) -> Row[Any]:
        query = select(self._table).where(self._tenant.owns(self._table), self._table.c.key == key).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise ResourceNotFoundError.of("delivery", key, organization_id=self._tenant.organization_id)
        return row

    async def _change(self, connection: AsyncConnection, key: str, changes: dict[str, Any], *only: Any) -> None:
        at = await self._database.clock(connection)
        mine = (self._tenant.owns(self._table), self._table.c.key == key, *only)
        await connection.execute(update(self._table).where(*mine).values(**changes, updated_at=at))


async def list_deliveries(
    database: Database, *, states: Sequence[str] = (), organization_id: str | None = None, limit: int = 50
) -> list[Row[Any]]:
    """Return deliveries of any tenant, the last changed first; every state if none is named."""
    table = database.jobs.channel_deliveries
    query = select(table).order_by(table.c.updated_at.desc(), table.c.key).limit(limit)
    if states:
        query = query.where(table.c.state.in_(states))
    if organization_id is not None:
        query = query.where(table.c.organization_id == organization_id)
    async with database.read() as connection:
        return list(await connection.execute(query))


async def find_delivery(database: Database, key: str) -> tuple[Row[Any], list[Row[Any]]]:
    """Return a delivery by the beginning of its key, and who had it tried again, the oldest first.

    Raises:
        ResourceNotFoundError: No key begins so.
        ConflictError: Several do.
    """
    table, actions = database.jobs.channel_deliveries, database.jobs.delivery_actions
    query = select(table).where(table.c.key.startswith(key, autoescape=True)).limit(2)
    async with database.read() as connection:
        found = (await connection.execute(query)).all()
        if not found:
            raise ResourceNotFoundError.of("delivery", key)
        if len(found) > 1:
            raise ConflictError(f"Several deliveries begin with {key!r}. Give more of the key.")
        tenant = Tenant(found[0].organization_id, found[0].business_unit_id)
        asked = select(actions).where(tenant.owns(actions), actions.c.key == found[0].key).order_by(actions.c.at)
        return found[0], list(await connection.execute(asked))
