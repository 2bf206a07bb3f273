"""Which tenants there are for a job, and what the settings of each say."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._nightly_job import Cutoff, NightlyJob, Skip
from trenova_activities.database._tenant import Tenant

PAGE: Final = 100
"""Tenants that are read at once."""


async def verdict_of(connection: AsyncConnection, job: NightlyJob, tenant: Tenant, as_of: int) -> Skip | Cutoff:
    """Read a tenant's settings as they are now and judge them.

    Args:
        connection: Where.
        job: The rule.
        tenant: Whose settings.
        as_of: The run's time, unix seconds.
    """
    table = job.settings_table
    wanted = job.wanted().label("trenova_wanted")
    query = select(table, wanted).where(tenant.owns(table)).limit(2)
    rows = (await connection.execute(query)).all()
    if len(rows) != 1:
        what = "no row" if not rows else "more than one row"
        return Skip(f"{table.name} has {what} of this tenant, and nothing else says what it wants.")
    if not rows[0].trenova_wanted:
        return Skip(job.unwanted)
    return job.rule(rows[0], as_of)


def tenants_page(
    job: NightlyJob, organization_ids: Sequence[str], *, after: Tenant | None, wanted: bool
) -> Select[Any]:
    """Build the query for the next page of tenants.

    Args:
        job: Whose settings table names them.
        organization_ids: Only these; all if empty.
        after: The last one of the page before.
        wanted: Only those that want the job.
    """
    organization, unit = (job.settings_table.c[name] for name in ("organization_id", "business_unit_id"))
    query = select(organization, unit).distinct().order_by(organization, unit).limit(PAGE)
    if organization_ids:
        query = query.where(organization.in_(organization_ids))
    if wanted:
        query = query.where(job.wanted())
    if after is not None:
        later = and_(organization == after.organization_id, unit > after.business_unit_id)
        query = query.where(or_(organization > after.organization_id, later))
    return query


def every_tenant(job: NightlyJob, organization_ids: Sequence[str]) -> Select[Any]:
    """Build the query for the keys of every tenant that a run is for, in no order."""
    query = tenants_page(job, organization_ids, after=None, wanted=not organization_ids)
    return query.limit(None).order_by(None)
