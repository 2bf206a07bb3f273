"""What every route works with, and who is asking."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from trenova_access import Access, AuditEvent, NotPermittedError, Principal
from trenova_errors import ResourceNotFoundError
from trenova_workers.pool._desk import Clerk, PoolDesk
from trenova_workers.pool.server._problems import request_id_of
from trenova_workers.pool.server._rates import Kind, Rates
from trenova_workers.pool.server._roles import VIEWER, permits
from trenova_workers.pool.store import PoolStore

_LONGEST_NAME: Final = 180


@dataclass(frozen=True, kw_only=True)
class Api:
    """One application: where it asks, who may call, how often."""

    desk: PoolDesk
    store: PoolStore
    access: Access
    rates: Rates


def api_of(request: Request) -> Api:
    """Return what the application of a request was made with."""
    found: Api = request.app.state.api
    return found


ApiDep = Annotated[Api, Depends(api_of)]


@dataclass(frozen=True)
class Caller:
    """Who asks, in one request."""

    api: Api
    request: Request
    principal: Principal

    @property
    def key(self) -> str:
        """Who asks, apart from all others."""
        return f"{self.principal.method}:{self.principal.subject[:_LONGEST_NAME]}"

    @property
    def clerk(self) -> Clerk:
        """Who orders, for the audit trail."""
        return Clerk(self.principal.subject[:_LONGEST_NAME], "rest", request_id_of(self.request))

    def may(self, role: str, pool: str) -> bool:
        """Whether they have the role on a pool."""
        return permits(self.principal, role, pool)

    def require(self, role: str, pool: str) -> None:
        """Let through whoever has a role on a pool; ``*`` is all pools.

        Raises:
            ResourceNotFoundError: They may not even look at it.
            NotPermittedError: They may look at it and not do this.
        """
        if self.may(role, pool):
            self._told(role, pool)
            return
        self._told(role, pool, "access.not_permitted", "role")
        if pool != "*" and self.principal.grants and not self.may(VIEWER, pool):
            raise ResourceNotFoundError.of("pool", pool)
        raise NotPermittedError(
            f"{self.principal.subject!r} does not have the role {role!r} on {pool!r}. Ask whoever gives out roles.",
            reason="role",
        )

    def require_somewhere(self) -> None:
        """Let through whoever may look at any pool.

        Raises:
            NotPermittedError: They have no role at all.
        """
        if not self.principal.grants:
            self._told(VIEWER, "", "access.not_permitted", "role")
            raise NotPermittedError(
                f"{self.principal.subject!r} has no role here. Ask whoever gives out roles.", reason="role"
            )
        self._told(VIEWER, "")

    def _told(self, role: str, resource: str, outcome: str = "allowed", reason: str = "") -> None:
        who = self.principal
        event = AuditEvent(
            action=role, resource=resource, outcome=outcome, subject=who.subject, method=who.method, reason=reason
        )
        self.api.access.audit(self.request, event)


async def _reading(request: Request, api: ApiDep) -> Caller:
    return await _caller(request, api, "reads")


async def _writing(request: Request, api: ApiDep) -> Caller:
    return await _caller(request, api, "writes")


async def _caller(request: Request, api: Api, kind: Kind) -> Caller:
    caller = Caller(api, request, await api.access.authenticate(request))
    await api.rates.take(caller.key, kind)
    return caller


Reader = Annotated[Caller, Depends(_reading)]
Writer = Annotated[Caller, Depends(_writing)]
