"""What was begun and has no audit entry yet, for processes that end in between."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "trenova_jobs_schedule_audit_begun" if sqlite else "schedule_audit_begun",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.JSON() if sqlite else JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=None if sqlite else "trenova_jobs",
    )
