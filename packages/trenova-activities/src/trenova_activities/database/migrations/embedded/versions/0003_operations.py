"""Settings of organizations, numbering, the append-only audit log, notifications, and what was seeded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trenova_activities.database._embedded_columns import (
    identifier,
    is_sqlite,
    json_object,
    one_of,
    tenant_table,
    to_user,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_APPEND_ONLY = "The audit log is append-only: rows are never changed or deleted."


def upgrade() -> None:
    """Create the tables that jobs write beside shipments."""
    _settings()
    tenant_table("sequences", *_sequence())
    period = ["sequence_type", "organization_id", "business_unit_id", "year", "month"]
    op.create_index("ux_sequences_period", "sequences", period, unique=True)
    tenant_table("audit_entries", *_audit_entry())
    by_age = ["organization_id", "business_unit_id", "timestamp", "id"]
    op.create_index("ix_audit_entries_timestamp", "audit_entries", by_age)
    op.create_index("ix_audit_entries_resource", "audit_entries", ["resource_id", "resource"])
    _append_only()
    tenant_table("notifications", *_notification())
    op.create_index("ix_notifications_target", "notifications", ["target_user_id", "created_at"])
    op.create_index("ix_notifications_job_id", "notifications", ["job_id"])
    op.create_table(
        "trenova_embedded_seeds",
        sa.Column("seed", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("anchor", "organizations", "shipments")),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _settings() -> None:
    # Values are not checked: jobs have to cope with whatever a TMS lets its operators store.
    tenant_table(
        "shipment_controls",
        sa.Column("auto_cancel_shipments", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("auto_cancel_shipments_threshold", sa.BigInteger, server_default="30"),
    )
    tenant_table("data_retention", sa.Column("audit_retention_period", sa.BigInteger, server_default="120"))
    for name in ("shipment_controls", "data_retention"):
        op.create_index(f"ux_{name}_organization_id", name, ["organization_id"], unique=True)


def _sequence() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("sequence_type", sa.String(50), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("current_sequence", sa.BigInteger, nullable=False, server_default="0"),
        sa.CheckConstraint("month BETWEEN 1 AND 12", name="ck_sequences_month"),
        sa.CheckConstraint("current_sequence >= 0", name="ck_sequences_current_sequence"),
    ]


def _audit_entry() -> list[sa.schema.SchemaItem]:
    objects = ("changes", "previous_state", "current_state", "metadata")
    return [
        identifier("user_id", nullable=True),
        sa.Column("resource", sa.String(50), nullable=False),
        sa.Column("resource_id", sa.String(100), nullable=False),
        sa.Column("operation", sa.String(50), nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        *(item for name in objects for item in json_object("audit_entries", name)),
        sa.Column("correlation_id", sa.String(100)),
        sa.Column("comment", sa.Text),
        sa.Column("category", sa.String(50)),
        sa.Column("sensitive_data", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("critical", sa.Boolean, nullable=False, server_default=sa.false()),
        to_user("user_id"),
    ]


def _append_only() -> None:
    if is_sqlite():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entries_no_{verb.lower()} BEFORE {verb} ON audit_entries "
                f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_entries_append_only()"
    )


def _notification() -> list[sa.schema.SchemaItem]:
    sqlite = is_sqlite()
    json = sa.JSON() if sqlite else JSONB()
    return [
        identifier("target_user_id", nullable=True),
        identifier("target_role_id", nullable=True),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("priority", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        *(sa.Column(name, json) for name in ("data", "related_entities", "actions")),
        *(sa.Column(name, sa.BigInteger) for name in ("expires_at", "delivered_at", "read_at")),
        sa.Column("delivery_status", sa.String(20), nullable=False, server_default="pending"),
        sa.Column("retry_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("max_retries", sa.Integer, nullable=False, server_default="3"),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("job_id", sa.String(255)),
        sa.Column("correlation_id", sa.String(100)),
        sa.Column("tags", sa.JSON() if sqlite else ARRAY(sa.Text)),
        to_user("target_user_id"),
        one_of("notifications", "priority", "critical", "high", "medium", "low"),
        one_of("notifications", "channel", "global", "user", "role"),
        one_of("notifications", "delivery_status", "pending", "delivered", "failed", "expired"),
        sa.CheckConstraint("retry_count <= max_retries", name="ck_notifications_retry_count"),
    ]
