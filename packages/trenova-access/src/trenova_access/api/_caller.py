"""Who asks, in one request."""

from dataclasses import dataclass
from typing import Final, Generic, Protocol, Self, TypeVar

from fastapi import Request

from trenova_access._access import Access
from trenova_access._audit import AuditEvent
from trenova_access._errors import NotPermittedError
from trenova_access._principal import Principal
from trenova_access.api._rates import Kind, Rates

LONGEST_NAME: Final = 180
"""Characters of a name in an audit trail."""


class GuardedApi(Protocol):
    """What an application was made with: who may call it, and how often."""

    @property
    def access(self) -> Access:
        """Who may call it."""

    @property
    def rates(self) -> Rates:
        """How often."""


ApiT = TypeVar("ApiT", bound=GuardedApi)


@dataclass(frozen=True)
class ApiCaller(Generic[ApiT]):
    """Who asks; an application adds what they may do.

    Attributes:
        api: Of whom.
        request: The request.
        principal: Who.
    """

    api: ApiT
    request: Request
    principal: Principal

    @classmethod
    async def of(cls, request: Request, api: ApiT, kind: Kind) -> Self:
        """Find out who asks, and count the request.

        Raises:
            AccessError: Nothing proves who it is.
            ThrottledError: They have asked too often.
        """
        caller = cls(api, request, await api.access.authenticate(request))
        await api.rates.take(caller.key, kind)
        return caller

    @property
    def name(self) -> str:
        """The name that entries of the audit trail carry, at most 180 characters."""
        return self.principal.subject[:LONGEST_NAME]

    @property
    def key(self) -> str:
        """Who asks, apart from all others."""
        return f"{self.principal.method}:{self.name}"

    def told(self, role: str, resource: str, outcome: str = "allowed", reason: str = "") -> None:
        """Tell the audit hook what was decided about a role on a resource."""
        who = self.principal
        event = AuditEvent(
            action=role, resource=resource, outcome=outcome, subject=who.subject, method=who.method, reason=reason
        )
        self.api.access.audit(self.request, event)

    def refused(self, role: str, resource: str) -> NotPermittedError:
        """Tell the audit hook that they lack a role, and return what to raise."""
        self.told(role, resource, NotPermittedError.code, "role")
        return NotPermittedError(
            f"{self.principal.subject!r} does not have the role {role!r} on {resource!r}. Ask whoever gives out roles.",
            reason="role",
        )
