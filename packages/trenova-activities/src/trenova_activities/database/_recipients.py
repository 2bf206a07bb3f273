"""Which users a notification is for, and where their mail goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.channels._options import RoleMembers
from trenova_activities.database._catalog import TENANT, Catalog
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConfigurationError


@dataclass(frozen=True)
class Recipients:
    """Users to tell one by one.

    Attributes:
        users: Their ids; none where a role is told whose users are not known.
        left_out: Further users of the role.
    """

    users: Sequence[str]
    left_out: int = 0


class Directory:
    """The TMS's users, as far as it lets us know them.

    Args:
        catalog: Holds ``users`` and the table of roles.
        roles: Where users of a role are; None where that is not known.
    """

    def __init__(self, catalog: Catalog, roles: RoleMembers | None) -> None:
        self._catalog = catalog
        self._roles = roles

    def check(self) -> None:
        """Refuse settings that name what the database does not have.

        Raises:
            ConfigurationError: With what is missing.
        """
        roles = self._roles
        if roles is None:
            return
        missing = [name for name in (roles.user_column, roles.role_column) if not self._catalog.has(roles.table, name)]
        if roles.table not in self._catalog:
            raise ConfigurationError(f"channels.roles names the table {roles.table!r}, which is not there.")
        if missing:
            raise ConfigurationError(
                f"channels.roles names columns that {roles.table!r} does not have: {', '.join(missing)}."
            )

    async def recipients(self, connection: AsyncConnection, tenant: Tenant, target: str) -> Recipients:
        """Return the users of a target, ``user/<id>`` or ``role/<name>``."""
        kind, _, name = target.partition("/")
        if kind == "user":
            return Recipients([name])
        roles = self._roles
        if roles is None:
            return Recipients([])
        table = self._catalog[roles.table]
        user = table.c[roles.user_column]
        mine = [table.c[key] == tenant.values[key] for key in TENANT if key in table.c]
        members = select(user).where(table.c[roles.role_column] == name, *mine, user.is_not(None)).distinct()
        if self._catalog.owned("users"):
            members = members.where(user.in_(self._active(tenant, "id")))
        found = list((await connection.execute(members.order_by(user).limit(roles.most + 1))).scalars())
        if len(found) <= roles.most:
            return Recipients([str(one) for one in found])
        total = (await connection.execute(select(func.count()).select_from(members.subquery()))).scalar_one()
        return Recipients([str(one) for one in found[: roles.most]], int(total) - roles.most)

    async def with_mail(self, connection: AsyncConnection, tenant: Tenant, users: Sequence[str]) -> set[str]:
        """Return those of the users who have a mail address and are active."""
        if not (self._catalog.owned("users") and self._catalog.has("users", "email_address")):
            return set()
        table = self._catalog["users"]
        query = self._active(tenant, "id").where(table.c.id.in_(users), table.c.email_address != "")
        return {str(one) for one in (await connection.execute(query)).scalars()}

    async def address(self, connection: AsyncConnection, tenant: Tenant, user_id: str) -> str | None:
        """Return a user's mail address as it is now; None where there is none any more."""
        if not (self._catalog.owned("users") and self._catalog.has("users", "email_address")):
            return None
        query = self._active(tenant, "email_address").where(self._catalog["users"].c.id == user_id)
        found = (await connection.execute(query)).scalar_one_or_none()
        return str(found) if found else None

    def _active(self, tenant: Tenant, column: str) -> Select[Any]:
        table = self._catalog["users"]
        only: list[ColumnElement[bool]] = [tenant.owns(table)]
        if "status" in table.c:
            only.append(table.c.status == "Active")
        return select(table.c[column]).where(*only)
