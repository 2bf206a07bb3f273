"""Which role of an organization is told when a run that nobody asked for fails."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Role = Annotated[str, Field(min_length=1, max_length=100)]


class NotifyRoles(BaseModel):
    """Roles as the TMS knows them.

    Attributes:
        default: The role of an organization that is not named below.
        organizations: Roles by organization id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Role = "admin"
    organizations: Mapping[str, Role] = Field(default_factory=dict)

    def role_of(self, organization_id: str) -> str:
        """Return the role to tell."""
        return self.organizations.get(organization_id, self.default)
