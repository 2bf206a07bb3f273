"""From the claims of a token to grants, as data."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trenova_access._principal import EVERYWHERE, Grant


class _Claim(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str = Field(min_length=1)


class PermissionClaim(_Claim):
    """A claim that lists ``resource:role``, as Temporal's own ``permissions`` claim does.

    Attributes:
        claim: Its name; dots lead into nested claims unless a claim has the whole name. Its value is a list
            of strings, or one string of words.
        roles: The word after the separator, and the role that it gives. Other words give nothing.
        separator: Between resource and word; the last one counts.
        resources: Renames resources before they count. Only this can make a grant hold everywhere, as in
            ``{"temporal-system": "*"}``.
    """

    roles: Mapping[str, str] = Field(min_length=1)
    separator: str = Field(default=":", min_length=1)
    resources: Mapping[str, str] = Field(default_factory=dict)

    @property
    def roles_named(self) -> set[str]:
        """The roles that this claim can give."""
        return set(self.roles.values())

    def grants(self, claims: Mapping[str, Any]) -> Iterator[Grant]:
        """What the claims of one token give."""
        for word in (word for value in _values(claims, self.claim) for word in value.split()):
            resource, found, role = word.rpartition(self.separator)
            if not found or not resource or role not in self.roles:
                continue
            if resource in self.resources:
                yield Grant(resource=self.resources[resource], role=self.roles[role])
            elif resource != EVERYWHERE:
                yield Grant(resource=resource, role=self.roles[role])


class ValueClaim(_Claim):
    """A claim whose whole values stand for grants, such as the groups of a directory.

    Attributes:
        claim: Its name, as in :class:`PermissionClaim`.
        values: A value of the claim, and what it gives.
    """

    values: Mapping[str, tuple[Grant, ...]] = Field(min_length=1)

    @property
    def roles_named(self) -> set[str]:
        """The roles that this claim can give."""
        return {grant.role for grants in self.values.values() for grant in grants}

    def grants(self, claims: Mapping[str, Any]) -> Iterator[Grant]:
        """What the claims of one token give."""
        for value in _values(claims, self.claim):
            yield from self.values.get(value, ())


def _values(claims: Mapping[str, Any], name: str) -> list[str]:
    value = _find(claims, name)
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _find(claims: Mapping[str, Any], name: str) -> object:
    if name in claims:
        return claims[name]
    first, dot, rest = name.partition(".")
    inner = claims.get(first)
    return _find(inner, rest) if dot and isinstance(inner, dict) else None
