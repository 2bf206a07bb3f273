"""Everybody may do everything: for trying things out, on loopback only."""

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
        role: The role that everybody has, everywhere.
        audit: As for :class:`Access`.
    """

    def __init__(self, options: AccessOptions, roles: Roles, *, role: str, audit: AuditHook | None = None) -> None:
        super().__init__(options, roles, audit=audit)
        self._role = role

    async def authenticate(self, connection: HTTPConnection) -> Principal:
        """Return somebody who has not signed in and may do everything."""
        del connection
        grants = frozenset({Grant(resource=EVERYWHERE, role=self._role)})
        return Principal(subject="nobody signed in", method="session", grants=grants)
