"""Lease, states, orders, workers, decisions and audit trail of worker pools."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"
_KEPT = "The audit trail of worker pools is only ever added to."


def upgrade() -> None:
    """Create the tables and see to it that nobody rewrites what was done."""
    _create_control()
    _create_workers()
    _create_records()
    _keep_on_sqlite() if _is_sqlite() else _keep_on_postgresql()


def _create_control() -> None:
    _create(
        "leases",
        _text("scope", 100),
        _text("holder", 300),
        *_numbers("fence", "taken_ms", "expires_ms"),
        sa.PrimaryKeyConstraint("scope"),
    )
    _create(
        "states",
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("fence", "updated_ms", "desired", "written"),
        _text("state", 20),
        _text("why"),
        _json("document"),
        sa.PrimaryKeyConstraint("scope", "pool"),
    )
    _create(
        "orders",
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("updated_ms"),
        sa.Column("paused", sa.Boolean(), nullable=False),
        _json("pause", nullable=True),
        _json("override", nullable=True),
        sa.PrimaryKeyConstraint("scope", "pool"),
    )


def _create_workers() -> None:
    _create(
        "workers",
        _text("id", 32),
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("fence"),
        _text("host", 300),
        *_numbers("pid"),
        _text("born", 100),
        _text("build", 200),
        *_numbers("port", "started_ms"),
        *_numbers("ready_ms", "drain_ms", "deadline_ms", "ordered_ms", "ended_ms", nullable=True),
        _text("identity", 500, nullable=True),
        _text("drain_why", nullable=True),
        _json("ordered", nullable=True),
        _text("ended", 20, nullable=True),
        *_numbers("status", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("workers", "alive", "scope", "pool", "ended_ms")


def _create_records() -> None:
    _create(
        "decisions",
        _number(),
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("at_ms", "fence"),
        _text("action", 30),
        *_numbers("before", "desired"),
        _text("why"),
        _json("document"),
    )
    _index("decisions", "pool", "scope", "pool", "number")
    _create(
        "audit",
        _number(),
        _text("id", 100),
        *_numbers("at_ms"),
        _text("scope", 100),
        _text("pool", 100),
        _text("actor", 200),
        _text("action", 50),
        _text("source", 20),
        _text("worker", 32, nullable=True),
        _text("reason", nullable=True),
        _text("request_id", 100, nullable=True),
        *_numbers("fence", nullable=True),
        _json("detail", nullable=True),
        sa.UniqueConstraint("id", name="uq_trenova_worker_pool_audit_id"),
    )
    _index("audit", "pool", "scope", "pool", "number")


def _keep_on_sqlite() -> None:
    table = f"{_SCHEMA}_worker_pool_audit"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    for event in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} {refuse}")
    # INSERT OR REPLACE deletes without firing the triggers above.
    taken = f"WHEN NEW.number IN (SELECT number FROM {table}) OR NEW.id IN (SELECT id FROM {table})"  # noqa: S608 - our own names
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {taken} {refuse}")


def _keep_on_postgresql() -> None:
    table = f"{_SCHEMA}.worker_pool_audit"
    op.execute(
        f"CREATE FUNCTION {_SCHEMA}.keep_worker_pool_audit() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, pg_temp AS $keep$ BEGIN RAISE EXCEPTION '{_KEPT}'; END $keep$"
    )
    calls = f"EXECUTE FUNCTION {_SCHEMA}.keep_worker_pool_audit()"
    op.execute(f"CREATE TRIGGER worker_pool_audit_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {calls}")
    op.execute(f"CREATE TRIGGER worker_pool_audit_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {calls}")


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _where(name: str) -> tuple[str, str | None]:
    return (f"{_SCHEMA}_worker_pool_{name}", None) if _is_sqlite() else (f"worker_pool_{name}", _SCHEMA)


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    table, schema = _where(name)
    op.create_table(table, *parts, schema=schema)


def _index(name: str, suffix: str, *columns: str) -> None:
    table, schema = _where(name)
    op.create_index(f"ix_trenova_worker_pool_{name}_{suffix}", table, list(columns), schema=schema)


def _number() -> sa.Column[int]:
    kind = sa.Integer() if _is_sqlite() else sa.BigInteger()
    return sa.Column("number", kind, primary_key=True, autoincrement=True)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text() if length is None else sa.String(length), nullable=nullable)


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON() if _is_sqlite() else JSONB(), nullable=nullable)
