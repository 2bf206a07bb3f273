"""One effect per key: what was asked under it and what came of it, written with the effect itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._tenant import Tenant
from trenova_errors import ConflictError, RetryableError

Result = Mapping[str, Any]


@dataclass(frozen=True)
class IdempotencyKey:
    """What makes two requests the same one.

    Attributes:
        tenant: Keys of different tenants never meet.
        job_type: Nor do those of different jobs.
        key: The caller's key, or the workflow id.
        digest: Fingerprint of the request; another one under the same key is a conflict.
        workflow_id: Who asks; kept for the people who read the table.
    """

    tenant: Tenant
    job_type: str
    key: str
    digest: str
    workflow_id: str

    async def claim(self, connection: AsyncConnection, table: Table, *, at: int) -> Result | None:
        """Take the key inside the transaction of the effect, or return what an earlier request got.

        A claim that is in flight elsewhere is waited for, so there is never a second effect.

        Raises:
            ConflictError: The key belongs to another request.
        """
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        row = {
            **self._columns,
            "digest": self.digest,
            "workflow_id": self.workflow_id,
            "result": {},
            "created_at": at,
        }
        claimed = await connection.execute(insert(table).values(row).on_conflict_do_nothing())
        if claimed.rowcount == 1:
            return None
        known = await self.stored(connection, table)
        if known is None:
            raise RetryableError(f"The idempotency key {self.key!r} was removed at this moment. Nothing was written.")
        return known

    async def fulfil(self, connection: AsyncConnection, table: Table, result: Result) -> None:
        """Keep the result beside the key, in the same transaction."""
        await connection.execute(update(table).where(*self.matches(table)).values(result=dict(result)))

    async def stored(self, connection: AsyncConnection, table: Table) -> Result | None:
        """Return the result kept under the key; None if the key is free.

        Raises:
            ConflictError: The key belongs to another request.
        """
        query = select(table.c.digest, table.c.workflow_id, table.c.result).where(*self.matches(table))
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.digest != self.digest:
            raise ConflictError(
                f"The idempotency key {self.key!r} was already used for another request "
                f"(workflow {row.workflow_id!r}). Use a new key, or repeat the request unchanged.",
                workflow_id=row.workflow_id,
            )
        result: Result = row.result
        return result

    @property
    def _columns(self) -> dict[str, str]:
        return {**self.tenant.values, "job_type": self.job_type, "key": self.key}

    def matches(self, table: Table) -> list[Any]:
        """Return the conditions that a row is this key's."""
        return [table.c[name] == value for name, value in self._columns.items()]
