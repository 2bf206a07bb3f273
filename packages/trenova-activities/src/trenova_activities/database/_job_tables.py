"""The tables that are ours, wherever the TMS's own tables live.

On PostgreSQL they stand in the schema ``trenova_jobs``; SQLite has no schemas, so there their names
carry the prefix ``trenova_jobs_``. The migrations beside this module create exactly these.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from trenova_store import JOBS_SCHEMA

_JSON = JSON().with_variant(JSONB(), "postgresql")


def _tenant() -> list[Column[str]]:
    return [
        Column("organization_id", String(100), nullable=False),
        Column("business_unit_id", String(100), nullable=False),
    ]


def _run() -> list[Column[str]]:
    return [Column("job_type", String(100), nullable=False), Column("run_id", String(100), nullable=False)]


def _hash() -> Column[str]:
    return Column("hash", String(64), nullable=False)


def _run_columns() -> list[SchemaItem]:
    return [
        Column("workflow_id", String(1000), nullable=False),
        Column("request", _JSON, nullable=False),
        Column("request_digest", String(64), nullable=False),
        Column("dry_run", Boolean, nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("tenant_cursor_organization", String(100)),
        Column("tenant_cursor_business_unit", String(100)),
        Column("state", String(20), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("finished_at", BigInteger),
        Column("seal", String(64)),
        Column("tenants_total", BigInteger),
        Column("debt_rows", BigInteger),
        Column("debt_oldest_at", BigInteger),
        Column("rows_per_second", Double),
        Column("eta_seconds", BigInteger),
        Column("batch_size", Integer),
        Column("brake_reason", String(40)),
        Column("braked", Text),
    ]


def _run_tenant_columns() -> list[SchemaItem]:
    return [
        Column("state", String(20), nullable=False),
        Column("setting", Text),
        Column("cutoff", BigInteger),
        Column("reason", Text),
        Column("error", Text),
        Column("counted", BigInteger, nullable=False),
        Column("odd_rows", BigInteger, nullable=False),
        Column("samples", _JSON, nullable=False),
        Column("cursor_at", BigInteger),
        Column("cursor_id", String(100)),
        Column("batches", BigInteger, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("held_rows", BigInteger),
        Column("chain", String(64)),
        Column("due_rows", BigInteger),
        Column("oldest_at", BigInteger),
    ]


def _run_batch_columns() -> list[SchemaItem]:
    return [
        Column("number", BigInteger, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
        Column("first_id", String(100), nullable=False),
        Column("last_id", String(100), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("chain", String(64)),
    ]


def _hold_columns() -> list[SchemaItem]:
    return [
        Column("resource", String(100)),
        Column("resource_id", String(100)),
        Column("from_at", BigInteger, nullable=False),
        Column("until_at", BigInteger),
        Column("reason", Text, nullable=False),
        Column("created_by", String(100)),
        Column("created_at", BigInteger, nullable=False),
        Column("released_at", BigInteger),
        Column("released_by", String(100)),
        Column("release_reason", Text),
    ]


def _plan_columns() -> list[SchemaItem]:
    return [
        Column("job_type", String(100), nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("organization_ids", _JSON, nullable=False),
        Column("tenants", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        Column("made_by", String(100), nullable=False),
        Column("made_at", BigInteger, nullable=False),
    ]


def _plan_tenant_columns() -> list[SchemaItem]:
    return [
        Column("setting", Text),
        Column("cutoff", BigInteger),
        Column("reason", Text),
        Column("rows", BigInteger, nullable=False),
        Column("held_rows", BigInteger, nullable=False),
    ]


def _plan_approval_columns() -> list[SchemaItem]:
    return [
        Column("approved_by", String(100), nullable=False),
        Column("reason", Text, nullable=False),
        Column("approved_at", BigInteger, nullable=False),
    ]


def _channel_delivery_columns() -> list[SchemaItem]:
    return [
        Column("notification_id", String(100), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("workflow_id", String(1000), nullable=False),
        Column("channel", String(20), nullable=False),
        Column("target", String(200), nullable=False),
        Column("message", _JSON, nullable=False),
        Column("max_attempts", Integer, nullable=False),
        Column("state", String(20), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("ambiguous", Boolean, nullable=False),
        Column("last_error", String(100)),
        Column("receipt", String(200)),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("delivered_at", BigInteger),
    ]


def _delivery_action_columns() -> list[SchemaItem]:
    return [
        Column("run_id", String(100), nullable=False),
        Column("action", String(20), nullable=False),
        Column("requested_by", String(100), nullable=False),
        Column("reason", Text, nullable=False),
        Column("state_before", String(20), nullable=False),
        Column("at", BigInteger, nullable=False),
    ]


def _preference_columns() -> list[SchemaItem]:
    return [
        Column("user_id", String(100), nullable=False),
        Column("channel", String(20), nullable=False),
        Column("event_type", String(100), nullable=False),
        Column("rule", String(20), nullable=False),
        Column("updated_at", BigInteger, nullable=False),
    ]


@dataclass(frozen=True)
class JobTables:
    """Our own tables for one kind of database.

    Attributes:
        metadata: All of them.
        idempotency_keys: What was asked for under a key and what came of it; written with the effect.
        deliveries: One row per workflow and target of a notification, naming the row that was stored.
        channel_deliveries: One row per message that leaves through a channel: what it says and where it stands.
        delivery_actions: Who had a delivery tried again, when and why; only ever added to.
        notification_preferences: What a user wants to be told through which channel.
        job_runs: One row per run of a nightly job, whatever number of workflow executions it takes.
        job_run_tenants: How far such a run has come with each tenant that it has begun.
        job_run_batches: The manifest: one row per batch that changed rows, written with the change and chained.
        legal_holds: Rows of the TMS that retention must not delete; released once, never changed otherwise.
        job_plans: What a nightly run was counted to change, by a hash over all of it.
        job_plan_tenants: The same plan, tenant by tenant.
        job_plan_days: The same plan, rows by tenant and day in UTC.
        job_plan_approvals: Who approved which plan.
    """

    metadata: MetaData
    idempotency_keys: Table
    deliveries: Table
    channel_deliveries: Table
    delivery_actions: Table
    notification_preferences: Table
    job_runs: Table
    job_run_tenants: Table
    job_run_batches: Table
    legal_holds: Table
    job_plans: Table
    job_plan_tenants: Table
    job_plan_days: Table
    job_plan_approvals: Table

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
            channel_deliveries=table(
                "channel_deliveries",
                Column("key", String(64), nullable=False),
                *_tenant(),
                *_channel_delivery_columns(),
                PrimaryKeyConstraint("key", "organization_id", "business_unit_id"),
                Index("ix_trenova_channel_deliveries_notification", "notification_id"),
                Index("ix_trenova_channel_deliveries_state", "state", "updated_at"),
            ),
            delivery_actions=table(
                "delivery_actions",
                Column("key", String(64), nullable=False),
                *_tenant(),
                *_delivery_action_columns(),
                PrimaryKeyConstraint("key", "organization_id", "business_unit_id", "run_id"),
            ),
            notification_preferences=table(
                "notification_preferences",
                *_tenant(),
                *_preference_columns(),
                PrimaryKeyConstraint("organization_id", "business_unit_id", "user_id", "channel", "event_type"),
            ),
            job_runs=table("job_runs", *_run(), *_run_columns(), PrimaryKeyConstraint("job_type", "run_id")),
            job_run_tenants=table(
                "job_run_tenants",
                *_run(),
                *_tenant(),
                *_run_tenant_columns(),
                PrimaryKeyConstraint("job_type", "run_id", "organization_id", "business_unit_id"),
            ),
            job_run_batches=table(
                "job_run_batches",
                *_run(),
                *_tenant(),
                *_run_batch_columns(),
                PrimaryKeyConstraint("job_type", "run_id", "organization_id", "business_unit_id", "number"),
            ),
            legal_holds=table(
                "legal_holds",
                Column("id", String(100), nullable=False),
                *_tenant(),
                *_hold_columns(),
                PrimaryKeyConstraint("id", "organization_id", "business_unit_id"),
            ),
            job_plans=table("job_plans", _hash(), *_plan_columns(), PrimaryKeyConstraint("hash")),
            job_plan_tenants=table(
                "job_plan_tenants",
                _hash(),
                *_tenant(),
                *_plan_tenant_columns(),
                PrimaryKeyConstraint("hash", "organization_id", "business_unit_id"),
            ),
            job_plan_days=table(
                "job_plan_days",
                _hash(),
                *_tenant(),
                Column("day", BigInteger, nullable=False),
                Column("rows", BigInteger, nullable=False),
                PrimaryKeyConstraint("hash", "organization_id", "business_unit_id", "day"),
            ),
            job_plan_approvals=table(
                "job_plan_approvals",
                _hash(),
                *_plan_approval_columns(),
                PrimaryKeyConstraint("hash", "approved_by"),
            ),
        )
