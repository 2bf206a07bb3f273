"""The tenant that every statement of a job carries."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_


@dataclass(frozen=True)
class Tenant:
    """One business unit of one organization."""

    organization_id: str
    business_unit_id: str

    @property
    def values(self) -> dict[str, str]:
        """Both ids as columns of a row."""
        return {"organization_id": self.organization_id, "business_unit_id": self.business_unit_id}

    def owns(self, table: FromClause) -> ColumnElement[bool]:
        """Return the condition that a row of the table is this tenant's."""
        return and_(
            table.c.organization_id == self.organization_id,
            table.c.business_unit_id == self.business_unit_id,
        )
