"""Which samples have been given a history."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table beside that of the samples."""
    op.create_table(
        "trenova_embedded_histories",
        sa.Column("seed", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("entries", "shipments", "created_at")),
    )
