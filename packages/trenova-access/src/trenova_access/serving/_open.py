"""Everybody may do everything: for trying things out, on loopback only."""

from collections.abc import Collection

from starlette.requests import HTTPConnection

from trenova_access._access import Access
from trenova_access._audit import AuditHook
from trenova_access._options import AccessOptions
from trenova_access._principal import EVERYWHERE, Grant, Principal, Roles


class OpenAccess(Access):
    """Asks nobody who they are. Host and Origin are looked at as ever, so that no page of another site gets in.

    Args:
        options: As for :class:`Access`.
        roles: As for :class:`Access`.
        have: The roles that everybody has, everywhere.
        audit: As for :class:`Access`.
    """

    def __init__(
        self, options: AccessOptions, roles: Roles, *, have: Collection[str], audit: AuditHook | None = None
    ) -> None:
        super().__init__(options, roles, audit=audit)
        self._grants = frozenset(Grant(resource=EVERYWHERE, role=role) for role in have)

    async def authenticate(self, connection: HTTPConnection) -> Principal:
        """Return somebody who has not signed in and may do everything."""
        del connection
        return Principal(subject="nobody signed in", method="session", grants=self._grants)
