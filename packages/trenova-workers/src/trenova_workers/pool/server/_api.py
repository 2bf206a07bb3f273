"""What every route works with, and who is asking."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from trenova_access import Access, NotPermittedError
from trenova_access.api import ApiCaller, Rates, request_id_of
from trenova_errors import ResourceNotFoundError
from trenova_workers.pool._desk import Clerk, PoolDesk
from trenova_workers.pool.server._roles import VIEWER, permits
from trenova_workers.pool.store import PoolStore


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
class Caller(ApiCaller[Api]):
    """Who asks, in one request."""

    @property
    def clerk(self) -> Clerk:
        """Who orders, for the audit trail."""
        return Clerk(self.name, "rest", request_id_of(self.request))

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
            self.told(role, pool)
            return
        refused = self.refused(role, pool)
        if pool != "*" and self.principal.grants and not self.may(VIEWER, pool):
            raise ResourceNotFoundError.of("pool", pool)
        raise refused

    def require_somewhere(self) -> None:
        """Let through whoever may look at any pool.

        Raises:
            NotPermittedError: They have no role at all.
        """
        if not self.principal.grants:
            self.told(VIEWER, "", NotPermittedError.code, "role")
            raise NotPermittedError(
                f"{self.principal.subject!r} has no role here. Ask whoever gives out roles.", reason="role"
            )
        self.told(VIEWER, "")


async def _reading(request: Request, api: ApiDep) -> Caller:
    return await Caller.of(request, api, "reads")


async def _writing(request: Request, api: ApiDep) -> Caller:
    return await Caller.of(request, api, "writes")


Reader = Annotated[Caller, Depends(_reading)]
Writer = Annotated[Caller, Depends(_writing)]
