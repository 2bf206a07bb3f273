"""What each job needs of the TMS's database, as data, and what a database lacks of it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Enum, Table, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._names import (
    CANCEL_SHIPMENTS_JOB,
    DELETE_AUDIT_ENTRIES_JOB,
    DUPLICATE_SHIPMENT_JOB,
    TRANSFER_SHIPMENTS_JOB,
)
from trenova_activities.database._audit import AUDIT_COLUMNS
from trenova_activities.database._catalog import TENANT, Catalog, has_default, is_generated, unique_sets
from trenova_activities.database._engine import Database
from trenova_activities.database._retention_way import find_way
from trenova_activities.database._system_user import SystemUser
from trenova_errors import ConfigurationError

_KEY: Final = ("id", *TENANT)
_MIGRATE: Final = "run 'trenova-activities db migrate'"


@dataclass(frozen=True)
class Need:
    """What one job needs of one table of the TMS.

    Attributes:
        table: Its name.
        columns: Columns beside id and tenant; a tuple names alternatives, of which one is enough.
        rights: Privileges on PostgreSQL.
        filled: For a table into which the job writes rows of its own: the columns it can fill. Another column
            that is NOT NULL without a default is lacking. None where the job copies or only reads.
        labels: Values that a column of an enum type must know, by column.
        unique: Columns that a unique key must cover exactly.
        optional: The job does without the table, or with less of it than it could use.
    """

    table: str
    columns: tuple[str | tuple[str, ...], ...] = ()
    rights: tuple[str, ...] = ("SELECT",)
    filled: frozenset[str] | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()
    optional: bool = False


_COPIED: Final = ("SELECT", "INSERT")
_CHANGED: Final = ("SELECT", "UPDATE")
_CLOSED: Final = {"status": ("Completed", "Canceled")}
_LIVED: Final = {"status": ("New", "Completed", "Canceled")}
_AUDIT_LOG: Final = Need(
    "audit_entries",
    ("user_id", "resource", "resource_id", "operation", "timestamp", "metadata"),
    _COPIED,
    filled=AUDIT_COLUMNS,
)
_SEQUENCE_PERIOD: Final = ("sequence_type", *TENANT, "year", "month")
_SEQUENCE: Final = frozenset({"id", *_SEQUENCE_PERIOD, "current_sequence", "version", "created_at", "updated_at"})
_NOTIFICATION: Final = (
    *("event_type", "priority", "channel", "title", "message", "target_user_id", "source", "delivery_status"),
    *("data", "related_entities", "actions", "delivered_at", "retry_count", "max_retries", "job_id", "tags"),
)
_NOTIFICATION_FILLED: Final = frozenset(
    {
        *_KEY,
        *_NOTIFICATION,
        "correlation_id",
        "version",
        "created_at",
        "updated_at",
    }
)

_NUMBERS: Final = Need(
    "sequences",
    ("sequence_type", "year", "month", "current_sequence"),
    ("SELECT", "INSERT", "UPDATE"),
    filled=_SEQUENCE,
    labels={"sequence_type": ("pro_number",)},
    unique=frozenset(_SEQUENCE_PERIOD),
)
_PARTS: Final = (
    Need("shipment_commodities", ("shipment_id", "commodity_id", "weight", "pieces"), _COPIED),
    Need(
        "additional_charges",
        ("shipment_id", "accessorial_charge_id", "unit", "method", "amount"),
        _COPIED,
    ),
)
_LOCKED_PARTS: Final = tuple(replace(part, rights=("SELECT", "INSERT", "UPDATE")) for part in _PARTS)
"""UPDATE: they are locked, so that nobody changes them between the look and the act."""

NOTIFICATION: Final = "notification"
"""What both notification workflows need."""

NEEDS: Final[Mapping[str, tuple[Need, ...]]] = {
    DUPLICATE_SHIPMENT_JOB: (
        Need(
            "shipments",
            (
                *("status", "pro_number", "bol", "customer_id", "service_type_id", "shipment_type_id"),
                *("freight_charge_amount", "other_charge_amount", "total_charge_amount", "created_at"),
            ),
            rights=("SELECT", "INSERT", "UPDATE"),  # UPDATE: the source is locked while it is copied
            labels={"status": ("New",)},
        ),
        Need("shipment_moves", ("shipment_id", "status", "sequence"), _COPIED, labels={"status": ("New",)}),
        Need(
            "stops",
            (
                *("shipment_move_id", "location_id", "status", "type", "sequence"),
                ("planned_arrival", "scheduled_window_start"),
                ("planned_departure", "scheduled_window_end"),
            ),
            _COPIED,
            labels={"status": ("New",)},
        ),
        *_PARTS,
        _AUDIT_LOG,
        _NUMBERS,
        Need("users", optional=True),
    ),
    TRANSFER_SHIPMENTS_JOB: (
        Need("customers"),
        Need(
            "shipments",
            (
                *("status", "pro_number", "bol", "customer_id", "version", "created_at"),
                *("canceled_at", "canceled_by_id", "cancel_reason"),
            ),
            rights=("SELECT", "INSERT", "UPDATE"),
            labels={"status": ("New", "Canceled")},
        ),
        Need("shipment_moves", ("shipment_id", "status", "sequence"), ("SELECT", "INSERT", "UPDATE"), labels=_LIVED),
        Need(
            "stops",
            ("shipment_move_id", "location_id", "status", "type", "sequence"),
            rights=("SELECT", "INSERT", "UPDATE"),
            labels=_LIVED,
        ),
        Need("assignments", ("shipment_move_id", "status"), _CHANGED, labels=_CLOSED),
        *_LOCKED_PARTS,
        _AUDIT_LOG,
        _NUMBERS,
        Need("users", optional=True),
    ),
    CANCEL_SHIPMENTS_JOB: (
        Need("shipment_controls", ("auto_cancel_shipments", "auto_cancel_shipments_threshold")),
        Need(
            "shipments",
            ("status", "pro_number", "created_at", "canceled_at", "canceled_by_id", "cancel_reason"),
            _CHANGED,
            labels={"status": ("New", "Canceled")},
        ),
        Need("shipment_moves", ("shipment_id", "status"), _CHANGED, labels=_CLOSED),
        Need("stops", ("shipment_move_id", "status"), _CHANGED, labels=_CLOSED),
        Need("assignments", ("shipment_move_id", "status"), _CHANGED, labels=_CLOSED),
        _AUDIT_LOG,
        Need("users", optional=True),
    ),
    DELETE_AUDIT_ENTRIES_JOB: (
        Need("data_retention", ("audit_retention_period",)),
        Need("audit_entries", ("timestamp", "resource", "resource_id")),  # DELETE: see _retention_way
    ),
    NOTIFICATION: (
        Need("notifications", _NOTIFICATION, ("SELECT", "INSERT", "UPDATE"), filled=_NOTIFICATION_FILLED),
        Need("users", optional=True),
    ),
}
"""By job."""

JOBS: Final = tuple(NEEDS)
"""Names of the jobs whose needs are known."""

_RUN_TABLES: Final = (
    *("job_runs", "job_run_tenants", "job_run_batches"),
    *("job_plans", "job_plan_tenants", "job_plan_days", "job_plan_approvals"),
)
_OWN_TABLES: Final = {
    DUPLICATE_SHIPMENT_JOB: ("idempotency_keys",),
    TRANSFER_SHIPMENTS_JOB: ("idempotency_keys",),
    CANCEL_SHIPMENTS_JOB: _RUN_TABLES,
    DELETE_AUDIT_ENTRIES_JOB: (*_RUN_TABLES, "legal_holds"),
    NOTIFICATION: ("deliveries", "channel_deliveries", "delivery_actions", "notification_preferences"),
}

Look = Callable[[AsyncConnection, Catalog], Awaitable[list[str]]]


async def _system_user(connection: AsyncConnection, catalog: Catalog) -> list[str]:
    return await SystemUser(catalog).lacks(connection)


_LOOKS: Final[Mapping[str, Look]] = {CANCEL_SHIPMENTS_JOB: _system_user}
"""By job, what else is looked at once its tables are there."""


async def check(database: Database, jobs: Iterable[str] = JOBS) -> dict[str, list[str]]:
    """Compare the database with what the jobs need; reads only.

    Args:
        database: The TMS's database.
        jobs: Names out of ``JOBS``.

    Returns:
        By job, one sentence for each missing table, column, key or privilege; an empty list if it can run.

    Raises:
        ConfigurationError: A job that there is not.
        UnavailableError: The database cannot be reached.
    """
    wanted = _known(jobs)
    catalog = await Catalog.reflect(database, _tables(wanted))
    found = {job: await lacks(database, catalog, job) for job in wanted}
    if found.get(DELETE_AUDIT_ENTRIES_JOB) == []:
        found[DELETE_AUDIT_ENTRIES_JOB] = await _lacks_a_way(database)
    return found


async def _lacks_a_way(database: Database) -> list[str]:
    """Whether the log lets retention delete; a worker starts without, since that is looked at in every run."""
    try:
        async with database.read() as connection:
            await find_way(database, connection)
    except ConfigurationError as error:
        return [error.message]
    return []


async def lacks(database: Database, catalog: Catalog, job: str) -> list[str]:
    """Return what a job lacks, one sentence each; nothing if it is ready.

    Args:
        database: The TMS's database.
        catalog: Its tables; those of the job's needs must have been asked for.
        job: A name out of ``JOBS``.
    """
    needs = [need for need in NEEDS[job] if not need.optional]
    found = [sentence for need in needs for sentence in _lacks_of(need, catalog)]
    present = [need for need in needs if need.table in catalog]
    async with database.read() as connection:
        found += await connection.run_sync(_own_lacks, database, _OWN_TABLES[job])
        if not database.options.is_sqlite:
            found += await connection.run_sync(_missing_rights, present, database.options.schema_name)
        if job in _LOOKS and not found:
            found += await _LOOKS[job](connection, catalog)
    return found


async def ready_catalog(database: Database, job: str) -> Catalog:
    """Read the tables that a job needs and refuse a database on which it cannot run.

    Raises:
        ConfigurationError: With everything that is lacking.
        UnavailableError: The database cannot be reached.
    """
    catalog = await Catalog.reflect(database, _tables(_known([job])))
    found = await lacks(database, catalog, job)
    if found:
        raise ConfigurationError(
            f"{database.options.shown_url} cannot serve {job!r}: {'; '.join(found)}. "
            "'trenova-activities db check' lists what every job lacks.",
            job=job,
            lacking=len(found),
        )
    return catalog


def _known(jobs: Iterable[str]) -> list[str]:
    wanted = list(jobs)
    for job in wanted:
        if job not in NEEDS:
            raise ConfigurationError(f"There is no job {job!r}; name one of {sorted(JOBS)}.", job=job)
    return wanted


def _tables(jobs: Iterable[str]) -> set[str]:
    return {need.table for job in jobs for need in NEEDS[job]}


def _lacks_of(need: Need, catalog: Catalog) -> Iterator[str]:
    if need.table not in catalog:
        yield f"the table {need.table} is missing"
        return
    for column in (*_KEY, *need.columns):
        if isinstance(column, str):
            if not catalog.has(need.table, column):
                yield f"{need.table} has no column {column}"
        elif catalog.first(need.table, *column) is None:
            yield f"{need.table} has neither {' nor '.join(column)}"
    yield from _lacks_in(need, catalog[need.table])


def _lacks_in(need: Need, table: Table) -> Iterator[str]:
    for name, values in need.labels.items():
        kind = table.c[name].type if name in table.c else None
        known = kind.enums if isinstance(kind, Enum) else values
        for value in values:
            if not any(_same_label(value, other) for other in known):
                yield f"{need.table}.{name} does not know the value {value!r}"
    if need.filled is not None:
        for column in table.c:
            if column.name not in need.filled and not has_default(column) and not is_generated(column):
                yield f"{need.table}.{column.name} is NOT NULL without a default and unknown to the job"
    if need.unique and need.unique <= set(table.c.keys()) and need.unique not in unique_sets(table):
        yield f"{need.table} has no unique key over exactly ({', '.join(sorted(need.unique))})"


def _same_label(wanted: str, known: str) -> bool:
    return wanted.replace("_", "").casefold() == known.replace("_", "").casefold()


def _own_lacks(connection: Connection, database: Database, names: Sequence[str]) -> list[str]:
    inspector = inspect(connection)
    found = []
    for name in names:
        table: Table = getattr(database.jobs, name)
        if not inspector.has_table(table.name, schema=table.schema):
            found.append(f"our own table {table.fullname} is missing: {_MIGRATE}")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name, schema=table.schema)}
        missing = [column.name for column in table.c if column.name not in columns]
        found += [f"our own table {table.fullname} has no column {column}: {_MIGRATE}" for column in missing]
    return found


def _missing_rights(connection: Connection, needs: Sequence[Need], schema: str | None) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    probe = text("SELECT has_any_column_privilege(to_regclass(:name), :right)")
    found = []
    for need in needs:
        name = f"{quote(schema)}.{quote(need.table)}" if schema else quote(need.table)
        held = {right: connection.execute(probe, {"name": name, "right": right}).scalar() for right in need.rights}
        found += [f"this user lacks the privilege {right} on {need.table}" for right, has in held.items() if not has]
    return found
