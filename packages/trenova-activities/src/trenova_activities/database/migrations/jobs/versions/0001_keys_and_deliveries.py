"""Idempotency keys and notification deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"


def upgrade() -> None:
    """Create both tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    prefix, schema = (f"{_SCHEMA}_", None) if sqlite else ("", _SCHEMA)
    op.create_table(
        f"{prefix}idempotency_keys",
        *_tenant(),
        sa.Column("job_type", sa.String(100), nullable=False),
        sa.Column("key", sa.String(1000), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("workflow_id", sa.String(1000), nullable=False),
        sa.Column("result", sa.JSON() if sqlite else JSONB(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "business_unit_id", "job_type", "key"),
        schema=schema,
    )
    op.create_table(
        f"{prefix}deliveries",
        *_tenant(),
        sa.Column("workflow_id", sa.String(1000), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("notification_id", sa.String(100), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("organization_id", "business_unit_id", "workflow_id", "target"),
        schema=schema,
    )


def _tenant() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(100), nullable=False) for name in ("organization_id", "business_unit_id")]
