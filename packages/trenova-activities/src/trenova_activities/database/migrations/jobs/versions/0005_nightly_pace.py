"""How far behind a nightly run is and how fast it goes: what it found due, and its pace from call to call."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"


def upgrade() -> None:
    """Add the columns; NULL in rows of workers that do not measure."""
    sqlite = op.get_context().dialect.name == "sqlite"
    prefix, schema = (f"{_SCHEMA}_", None) if sqlite else ("", _SCHEMA)
    for column in (
        sa.Column("tenants_total", sa.BigInteger),
        sa.Column("debt_rows", sa.BigInteger),
        sa.Column("debt_oldest_at", sa.BigInteger),
        sa.Column("rows_per_second", sa.Double),
        sa.Column("eta_seconds", sa.BigInteger),
        sa.Column("batch_size", sa.Integer),
        sa.Column("brake_reason", sa.String(40)),
        sa.Column("braked", sa.Text),
    ):
        op.add_column(f"{prefix}job_runs", column, schema=schema)
    for column in (sa.Column("due_rows", sa.BigInteger), sa.Column("oldest_at", sa.BigInteger)):
        op.add_column(f"{prefix}job_run_tenants", column, schema=schema)
