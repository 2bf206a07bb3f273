"""Who asks, and what they may do where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from trenova_access._errors import AccessConfigurationError

EVERYWHERE: Final = "*"
"""The resource of a grant that holds for every resource. A token's claim never means it by itself."""

Method = Literal["token", "session", "key", "api_token", "oidc"]
"""How somebody proved who they are: a JWT, the cookie of a sign-in on this machine, the server's own key for local
programs, a token of which the server knows the digest, or the cookie of a sign-in at an OpenID Connect provider."""


class Grant(BaseModel):
    """One role on one resource (a namespace, for the codec server), or :data:`EVERYWHERE`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource: str = Field(min_length=1)
    """What the role is for, such as a namespace; ``*`` is every resource."""
    role: str = Field(min_length=1)
    """What may be done there: the name of a role of the server, such as ``reader`` or ``operator``."""


@dataclass(frozen=True)
class Principal:
    """Somebody who proved who they are.

    Attributes:
        subject: The name that audit lines carry.
        method: How they proved it.
        grants: What they may do where.
    """

    subject: str
    method: Method
    grants: frozenset[Grant] = frozenset()


class Roles:
    """The roles that one server knows, and which others each includes.

    ``Roles({"viewer": (), "operator": ["viewer"], "admin": ["operator"]})``; inclusion goes on through roles
    that are included.

    Raises:
        AccessConfigurationError: A role includes one that is not listed.
    """

    def __init__(self, includes: Mapping[str, Iterable[str]]) -> None:
        direct = {role: set(included) for role, included in includes.items()}
        for role, included in direct.items():
            if missing := sorted(included - direct.keys()):
                raise AccessConfigurationError(
                    f"Role {role!r} includes {missing[0]!r}, which is no role; there are {', '.join(sorted(direct))}."
                )
        self._covered = {role: _closure(role, direct) for role in direct}

    def __contains__(self, role: object) -> bool:
        return role in self._covered

    @property
    def names(self) -> list[str]:
        """Every role, sorted."""
        return sorted(self._covered)

    def permits(self, principal: Principal, resource: str, role: str) -> bool:
        """Whether one of the principal's grants on ``resource``, or everywhere, is or includes ``role``."""
        return any(
            grant.resource in (resource, EVERYWHERE) and role in self._covered.get(grant.role, ())
            for grant in principal.grants
        )


def _closure(role: str, direct: Mapping[str, set[str]]) -> frozenset[str]:
    covered, waiting = set[str](), [role]
    while waiting:
        one = waiting.pop()
        if one not in covered:
            covered.add(one)
            waiting.extend(direct[one])
    return frozenset(covered)
