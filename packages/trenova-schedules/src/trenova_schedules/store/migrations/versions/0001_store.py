"""The audit trail, specification versions, the tick ledger, the registry, receipts and keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "trenova_jobs"
_KEPT = "The audit trail of schedules is only ever added to."


def upgrade() -> None:
    """Create the tables and see to it that nobody rewrites what was done."""
    _create_audit()
    _create_history()
    _create_ledger()
    _create_service()
    _keep_on_sqlite() if _is_sqlite() else _keep_on_postgresql()


def _create_audit() -> None:
    _create(
        "schedule_audit",
        sa.Column("number", sa.Integer() if _is_sqlite() else sa.BigInteger(), primary_key=True, autoincrement=True),
        _text("id", 100),
        *_numbers("at"),
        _text("actor", 200),
        _text("action", 50),
        _maybe("schedule_id", 1000),
        _maybe("organization_id", 100),
        _text("outcome", 20),
        _maybe("reason"),
        _maybe("request_id", 100),
        _text("source", 20),
        _json("before", nullable=True),
        _json("after", nullable=True),
        sa.UniqueConstraint("id", name="uq_trenova_schedule_audit_id"),
    )
    _index("schedule_audit", "schedule", "schedule_id", "number")
    _index("schedule_audit", "at", "at")


def _create_history() -> None:
    _create(
        "schedule_versions",
        _text("schedule_id", 1000),
        *_numbers("from_at"),
        *_numbers("to_at", nullable=True),
        _text("digest", 64),
        _json("specification"),
        _json("policy"),
        _flag("exact"),
        *_numbers("observed_at"),
        sa.PrimaryKeyConstraint("schedule_id", "from_at"),
    )
    _create(
        "schedule_pauses",
        _text("schedule_id", 1000),
        *_numbers("from_at", "certain_from"),
        *_numbers("certain_to", "to_at", nullable=True),
        _maybe("note"),
        sa.PrimaryKeyConstraint("schedule_id", "from_at"),
    )
    _create(
        "schedule_observations",
        _text("schedule_id", 1000),
        *_numbers("at"),
        _text("digest", 64),
        _text("token", 200),
        _flag("paused"),
        *_numbers("actions", "missed_catchup", "skipped_overlap", "buffer_dropped", "buffer_size"),
        *_numbers("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("schedule_id", "at"),
    )


def _create_ledger() -> None:
    _create(
        "schedule_ticks",
        _text("schedule_id", 1000),
        *_numbers("at"),
        _text("state", 20),
        _text("reason"),
        *_numbers("nominal_at", "started_at", "closed_at", nullable=True),
        _maybe("workflow_id", 1000),
        _maybe("run_id", 100),
        _maybe("status", 30),
        *_numbers("observed_at"),
        sa.PrimaryKeyConstraint("schedule_id", "at"),
    )
    _index("schedule_ticks", "at", "at", "state")
    _create(
        "schedule_alerts",
        _text("schedule_id", 1000),
        *_numbers("bad", "good", "judged_to"),
        *_numbers("failing_since", nullable=True),
        *_numbers("updated_at"),
        sa.PrimaryKeyConstraint("schedule_id"),
    )


def _create_service() -> None:
    _create(
        "schedule_registry",
        _text("schedule_id", 1000),
        _maybe("owner", 200),
        _maybe("organization_id", 100),
        _text("workflow", 1000),
        _text("task_queue", 1000),
        _flag("paused"),
        _json("labels"),
        _json("document"),
        *_numbers("first_seen_at", "seen_at"),
        *_numbers("gone_at", "settled_to", nullable=True),
        sa.PrimaryKeyConstraint("schedule_id"),
    )
    _create(
        "schedule_receipts",
        _text("id", 100),
        _text("action", 50),
        _text("actor", 200),
        _maybe("reason"),
        _json("items"),
        *_numbers("created_at"),
        *_numbers("undone_at", nullable=True),
        _maybe("undone_by", 200),
        sa.PrimaryKeyConstraint("id"),
    )
    _create(
        "schedule_idempotency_keys",
        _text("scope", 200),
        _text("key", 200),
        _text("digest", 64),
        _json("response", nullable=True),
        *_numbers("created_at"),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    _index("schedule_idempotency_keys", "created", "created_at")


def _keep_on_sqlite() -> None:
    table = f"{_SCHEMA}_schedule_audit"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    for event in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} {refuse}")
    # INSERT OR REPLACE deletes without firing the triggers above; an id that is there already is passed over instead.
    again = f"WHEN NEW.id IN (SELECT id FROM {table}) BEGIN SELECT RAISE(IGNORE); END"  # noqa: S608 - our own names
    op.execute(f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} {again}")
    taken = f"WHEN NEW.number IN (SELECT number FROM {table}) {refuse}"  # noqa: S608 - our own names
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {taken}")


def _keep_on_postgresql() -> None:
    table = f"{_SCHEMA}.schedule_audit"
    op.execute(
        f"CREATE FUNCTION {_SCHEMA}.keep_schedule_audit() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, pg_temp AS $keep$ BEGIN RAISE EXCEPTION '{_KEPT}'; END $keep$"
    )
    calls = f"EXECUTE FUNCTION {_SCHEMA}.keep_schedule_audit()"
    op.execute(f"CREATE TRIGGER schedule_audit_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {calls}")
    op.execute(f"CREATE TRIGGER schedule_audit_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {calls}")


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _where(name: str) -> tuple[str, str | None]:
    return (f"{_SCHEMA}_{name}", None) if _is_sqlite() else (name, _SCHEMA)


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    table, schema = _where(name)
    op.create_table(table, *parts, schema=schema)


def _index(name: str, suffix: str, *columns: str) -> None:
    table, schema = _where(name)
    op.create_index(f"ix_trenova_{name}_{suffix}", table, list(columns), schema=schema)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text() if length is None else sa.String(length), nullable=nullable)


def _maybe(name: str, length: int | None = None) -> sa.Column[str]:
    return _text(name, length, nullable=True)


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON() if _is_sqlite() else JSONB(), nullable=nullable)
