"""Shipments and everything below them."""

import sqlalchemy as sa
from alembic import op

from trenova_activities.database._embedded_columns import (
    child_of,
    identifier,
    one_of,
    reference,
    tenant_table,
    to_user,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MONEY = sa.Numeric(19, 4)
_STATUSES = (
    "New",
    "PartiallyAssigned",
    "Assigned",
    "InTransit",
    "Delayed",
    "PartiallyCompleted",
    "Completed",
    "ReadyToBill",
    "ReviewRequired",
    "Billed",
    "Canceled",
)


def upgrade() -> None:
    """Create the tables of a shipment with the indexes that jobs walk along."""
    tenant_table("shipments", *_shipment())
    op.create_index("ux_shipments_pro_number", "shipments", ["organization_id", "pro_number"], unique=True)
    by_age = ["organization_id", "business_unit_id", "status", "created_at", "id"]
    op.create_index("ix_shipments_status_created_at", "shipments", by_age)
    _child("shipment_moves", "shipments", "shipment_id", *_move())
    _child("stops", "shipment_moves", "shipment_move_id", *_stop())
    _child("assignments", "shipment_moves", "shipment_move_id", *_assignment())
    _child("shipment_commodities", "shipments", "shipment_id", *_commodity())
    _child("additional_charges", "shipments", "shipment_id", *_charge())


def _child(name: str, parent: str, column: str, *parts: sa.schema.SchemaItem) -> None:
    tenant_table(name, identifier(column), child_of(parent, column), *parts)
    op.create_index(f"ix_{name}_{column}", name, [column, "organization_id", "business_unit_id"])


def _status(table: str, *values: str) -> list[sa.schema.SchemaItem]:
    column = sa.Column("status", sa.String(50), nullable=False, server_default="New")
    return [column, one_of(table, "status", *values)]


def _positive(table: str, column: str, least: int, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    check = sa.CheckConstraint(f"{column} >= {least}", name=f"ck_{table}_{column}")
    return [sa.Column(column, sa.BigInteger, nullable=nullable), check]


def _shipment() -> list[sa.schema.SchemaItem]:
    amounts = ("freight_charge_amount", "other_charge_amount", "total_charge_amount")
    return [
        *_status("shipments", *_STATUSES),
        sa.Column("pro_number", sa.String(100), nullable=False),
        sa.Column("bol", sa.String(100)),
        *(identifier(name) for name in ("customer_id", "service_type_id", "shipment_type_id")),
        *(identifier(name, nullable=True) for name in ("tractor_type_id", "trailer_type_id")),
        *(identifier(name, nullable=True) for name in ("owner_id", "entered_by_id", "canceled_by_id")),
        sa.Column("cancel_reason", sa.String(100)),
        sa.Column("canceled_at", sa.BigInteger),
        sa.Column("rating_method", sa.String(50), nullable=False, server_default="FlatRate"),
        *_positive("shipments", "rating_unit", 1),
        *(sa.Column(name, _MONEY, nullable=False, server_default="0") for name in amounts),
        *(sa.CheckConstraint(f"{name} >= 0", name=f"ck_shipments_{name}") for name in amounts),
        *_positive("shipments", "pieces", 1, nullable=True),
        *_positive("shipments", "weight", 1, nullable=True),
        sa.Column("temperature_min", sa.Integer),
        sa.Column("temperature_max", sa.Integer),
        sa.Column("actual_ship_date", sa.BigInteger),
        sa.Column("actual_delivery_date", sa.BigInteger),
        reference("customers", "customer_id"),
        reference("service_types", "service_type_id"),
        reference("shipment_types", "shipment_type_id"),
        *(to_user(name) for name in ("owner_id", "entered_by_id", "canceled_by_id")),
    ]


def _move() -> list[sa.schema.SchemaItem]:
    return [
        *_status("shipment_moves", "New", "Assigned", "InTransit", "Completed", "Canceled"),
        sa.Column("loaded", sa.Boolean, nullable=False, server_default=sa.true()),
        *_positive("shipment_moves", "sequence", 0),
        sa.Column("distance", sa.Float),
    ]


def _stop() -> list[sa.schema.SchemaItem]:
    return [
        identifier("location_id"),
        *_status("stops", "New", "InTransit", "Completed", "Canceled"),
        sa.Column("type", sa.String(50), nullable=False),
        one_of("stops", "type", "Pickup", "Delivery", "SplitPickup", "SplitDelivery"),
        *_positive("stops", "sequence", 0),
        sa.Column("pieces", sa.BigInteger),
        sa.Column("weight", sa.BigInteger),
        sa.Column("planned_arrival", sa.BigInteger, nullable=False),
        sa.Column("planned_departure", sa.BigInteger, nullable=False),
        sa.CheckConstraint("planned_departure >= planned_arrival", name="ck_stops_planned_departure"),
        sa.Column("actual_arrival", sa.BigInteger),
        sa.Column("actual_departure", sa.BigInteger),
        sa.Column("address_line", sa.String(200)),
        reference("locations", "location_id"),
    ]


def _assignment() -> list[sa.schema.SchemaItem]:
    return _status("assignments", "New", "InProgress", "Completed", "Canceled")


def _commodity() -> list[sa.schema.SchemaItem]:
    return [
        identifier("commodity_id"),
        *_positive("shipment_commodities", "weight", 1),
        *_positive("shipment_commodities", "pieces", 1),
        reference("commodities", "commodity_id"),
    ]


def _charge() -> list[sa.schema.SchemaItem]:
    return [
        identifier("accessorial_charge_id"),
        *_positive("additional_charges", "unit", 1),
        sa.Column("method", sa.String(20), nullable=False),
        one_of("additional_charges", "method", "Flat", "Distance", "Percentage"),
        sa.Column("amount", _MONEY, nullable=False),
        reference("accessorial_charges", "accessorial_charge_id"),
    ]
