"""How many rows a legal hold keeps from a nightly run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"


def upgrade() -> None:
    """Add the column; NULL in rows of workers that do not count."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    table, schema = (f"{_SCHEMA}_job_run_tenants", None) if is_sqlite else ("job_run_tenants", _SCHEMA)
    op.add_column(table, sa.Column("held_rows", sa.BigInteger), schema=schema)
