"""Make a plan: judge every tenant as a run would, and count what it would change day by day. Only counts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._names import CANCEL_SHIPMENTS_JOB, DELETE_AUDIT_ENTRIES_JOB
from trenova_activities.database._audit_retention import AuditRetention
from trenova_activities.database._cancellation import Cancellation
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_job import DAY_S, NightlyJob, Skip
from trenova_activities.database._nightly_rules import tenants_page, verdict_of
from trenova_activities.database._plan import Plan, PlannedTenant
from trenova_activities.database._plan_rows import StoredPlan, named, store
from trenova_activities.database._requirements import NEEDS
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConfigurationError, InvalidInputError

_JOBS: Final[Mapping[str, Callable[[Database, Catalog], NightlyJob]]] = {
    CANCEL_SHIPMENTS_JOB: lambda _database, catalog: Cancellation(catalog),
    DELETE_AUDIT_ENTRIES_JOB: AuditRetention,
}
"""What can be planned, by the name of the job."""

_READ: Final[Mapping[str, tuple[str, ...]]] = {
    CANCEL_SHIPMENTS_JOB: ("shipment_controls", "shipments"),
    DELETE_AUDIT_ENTRIES_JOB: ("data_retention", "audit_entries"),
}
"""The tables that a count reads; the user of the database needs no other."""


async def make_plan(
    database: Database, job_type: str, *, made_by: str, organization_ids: Sequence[str] = ()
) -> StoredPlan:
    """Count what a run that began now would change, and store the count under its hash.

    Args:
        database: The TMS's database; its user may write ``job_plans`` and its parts.
        job_type: ``delete_audit_entries`` or ``cancel_shipments``.
        made_by: Who makes it, as they say; 1 to 100 characters.
        organization_ids: Only these; every one that wants the job if empty.

    Raises:
        InvalidInputError: There is no such job to plan, or nobody is named.
        ConfigurationError: A table is missing.
        UnavailableError: The database cannot be reached.
    """
    job = await _job(database, job_type)
    maker, asked = named(made_by, "makes the plan"), sorted(set(organization_ids))
    async with database.read() as connection:
        as_of = await database.clock(connection)
    tenants: list[PlannedTenant] = []
    after: Tenant | None = None
    while page := await _page(database, job, asked, after):
        for tenant in page:
            async with database.read() as connection:
                tenants.append(await planned(connection, job, tenant, as_of))
        after = page[-1]
    return await store(database, Plan(job_type, as_of, asked, tenants), made_by=maker)


async def planned(connection: AsyncConnection, job: NightlyJob, tenant: Tenant, as_of: int) -> PlannedTenant:
    """Judge one tenant and count its rows by day."""
    verdict = await verdict_of(connection, job, tenant, as_of)
    if isinstance(verdict, Skip):
        return PlannedTenant(tenant, verdict.setting, None, verdict.reason)
    at, meant = job.meant(tenant, verdict.at)
    day = at.op("/")(literal_column(str(DAY_S))).label("day")  # of whole numbers, and none is negative
    query = select(day, func.count().label("in_all")).where(*meant).group_by(literal_column("1"))
    rows = (await connection.execute(query)).all()
    held = await job.held(connection, tenant, verdict.at)
    days = sorted((int(row.day), int(row.in_all)) for row in rows)
    return PlannedTenant(tenant, verdict.setting, verdict.at, None, days, held)


async def _job(database: Database, job_type: str) -> NightlyJob:
    if job_type not in _JOBS:
        raise InvalidInputError(f"There is no plan for {job_type!r}; name one of {', '.join(sorted(_JOBS))}.")
    catalog = await Catalog.reflect(database, {need.table for need in NEEDS[job_type]})
    missing = [name for name in _READ[job_type] if name not in catalog]
    if missing:
        raise ConfigurationError(
            f"{database.options.shown_url} has no table {' and no '.join(missing)}, or this user sees none. "
            "Mend --url and --schema.",
            missing=", ".join(missing),
        )
    return _JOBS[job_type](database, catalog)


async def _page(database: Database, job: NightlyJob, asked: Sequence[str], after: Tenant | None) -> list[Tenant]:
    async with database.read() as connection:
        query = tenants_page(job, asked, after=after, wanted=not asked)
        return [Tenant(*row) for row in await connection.execute(query)]
