"""Everybody may do everything: for trying things out, on loopback only."""

from starlette.requests import HTTPConnection

from trenova_access import EVERYWHERE, Access, Grant, Principal
from trenova_workers.pool.server._roles import ADMIN, DELEGATE


class OpenAccess(Access):
    """Asks nobody who they are. Host and Origin are looked at as ever, so that no page of another site gets in."""

    async def authenticate(self, connection: HTTPConnection) -> Principal:
        """Return somebody who has not signed in and may do everything."""
        del connection
        grants = frozenset(Grant(resource=EVERYWHERE, role=role) for role in (ADMIN, DELEGATE))
        return Principal(subject="nobody signed in", method="session", grants=grants)
