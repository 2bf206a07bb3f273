"""Deliveries of notifications through channels, who had them repeated, and what users want to be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"


def upgrade() -> None:
    """Create the three tables, and the indexes that commands and workers look by."""
    sqlite = op.get_context().dialect.name == "sqlite"
    prefix, schema = (f"{_SCHEMA}_", None) if sqlite else ("", _SCHEMA)
    _deliveries(f"{prefix}channel_deliveries", schema, sqlite=sqlite)
    op.create_table(
        f"{prefix}delivery_actions",
        sa.Column("key", sa.String(64), nullable=False),
        *_tenant(),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state_before", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", "organization_id", "business_unit_id", "run_id"),
        schema=schema,
    )
    op.create_table(
        f"{prefix}notification_preferences",
        *_tenant(),
        sa.Column("user_id", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "business_unit_id", "user_id", "channel", "event_type"),
        schema=schema,
    )


def _deliveries(name: str, schema: str | None, *, sqlite: bool) -> None:
    op.create_table(
        name,
        sa.Column("key", sa.String(64), nullable=False),
        *_tenant(),
        sa.Column("notification_id", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("workflow_id", sa.String(1000), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("message", sa.JSON() if sqlite else JSONB(), nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("ambiguous", sa.Boolean, nullable=False),
        sa.Column("last_error", sa.String(100)),
        sa.Column("receipt", sa.String(200)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", "organization_id", "business_unit_id"),
        schema=schema,
    )
    op.create_index("ix_trenova_channel_deliveries_notification", name, ["notification_id"], schema=schema)
    op.create_index("ix_trenova_channel_deliveries_state", name, ["state", "updated_at"], schema=schema)


def _tenant() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(100), nullable=False) for name in ("organization_id", "business_unit_id")]
