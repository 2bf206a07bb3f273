"""Runs of the nightly jobs with their tenants and manifest, and legal holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"
_TENANT = ("organization_id", "business_unit_id")
_RUN = ("job_type", "run_id")


def upgrade() -> None:
    """Create the four tables."""
    _create("job_runs", *_names(*_RUN), *_run(), sa.PrimaryKeyConstraint(*_RUN))
    _create("job_run_tenants", *_names(*_RUN, *_TENANT), *_run_tenant(), sa.PrimaryKeyConstraint(*_RUN, *_TENANT))
    _create(
        "job_run_batches",
        *_names(*_RUN, *_TENANT),
        *_run_batch(),
        sa.PrimaryKeyConstraint(*_RUN, *_TENANT, "number"),
    )
    _create("legal_holds", *_names("id", *_TENANT), *_hold(), sa.PrimaryKeyConstraint("id", *_TENANT))


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    prefix, schema = (f"{_SCHEMA}_", None) if _is_sqlite() else ("", _SCHEMA)
    op.create_table(f"{prefix}{name}", *parts, schema=schema)


def _names(*columns: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(100), nullable=False) for name in columns]


def _times(*columns: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in columns]


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON() if _is_sqlite() else JSONB(), nullable=False)


def _run() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("workflow_id", sa.String(1000), nullable=False),
        _json("request"),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        *_times("as_of"),
        sa.Column("tenant_cursor_organization", sa.String(100)),
        sa.Column("tenant_cursor_business_unit", sa.String(100)),
        sa.Column("state", sa.String(20), nullable=False),
        *_times("created_at", "updated_at"),
        sa.Column("finished_at", sa.BigInteger),
    ]


def _run_tenant() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("setting", sa.Text),
        sa.Column("cutoff", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        *_times("counted", "odd_rows"),
        _json("samples"),
        sa.Column("cursor_at", sa.BigInteger),
        sa.Column("cursor_id", sa.String(100)),
        *_times("batches", "created_at", "updated_at"),
    ]


def _run_batch() -> list[sa.schema.SchemaItem]:
    return [
        *_times("number", "rows", "first_at", "last_at"),
        *_names("first_id", "last_id"),
        sa.Column("digest", sa.String(64), nullable=False),
        *_times("at"),
    ]


def _hold() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("resource", sa.String(100)),
        sa.Column("resource_id", sa.String(100)),
        *_times("from_at"),
        sa.Column("until_at", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_by", sa.String(100)),
        *_times("created_at"),
        sa.Column("released_at", sa.BigInteger),
    ]
