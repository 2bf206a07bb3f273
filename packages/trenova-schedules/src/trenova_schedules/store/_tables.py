"""The tables of schedules, wherever the TMS's own tables live.

On PostgreSQL they stand in the schema ``trenova_jobs``; SQLite has no schemas, so there their names carry the
prefix ``trenova_jobs_``. The migrations beside this module create exactly these. Other packages keep tables of
theirs in the same place, so every name here begins with ``schedule``. All times are int64 unix seconds.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from trenova_store import JOBS_SCHEMA

_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows only by a column of type INTEGER
_SCHEDULE_ID = 1000


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text() if length is None else String(length), nullable=nullable)


def _numbers(*names: str, nullable: bool = False) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=nullable) for name in names]


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _json(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, _JSON, nullable=nullable)


def _schedule_id() -> Column[str]:
    return _text("schedule_id", _SCHEDULE_ID)


def _audit() -> list[SchemaItem]:
    return [
        Column("number", _NUMBER, primary_key=True, autoincrement=True),
        _text("id", 100),
        *_numbers("at"),
        _text("actor", 200),
        _text("action", 50),
        _text("schedule_id", _SCHEDULE_ID, nullable=True),
        _text("organization_id", 100, nullable=True),
        _text("outcome", 20),
        _text("reason", nullable=True),
        _text("request_id", 100, nullable=True),
        _text("source", 20),
        _json("before", nullable=True),
        _json("after", nullable=True),
        UniqueConstraint("id", name="uq_trenova_schedule_audit_id"),
        Index("ix_trenova_schedule_audit_schedule", "schedule_id", "number"),
        Index("ix_trenova_schedule_audit_at", "at"),
    ]


def _begun() -> list[SchemaItem]:
    return [_text("id", 100), *_numbers("at"), _json("entry"), PrimaryKeyConstraint("id")]


def _versions() -> list[SchemaItem]:
    return [
        _schedule_id(),
        *_numbers("from_at"),
        *_numbers("to_at", nullable=True),
        _text("digest", 64),
        _json("specification"),
        _json("policy"),
        _flag("exact"),
        *_numbers("observed_at"),
        PrimaryKeyConstraint("schedule_id", "from_at"),
    ]


def _pauses() -> list[SchemaItem]:
    return [
        _schedule_id(),
        *_numbers("from_at", "certain_from"),
        *_numbers("certain_to", "to_at", nullable=True),
        _text("note", nullable=True),
        PrimaryKeyConstraint("schedule_id", "from_at"),
    ]


def _observations() -> list[SchemaItem]:
    return [
        _schedule_id(),
        *_numbers("at"),
        _text("digest", 64),
        _text("token", 200),
        _flag("paused"),
        *_numbers("actions", "missed_catchup", "skipped_overlap", "buffer_dropped", "buffer_size"),
        *_numbers("updated_at", nullable=True),
        PrimaryKeyConstraint("schedule_id", "at"),
    ]


def _ticks() -> list[SchemaItem]:
    return [
        _schedule_id(),
        *_numbers("at"),
        _text("state", 20),
        _text("reason"),
        *_numbers("nominal_at", "started_at", "closed_at", nullable=True),
        _text("workflow_id", 1000, nullable=True),
        _text("run_id", 100, nullable=True),
        _text("status", 30, nullable=True),
        *_numbers("observed_at"),
        PrimaryKeyConstraint("schedule_id", "at"),
        Index("ix_trenova_schedule_ticks_at", "at", "state"),
    ]


def _registry() -> list[SchemaItem]:
    return [
        _schedule_id(),
        _text("owner", 200, nullable=True),
        _text("organization_id", 100, nullable=True),
        _text("workflow", 1000),
        _text("task_queue", 1000),
        _flag("paused"),
        _json("labels"),
        _json("document"),
        *_numbers("first_seen_at", "seen_at"),
        *_numbers("gone_at", "settled_to", nullable=True),
        PrimaryKeyConstraint("schedule_id"),
    ]


def _receipts() -> list[SchemaItem]:
    return [
        _text("id", 100),
        _text("action", 50),
        _text("actor", 200),
        _text("reason", nullable=True),
        _json("items"),
        *_numbers("created_at"),
        *_numbers("undone_at", nullable=True),
        _text("undone_by", 200, nullable=True),
        PrimaryKeyConstraint("id"),
        Index("ix_trenova_schedule_receipts_created", "created_at", "id"),
    ]


def _idempotency_keys() -> list[SchemaItem]:
    return [
        _text("scope", 200),
        _text("key", 200),
        _text("digest", 64),
        _json("response", nullable=True),
        *_numbers("created_at"),
        PrimaryKeyConstraint("scope", "key"),
        Index("ix_trenova_schedule_idempotency_keys_created", "created_at"),
    ]


def _alerts() -> list[SchemaItem]:
    return [
        _schedule_id(),
        *_numbers("bad", "good", "judged_to"),
        *_numbers("failing_since", nullable=True),
        *_numbers("updated_at"),
        PrimaryKeyConstraint("schedule_id"),
    ]


@dataclass(frozen=True)
class StoreTables:
    """Our tables for one kind of database.

    Attributes:
        metadata: All of them.
        audit: Who did what to which schedule and why; only ever added to, which triggers see to.
        begun: What was begun and has no entry yet.
        versions: Which specification and policy were in force when.
        pauses: When a schedule was paused, as far as that is known.
        observations: What the counters of a schedule said at a harvest; those that no open tick needs are removed.
        ticks: The ledger: one row per expected tick.
        registry: Every schedule that was ever seen.
        receipts: What a bulk action changed, so that it can be undone.
        idempotency_keys: What was asked for under a key, and the answer.
        alerts: How many ticks in a row were bad or good, and since when a schedule counts as failing.
    """

    metadata: MetaData
    audit: Table
    begun: Table
    versions: Table
    pauses: Table
    observations: Table
    ticks: Table
    registry: Table
    receipts: Table
    idempotency_keys: Table
    alerts: Table

    @classmethod
    def of(cls, *, sqlite: bool) -> Self:
        """Describe the tables as they stand on SQLite or on PostgreSQL."""
        metadata = MetaData(schema=None if sqlite else JOBS_SCHEMA)

        def table(name: str, parts: list[SchemaItem]) -> Table:
            return Table(f"{JOBS_SCHEMA}_{name}" if sqlite else name, metadata, *parts)

        return cls(
            metadata=metadata,
            audit=table("schedule_audit", _audit()),
            begun=table("schedule_audit_begun", _begun()),
            versions=table("schedule_versions", _versions()),
            pauses=table("schedule_pauses", _pauses()),
            observations=table("schedule_observations", _observations()),
            ticks=table("schedule_ticks", _ticks()),
            registry=table("schedule_registry", _registry()),
            receipts=table("schedule_receipts", _receipts()),
            idempotency_keys=table("schedule_idempotency_keys", _idempotency_keys()),
            alerts=table("schedule_alerts", _alerts()),
        )
