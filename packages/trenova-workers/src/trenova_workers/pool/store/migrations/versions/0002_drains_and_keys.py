"""Orders to drain workers, whatever runs them, keys of requests, and room for the names of pods in the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"


def upgrade() -> None:
    """Create both tables, and widen a column that held the ids of processes only."""
    sqlite = op.get_context().dialect.name == "sqlite"
    schema, prefix = (None, f"{_SCHEMA}_") if sqlite else (_SCHEMA, "")
    json = sa.JSON() if sqlite else JSONB()
    op.create_table(
        f"{prefix}worker_pool_drains",
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("pool", sa.String(100), nullable=False),
        sa.Column("worker", sa.String(300), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("in_turn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "pool", "worker"),
        schema=schema,
    )
    op.create_table(
        f"{prefix}worker_pool_keys",
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("response", json, nullable=True),
        sa.PrimaryKeyConstraint("scope", "key"),
        schema=schema,
    )
    if not sqlite:  # which does not look at the length
        op.alter_column(
            "worker_pool_audit", "worker", type_=sa.String(300), existing_type=sa.String(32), schema=_SCHEMA
        )
