"""The tables of worker pools, wherever the TMS's own tables live.

On PostgreSQL they stand in the schema ``trenova_jobs``; SQLite has no schemas, so there their names carry the prefix
``trenova_jobs_``. The migrations beside this module create exactly these. Other packages keep tables of theirs in the
same place, so every name here begins with ``worker_pool``. All times are int64 unix milliseconds by the clock of the
database, and so end in ``_ms``.
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


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text() if length is None else String(length), nullable=nullable)


def _maybe(name: str, length: int | None = None) -> Column[str]:
    return _text(name, length, nullable=True)


def _numbers(*names: str, nullable: bool = False) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=nullable) for name in names]


def _json(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, _JSON, nullable=nullable)


def _number() -> Column[int]:
    return Column("number", _NUMBER, primary_key=True, autoincrement=True)


def _leases() -> list[SchemaItem]:
    return [
        _text("scope", 100),
        _text("holder", 300),
        *_numbers("fence", "taken_ms", "expires_ms"),
        PrimaryKeyConstraint("scope"),
    ]


def _states() -> list[SchemaItem]:
    return [
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("fence", "updated_ms", "desired", "written"),
        _text("state", 20),
        _text("why"),
        _json("document"),
        PrimaryKeyConstraint("scope", "pool"),
    ]


def _orders() -> list[SchemaItem]:
    return [
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("updated_ms"),
        Column("paused", Boolean, nullable=False),
        _json("pause", nullable=True),
        _json("override", nullable=True),
        PrimaryKeyConstraint("scope", "pool"),
    ]


def _workers() -> list[SchemaItem]:
    return [
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
        _maybe("identity", 500),
        _maybe("drain_why"),
        _json("ordered", nullable=True),
        _maybe("ended", 20),
        *_numbers("status", nullable=True),
        PrimaryKeyConstraint("id"),
        Index("ix_trenova_worker_pool_workers_alive", "scope", "pool", "ended_ms"),
    ]


def _decisions() -> list[SchemaItem]:
    return [
        _number(),
        _text("scope", 100),
        _text("pool", 100),
        *_numbers("at_ms", "fence"),
        _text("action", 30),
        *_numbers("before", "desired"),
        _text("why"),
        _json("document"),
        Index("ix_trenova_worker_pool_decisions_pool", "scope", "pool", "number"),
    ]


def _audit() -> list[SchemaItem]:
    return [
        _number(),
        _text("id", 100),
        *_numbers("at_ms"),
        _text("scope", 100),
        _text("pool", 100),
        _text("actor", 200),
        _text("action", 50),
        _text("source", 20),
        _maybe("worker", 300),
        _maybe("reason"),
        _maybe("request_id", 100),
        *_numbers("fence", nullable=True),
        _json("detail", nullable=True),
        UniqueConstraint("id", name="uq_trenova_worker_pool_audit_id"),
        Index("ix_trenova_worker_pool_audit_pool", "scope", "pool", "number"),
    ]


def _drains() -> list[SchemaItem]:
    return [
        _text("scope", 100),
        _text("pool", 100),
        _text("worker", 300),
        *_numbers("ordered_ms"),
        _text("ordered_by", 200),
        _text("reason"),
        Column("in_turn", Boolean, nullable=False),
        PrimaryKeyConstraint("scope", "pool", "worker"),
    ]


def _keys() -> list[SchemaItem]:
    return [
        _text("scope", 200),
        _text("key", 200),
        _text("digest", 64),
        *_numbers("created_at"),
        _json("response", nullable=True),
        PrimaryKeyConstraint("scope", "key"),
    ]


@dataclass(frozen=True)
class PoolTables:
    """The tables under their names on one kind of database."""

    leases: Table
    states: Table
    orders: Table
    workers: Table
    decisions: Table
    audit: Table
    drains: Table
    keys: Table

    @classmethod
    def of(cls, *, sqlite: bool) -> Self:
        """Return them for SQLite or for PostgreSQL."""
        metadata = MetaData(schema=None if sqlite else JOBS_SCHEMA)
        prefix = f"{JOBS_SCHEMA}_" if sqlite else ""

        def table(name: str, parts: list[SchemaItem]) -> Table:
            return Table(f"{prefix}worker_pool_{name}", metadata, *parts)

        return cls(
            leases=table("leases", _leases()),
            states=table("states", _states()),
            orders=table("orders", _orders()),
            workers=table("workers", _workers()),
            decisions=table("decisions", _decisions()),
            audit=table("audit", _audit()),
            drains=table("drains", _drains()),
            keys=table("keys", _keys()),
        )
