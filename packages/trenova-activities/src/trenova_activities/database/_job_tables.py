"""The tables that are ours, wherever the TMS's own tables live.

On PostgreSQL they stand in the schema ``trenova_jobs``; SQLite has no schemas, so there their names
carry the prefix ``trenova_jobs_``. The migrations beside this module create exactly these.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

JOBS_SCHEMA = "trenova_jobs"
_JSON = JSON().with_variant(JSONB(), "postgresql")


def _tenant() -> list[Column[str]]:
    return [
        Column("organization_id", String(100), nullable=False),
        Column("business_unit_id", String(100), nullable=False),
    ]


@dataclass(frozen=True)
class JobTables:
    """Our own tables for one kind of database.

    Attributes:
        metadata: All of them.
        idempotency_keys: What was asked for under a key and what came of it; written with the effect.
        deliveries: One row per workflow and target of a notification, naming the row that was stored.
    """

    metadata: MetaData
    idempotency_keys: Table
    deliveries: Table

    @classmethod
    def of(cls, *, sqlite: bool) -> Self:
        """Describe the tables as they stand on SQLite or on PostgreSQL."""
        metadata = MetaData(schema=None if sqlite else JOBS_SCHEMA)

        def table(name: str, *parts: SchemaItem) -> Table:
            return Table(f"{JOBS_SCHEMA}_{name}" if sqlite else name, metadata, *parts)

        return cls(
            metadata=metadata,
            idempotency_keys=table(
                "idempotency_keys",
                *_tenant(),
                Column("job_type", String(100), nullable=False),
                Column("key", String(1000), nullable=False),
                Column("digest", String(64), nullable=False),
                Column("workflow_id", String(1000), nullable=False),
                Column("result", _JSON, nullable=False),
                Column("created_at", BigInteger, nullable=False),
                PrimaryKeyConstraint("organization_id", "business_unit_id", "job_type", "key"),
            ),
            deliveries=table(
                "deliveries",
                *_tenant(),
                Column("workflow_id", String(1000), nullable=False),
                Column("target", String(200), nullable=False),
                Column("digest", String(64), nullable=False),
                Column("notification_id", String(100), nullable=False),
                Column("status", String(20), nullable=False),
                Column("attempts", Integer, nullable=False),
                Column("asked_at", BigInteger),
                Column("last_error", Text),
                Column("created_at", BigInteger, nullable=False),
                Column("delivered_at", BigInteger),
                PrimaryKeyConstraint("organization_id", "business_unit_id", "workflow_id", "target"),
            ),
        )
