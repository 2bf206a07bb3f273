"""Business units, organizations, users and what shipments refer to."""

import sqlalchemy as sa
from alembic import op

from trenova_activities.database._embedded_columns import (
    catalog_table,
    identifier,
    one_of,
    stamps,
    tenant_table,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MONEY = sa.Numeric(19, 4)


def upgrade() -> None:
    """Create the tables that the rest refers to."""
    _tenants()
    _users()
    catalog_table("service_types")
    catalog_table("shipment_types")
    catalog_table("customers", sa.Column("name", sa.String(200), nullable=False))
    catalog_table("commodities", *_commodity())
    catalog_table("accessorial_charges", *_accessorial_charge())
    tenant_table("locations", *_location())
    op.create_index("ux_locations_code", "locations", ["organization_id", "code"], unique=True)


def _tenants() -> None:
    op.create_table(
        "business_units",
        identifier("id"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        *stamps(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "organizations",
        identifier("id"),
        identifier("business_unit_id"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scac_code", sa.String(4), nullable=False),
        sa.Column("dot_number", sa.String(12)),
        sa.Column("city", sa.String(100)),
        sa.Column("state", sa.String(2)),
        sa.Column("postal_code", sa.String(20)),
        sa.Column("timezone", sa.String(64), nullable=False),
        *stamps(),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_units.id"]),
    )


def _users() -> None:
    op.create_table(
        "users",
        identifier("id"),
        identifier("organization_id"),
        identifier("business_unit_id"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("username", sa.String(50), nullable=False),
        sa.Column("email_address", sa.String(255), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        *stamps(),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_units.id"]),
        one_of("users", "status", "Active", "Inactive"),
    )
    op.create_index("ux_users_email_address", "users", ["email_address"], unique=True)


def _commodity() -> list[sa.Column[object]]:
    return [
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("weight_per_piece", sa.Integer),
        sa.Column("min_temperature", sa.Integer),
        sa.Column("max_temperature", sa.Integer),
    ]


def _accessorial_charge() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("amount", _MONEY, nullable=False),
        one_of("accessorial_charges", "method", "Flat", "Distance", "Percentage"),
    ]


def _location() -> list[sa.Column[object]]:
    return [
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("address_line_1", sa.String(200), nullable=False),
        sa.Column("city", sa.String(100), nullable=False),
        sa.Column("state", sa.String(2), nullable=False),
        sa.Column("postal_code", sa.String(20), nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
    ]
