"""The user in whose name the system itself acts."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._catalog import Catalog
from trenova_activities.database._tenant import Tenant

SYSTEM_EMAIL: Final = "system@trenova.app"


class SystemUser:
    """Looks the system user up; a TMS without one, or without users at all, has none.

    Args:
        catalog: The TMS's tables; ``users`` may be absent, ``audit_entries`` not.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known = catalog.has("users", "email_address")

    def of(self, tenant: Tenant) -> ColumnElement[Any]:
        """Return an expression for the id of the tenant's own system user: NULL if there is none."""
        if not self._known:
            return null()
        return self._query().where(tenant.owns(self._catalog["users"])).scalar_subquery()

    async def author(self, connection: AsyncConnection, tenants_own: str | None) -> str | None:
        """Return what an audit entry of the system carries as its user.

        A log that knows principals has none. One that demands a user gets the tenant's own, or else the only one
        that there is, since addresses are unique in the whole TMS.
        """
        user_id = self._catalog["audit_entries"].c.user_id
        if user_id.nullable:
            return None if self._catalog.has("audit_entries", "principal_type") else tenants_own
        return tenants_own or await self._anybodys(connection)

    async def lacks(self, connection: AsyncConnection) -> list[str]:
        """Return what keeps the system from writing audit entries; nothing if it can."""
        if not self._catalog.has("audit_entries", "user_id") or self._catalog["audit_entries"].c.user_id.nullable:
            return []
        if await self._anybodys(connection) is not None:
            return []
        return [f"audit_entries.user_id is NOT NULL and there is no user {SYSTEM_EMAIL!r} to write in the name of"]

    async def _anybodys(self, connection: AsyncConnection) -> str | None:
        return (await connection.execute(self._query())).scalars().first() if self._known else None

    def _query(self) -> Select[str]:
        users = self._catalog["users"]
        return select(users.c.id).where(users.c.email_address == SYSTEM_EMAIL).order_by(users.c.id).limit(1)
