"""Where a job writes: one transaction, the TMS's tables, one tenant, one time."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._catalog import Catalog
from trenova_activities.database._tenant import Tenant
from trenova_errors import ResourceNotFoundError


@dataclass(frozen=True)
class Scope:
    """What every statement of one transaction of a job is about.

    Attributes:
        connection: The transaction.
        catalog: The TMS's tables.
        tenant: Whose rows; every statement carries it.
        at: The database's time, unix seconds.
    """

    connection: AsyncConnection
    catalog: Catalog
    tenant: Tenant
    at: int

    async def require_user(self, user_id: str) -> None:
        """Make sure that a user belongs to the tenant, where the TMS's users say to which they belong.

        Raises:
            ResourceNotFoundError: The tenant has no such user.
        """
        if self.catalog.owned("users"):
            await self.require("user", "users", user_id)

    async def require(self, what: str, table: str, id_: str) -> None:
        """Make sure that a row is there.

        Raises:
            ResourceNotFoundError: The tenant has no such row.
        """
        rows = self.catalog[table]
        query = select(rows.c.id).where(self.tenant.owns(rows), rows.c.id == id_)
        if (await self.connection.execute(query)).first() is None:
            raise ResourceNotFoundError.of(what, id_)
