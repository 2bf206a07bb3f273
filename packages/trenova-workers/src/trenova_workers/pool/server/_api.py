"""What every route works with, and who is asking."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from trenova_access import Access, NotPermittedError
from trenova_access.api import LONGEST_NAME, ApiCaller, Rates, request_id_of
from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_workers.pool._desk import Clerk, PoolDesk
from trenova_workers.pool.server._roles import DELEGATE, VIEWER, permits
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
OnBehalfOf = Annotated[
    str | None,
    Header(description="Who orders, where a program with the role delegate asks for a person: percent-encoded UTF-8."),
]


@dataclass(frozen=True)
class Caller(ApiCaller[Api]):
    """Who asks, in one request.

    Attributes:
        on_behalf_of: The person for whom a program orders; empty where it does so for itself.
    """

    on_behalf_of: str = ""

    @property
    def clerk(self) -> Clerk:
        """Who orders, for the audit trail."""
        request_id = request_id_of(self.request)
        if self.on_behalf_of:
            return Clerk(self.on_behalf_of, "rest", request_id, through=self.name)
        return Clerk(self.name, "rest", request_id)

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


async def _writing(request: Request, api: ApiDep, on_behalf_of: OnBehalfOf = None) -> Caller:
    caller = await Caller.of(request, api, "writes")
    if on_behalf_of is None:
        return caller
    if not any(grant.role == DELEGATE for grant in caller.principal.grants):
        raise caller.refused(DELEGATE, "On-Behalf-Of")
    return replace(caller, on_behalf_of=_name(on_behalf_of))


def _name(told: str) -> str:
    """Read a name that is percent-encoded UTF-8, since headers have no other letters than Latin ones."""
    name = unquote(told).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(
            f"On-Behalf-Of has to be a name of 1 to {LONGEST_NAME} printable characters, percent-encoded UTF-8; it "
            f"has {len(name)} characters. Nothing was changed."
        )
    return name


Reader = Annotated[Caller, Depends(_reading)]
Writer = Annotated[Caller, Depends(_writing)]
