"""Receipts in the order in which they are listed."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_index(
        "ix_trenova_schedule_receipts_created",
        "trenova_jobs_schedule_receipts" if sqlite else "schedule_receipts",
        ["created_at", "id"],
        schema=None if sqlite else "trenova_jobs",
    )
