"""Plans of nightly runs with their approvals, chained manifests, and who released a legal hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"
_TENANT = ("organization_id", "business_unit_id")
_HELD = (
    *("id", *_TENANT, "resource", "resource_id", "from_at", "until_at", "reason", "created_by", "created_at"),
    *("released_at", "released_by", "release_reason"),
)
_MAY_CHANGE = 3  # the last of them, and those once

_KEPT = "A legal hold is a record: it is released once, and never changed or deleted."


def upgrade() -> None:
    """Create the tables, add the columns, and let nobody rewrite what a hold says."""
    _create(
        "job_plans",
        sa.Column("hash", sa.String(64), primary_key=True),
        *_names("job_type"),
        *_numbers("as_of"),
        sa.Column("organization_ids", sa.JSON() if _is_sqlite() else JSONB(), nullable=False),
        *_numbers("tenants", "total"),
        *_names("made_by"),
        *_numbers("made_at"),
    )
    _create(
        "job_plan_tenants",
        sa.Column("hash", sa.String(64), nullable=False),
        *_names(*_TENANT),
        sa.Column("setting", sa.Text),
        sa.Column("cutoff", sa.BigInteger),
        sa.Column("reason", sa.Text),
        *_numbers("rows", "held_rows"),
        sa.PrimaryKeyConstraint("hash", *_TENANT),
    )
    _create(
        "job_plan_days",
        sa.Column("hash", sa.String(64), nullable=False),
        *_names(*_TENANT),
        *_numbers("day", "rows"),
        sa.PrimaryKeyConstraint("hash", *_TENANT, "day"),
    )
    _create(
        "job_plan_approvals",
        sa.Column("hash", sa.String(64), nullable=False),
        *_names("approved_by"),
        sa.Column("reason", sa.Text, nullable=False),
        *_numbers("approved_at"),
        sa.PrimaryKeyConstraint("hash", "approved_by"),
    )
    _add("job_runs", sa.Column("seal", sa.String(64)))
    _add("job_run_tenants", sa.Column("chain", sa.String(64)))
    _add("job_run_batches", sa.Column("chain", sa.String(64)))
    _add("legal_holds", sa.Column("released_by", sa.String(100)))
    _add("legal_holds", sa.Column("release_reason", sa.Text))
    _keep_on_sqlite() if _is_sqlite() else _keep_on_postgresql()


def _keep_on_sqlite() -> None:
    table = f"{_SCHEMA}_legal_holds"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _HELD[:-_MAY_CHANGE])
    once = f"OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND {same}"
    op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_once BEFORE UPDATE ON {table} WHEN NOT ({once}) {refuse}")


def _keep_on_postgresql() -> None:
    table = f"{_SCHEMA}.legal_holds"
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _HELD[:-_MAY_CHANGE])
    once = f"OLD.released_at IS NULL AND NEW.released_at IS NOT NULL AND {same}"
    op.execute(
        f"CREATE FUNCTION {_SCHEMA}.keep_legal_hold() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, pg_temp AS $keep$ BEGIN RAISE EXCEPTION '{_KEPT}'; END $keep$"
    )
    calls = f"FOR EACH ROW {{when}} EXECUTE FUNCTION {_SCHEMA}.keep_legal_hold()"
    op.execute(f"CREATE TRIGGER legal_hold_kept BEFORE DELETE ON {table} {calls.format(when='')}")
    op.execute(f"CREATE TRIGGER legal_hold_once BEFORE UPDATE ON {table} {calls.format(when=f'WHEN (NOT ({once}))')}")


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _where(name: str) -> tuple[str, str | None]:
    return (f"{_SCHEMA}_{name}", None) if _is_sqlite() else (name, _SCHEMA)


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    table, schema = _where(name)
    op.create_table(table, *parts, schema=schema)


def _add(name: str, column: sa.Column[object]) -> None:
    table, schema = _where(name)
    op.add_column(table, column, schema=schema)


def _names(*columns: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(100), nullable=False) for name in columns]


def _numbers(*columns: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in columns]
